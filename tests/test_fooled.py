"""How sure a model is of what is no digit, and whether its verdict notices."""

import numpy as np
import pytest

from core.fooled import fooled_by
from core.inputs import InputSet
from core.paths import ROOT
from core.predictor import Predictor


@pytest.fixture
def noise(random_pictures: np.ndarray) -> InputSet:
    return InputSet("noise", "Noise", random_pictures[:60], 60)


def test_the_verdict_is_the_one_that_every_answer_carries(noise: InputSet) -> None:
    shipped = Predictor.load(ROOT / "checkpoints" / "cnn")
    found = fooled_by(shipped, noise)
    answers = shipped.predict(noise.images)
    assert found.noticed is not None
    assert found.noticed.tolist() == [each.verdict.kind == "not-a-digit" for each in answers]
    assert found.sure == sum(each.confidence >= 0.99 for each in answers) / 60


def test_the_surest_come_first_and_no_detector_means_no_verdict(cnn: Predictor, noise: InputSet) -> None:
    found = fooled_by(cnn, noise)
    assert found.noticed is None
    sure = found.readings.confidence[found.surest(60)]
    assert (np.diff(sure) <= 0).all()
    assert sorted(found.surest(60)) == list(range(60))
    assert len(found.surest(5)) == 5
