"""Gradient descent with two numbers: against the closed solution, its limit, its landscape."""

import numpy as np
import pytest

from core.errors import TrainingError
from core.parabola import START, Heights, curve, descend, inside, surface, thrown

HEIGHTS = thrown(7)


def test_the_way_ends_at_the_closed_solution():
    way = descend(HEIGHTS, rate=0.25, steps=5000)
    fitted = np.polyfit(HEIGHTS.t, HEIGHTS.y / HEIGHTS.t, 1, w=HEIGHTS.t)  # y / t = v − a·t
    assert way.best == pytest.approx((fitted[1], -fitted[0]))
    np.testing.assert_allclose(way.path[-1], way.best, atol=1e-3)
    assert not way.diverged
    assert (np.diff(way.losses) <= 1e-12).all()


def test_a_step_follows_the_slope_of_the_loss():
    way = descend(HEIGHTS, rate=0.01, steps=1)

    def loss(v: float, a: float) -> float:
        return float(((curve(HEIGHTS.t, v, a) - HEIGHTS.y) ** 2).mean())

    slope = [
        (loss(START[0] + 1e-5, START[1]) - loss(START[0] - 1e-5, START[1])) / 2e-5,
        (loss(START[0], START[1] + 1e-5) - loss(START[0], START[1] - 1e-5)) / 2e-5,
    ]
    np.testing.assert_allclose(way.path[1], np.array(START) - 0.01 * np.array(slope), atol=1e-6)
    assert way.losses[0] == pytest.approx(loss(*START))
    assert len(way.path) == len(way.losses) == 2


@pytest.mark.parametrize(("share", "diverges"), [(0.98, False), (1.02, True)])
def test_the_limit_parts_the_rates_that_diverge(share: float, diverges: bool):
    limit = descend(HEIGHTS, rate=0.1, steps=1).limit
    assert descend(HEIGHTS, rate=share * limit, steps=2000).diverged is diverges


def test_a_path_that_flies_off_ends_and_stays_finite():
    way = descend(HEIGHTS, rate=5.0, steps=10_000)
    assert way.diverged
    assert len(way.path) < 30
    assert len(way.path) == len(way.losses)
    assert np.isfinite(way.path).all()
    assert not inside(way.path).all()


def test_the_surface_is_the_loss():
    ground = surface(HEIGHTS, side=5)
    for row, a in enumerate(ground.a):
        for column, v in enumerate(ground.v):
            expected = ((curve(HEIGHTS.t, v, a) - HEIGHTS.y) ** 2).mean()
            assert ground.loss[row, column] == pytest.approx(expected)
    assert inside(np.array([START])).all()


@pytest.mark.parametrize(("rate", "steps"), [(0.0, 5), (-1.0, 5), (float("nan"), 5), (0.1, 0)])
def test_what_cannot_be_is_refused(rate: float, steps: int):
    with pytest.raises(TrainingError, match="Give a rate above 0"):
        descend(Heights(np.ones(2), np.ones(2)), rate=rate, steps=steps)
