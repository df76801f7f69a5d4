"""Smallest changes against the linear model's closed form, and as the served model reads them."""

import numpy as np
import pytest
import torch

from core import checkpoint, counterfactual
from core.checkpoint import load_model
from core.counterfactual import turn_into
from core.errors import ExplanationError
from core.predictor import Predictor
from tests.conftest import card_for, random_cnn
from tests.test_methods import digit_like


def test_of_a_linear_model_no_change_is_smaller_than_the_way_to_the_plane(linear: Predictor):
    model, card = load_model(linear.folder)
    weights = model.linear.weight.detach().numpy() / card.normalisation["std"]
    for seed in range(4):
        pixels = digit_like(seed)
        logits = linear.run(pixels[None]).logits[0]
        nearest = abs(float(logits[0] - logits[1])) / float(np.linalg.norm(weights))
        found = turn_into(linear, pixels, None)
        assert found is not None
        assert 0.9 * nearest < found.size < 4 * nearest + 0.3  # the box of brightness makes the way longer


@pytest.fixture(scope="module")
def undecided(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    """A random CNN that is a little in favour of 1 for `digit_like(2)`, all other digits being equal."""
    model = random_cnn(4)
    with torch.no_grad():
        inputs = (torch.from_numpy(digit_like(2)[None, None].astype(np.float32)) / 255 - 0.1307) / 0.3081
        model.fc_layers[4].bias -= model(inputs)[0]
        model.fc_layers[4].bias[1] += 0.02
    folder = tmp_path_factory.mktemp("undecided") / "cnn"
    checkpoint.save(folder, model, card_for(model, "cnn"), [])
    return Predictor.load(folder)


@pytest.mark.parametrize("digit", [None, 0, 5])
def test_the_served_model_reads_the_result_as_wanted(undecided: Predictor, digit: int | None):
    pixels, cnn, now = digit_like(2), undecided, 1
    assert cnn.predict(pixels).digit == now
    found = turn_into(cnn, pixels, digit)
    assert found is not None
    assert found.pixels.dtype == np.uint8
    assert cnn.predict(found.pixels).digit == found.digit
    assert found.digit == digit if digit is not None else found.digit != now
    assert found.change == pytest.approx((found.pixels.astype(float) - pixels) / 255, abs=1e-6)
    assert found.size == pytest.approx(np.linalg.norm(found.change))
    assert found.added - found.removed == pytest.approx(found.change.sum(), abs=1e-4)
    again = turn_into(cnn, pixels, digit)
    assert again is not None
    assert np.array_equal(again.pixels, found.pixels)


def test_the_nearest_boundary_is_not_farther_than_any_digit(undecided: Predictor):
    pixels = digit_like(2)
    nearest = turn_into(undecided, pixels, None)
    others = [turn_into(undecided, pixels, digit) for digit in (0, 2, 3, 4, 5, 6, 7, 8, 9)]
    assert nearest is not None
    assert nearest.size <= 1.25 * min(other.size for other in others if other)


def test_what_nothing_within_reach_turns_is_none(undecided: Predictor, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(counterfactual, "FARTHEST", 0.0005)
    monkeypatch.setattr(counterfactual, "STEP", 0.0001)
    assert turn_into(undecided, digit_like(2), 5) is None


def test_what_makes_no_sense_is_refused(cnn: Predictor, linear: Predictor):
    pixels = digit_like(1)
    with pytest.raises(ExplanationError, match=r"It is read as \d already; choose another digit"):
        turn_into(cnn, pixels, cnn.predict(pixels).digit)
    with pytest.raises(ExplanationError, match="does not know the digit 5; choose among 3, 7"):
        turn_into(linear, pixels, 5)
