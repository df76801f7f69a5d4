"""Several digits in one drawing: found, in order, and what only looks like several is one."""

import numpy as np
import pytest

from core.paths import ROOT
from core.predictor import Predictor
from core.preprocess import as_prepared, prepare
from core.several import digits_in, separate
from core.strokes import render, stroke

TWO = [(0, 15), (10, 0), (30, 0), (38, 12), (0, 60), (40, 60)]
ZERO = [(20, 0), (4, 12), (0, 30), (6, 52), (20, 60), (34, 50), (40, 30), (36, 10), (20, 0)]
SIX = [(32, 0), (12, 18), (0, 40), (8, 58), (26, 60), (36, 48), (28, 36), (6, 42)]
ONE = [(0, 0), (0, 60)]
FIVE = [(4, 2), (0, 28), (24, 26), (36, 42), (24, 60), (0, 56)]


def drawn(*placed: tuple[list[tuple[int, int]], int, int], width: int = 8) -> np.ndarray:
    """Lines at places on the canvas."""
    return render(tuple(stroke([(x + left, y + top) for x, y in line], width) for line, left, top in placed))


@pytest.fixture(scope="module")
def shipped() -> Predictor:
    return Predictor.load(ROOT / "checkpoints" / "cnn")


YEAR = drawn((TWO, 20, 60), (ZERO, 80, 66), (TWO, 140, 58), (SIX, 200, 64))


def test_digits_beside_each_other_are_read_in_order(shipped: Predictor):
    found = digits_in(shipped, prepare(YEAR))
    assert [each.digit for each in shipped.predict(list(found))] == [2, 0, 2, 6]


def test_each_is_prepared_as_if_it_were_alone():
    for part, alone in zip(
        separate(prepare(YEAR)), ((TWO, 20, 60), (ZERO, 80, 66), (TWO, 140, 58), (SIX, 200, 64)), strict=True
    ):
        apart = np.abs(part.pixels.astype(int) - prepare(drawn(alone)).pixels)
        assert apart.mean() < 2


def test_lines_are_read_from_the_top(shipped: Predictor):
    picture = drawn((SIX, 30, 150), (TWO, 120, 156), (ZERO, 40, 30), (ONE, 140, 36))
    found = separate(prepare(picture))
    assert [each.digit for each in shipped.predict(list(found))] == [0, 1, 6, 2]


def test_parts_of_one_digit_stay_together():
    bar = [(12, -6), (44, -10)]  # a 5's bar, which its pen left a gap to
    for picture in (drawn((FIVE, 80, 80), (bar, 80, 80)), drawn((FIVE, 80, 80), (bar, 118, 84))):
        whole = prepare(picture)
        assert separate(whole) == (whole,)
    both = drawn((FIVE, 60, 80), (bar, 60, 80), (SIX, 160, 80))
    assert len(separate(prepare(both))) == 2


def test_an_open_four_is_one_digit_to_the_model(shipped: Predictor):
    left, right = [(8, 0), (0, 36), (30, 36)], [(40, 8), (38, 60)]
    whole = prepare(drawn((left, 90, 80), (right, 100, 80), width=6))
    assert len(separate(whole)) == 2
    assert shipped.predict(whole).verdict.kind == "digit"
    assert digits_in(shipped, whole) == (whole,)


def test_one_digit_a_digit_of_a_data_set_and_a_crowd_are_left_alone():
    one = prepare(drawn((SIX, 80, 80)))
    assert separate(one) == (one,)
    pixels = as_prepared(prepare(YEAR).pixels)
    assert separate(pixels) == (pixels,)
    crowd = prepare(drawn(*((ONE, 10 + 18 * place, 80) for place in range(14)), width=6))
    assert separate(crowd) == (crowd,)
