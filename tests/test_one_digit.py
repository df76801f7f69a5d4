"""One digit step by step is what the model itself computes; signed pictures have their colours."""

from pathlib import Path

import numpy as np
import pytest

from core.errors import CheckpointError
from core.one_digit import served_weights, step_by_step
from core.palette import ORANGE, PURPLE, WHITE, diverging
from core.paths import checkpoint_folder
from core.predictor import Predictor


def agrees(predictor: Predictor, images: np.ndarray) -> None:
    weights = served_weights(predictor.folder)
    logits = predictor.run(images).logits[:, 0]
    for image, logit in zip(images, logits, strict=True):
        digit = step_by_step(image, weights, temperature=predictor.card.temperature)
        assert digit.logit == pytest.approx(logit, abs=1e-3)
        assert digit.contributions.sum() + digit.bias == pytest.approx(digit.logit)
        found = predictor.predict(image)
        assert digit.confidence == pytest.approx(found.confidence, abs=1e-4)
        if abs(logit) > 1e-3:
            assert digit.digit == found.digit


def test_the_steps_lead_to_the_models_answer(optdigits):
    agrees(Predictor.load("linear"), optdigits.images[:100])


def test_so_they_do_with_pixels_normalised_as_mnists(linear: Predictor, random_pictures: np.ndarray):
    assert linear.card.normalisation["std"] != 1
    agrees(linear, random_pictures[:20])


def test_the_cnn_has_no_such_steps(cnn_folder: Path):
    with pytest.raises(CheckpointError, match="DigitCNN; name a ThreeSevenLinear"):
        served_weights(cnn_folder)


def test_the_shipped_linear_model_reads_pixels_as_they_are():
    weights = served_weights(checkpoint_folder("linear"))
    blank = step_by_step(np.zeros((28, 28), dtype=np.uint8), weights)
    assert blank.total == 0
    assert blank.logit == weights.b


def test_colours_are_the_ends_at_the_scales_ends_and_white_in_the_middle():
    values = np.array([[-2.0, 0.0, 2.0], [-9.0, np.nan, np.inf]])
    found = diverging(values, top=2.0)
    assert found[0].tolist() == [list(ORANGE), list(WHITE), list(PURPLE)]
    assert found[1].tolist() == [list(ORANGE), list(WHITE), list(PURPLE)]
    assert diverging(np.zeros((1, 1)), top=0.0)[0, 0].tolist() == list(WHITE)
