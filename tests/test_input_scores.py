"""What is kept of a set: computed once, another model or other pictures anew."""

from pathlib import Path

import numpy as np
import pytest

from core.detector_kinds import possible
from core.detectors import Detectors
from core.input_scores import InputScores, score_inputs
from core.paths import ROOT
from core.predictor import Predictor
from core.readings import read


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGITSCOPE_DATA", str(tmp_path))


def test_a_set_is_scored_once(random_pictures: np.ndarray):
    shipped, steps = Predictor.load(ROOT / "checkpoints" / "cnn"), []
    images = random_pictures[:60]
    detectors = Detectors.fit(shipped, None)

    def again() -> Detectors:
        raise AssertionError("scored again")

    first = score_inputs(
        shipped,
        images,
        "a" * 64,
        lambda: detectors,
        fitted=False,
        progress=lambda *step: steps.append(step),
    )
    assert steps == [(60, 60)]
    found, expected = read(shipped, images), detectors.score(images)
    np.testing.assert_array_equal(first.prediction, found.prediction)
    np.testing.assert_allclose(first.confidence, found.confidence, rtol=1e-6)
    assert tuple(first.scores) == possible(shipped, fitted=False)
    for name, scores in first.scores.items():
        np.testing.assert_allclose(scores, expected[name], rtol=1e-5, atol=1e-6)
    kept = score_inputs(shipped, images, "a" * 64, again, fitted=False)
    np.testing.assert_array_equal(kept.scores["both"], first.scores["both"])
    for digest, fitted in (("b" * 64, False), ("a" * 64, True)):
        with pytest.raises(AssertionError, match="scored again"):
            score_inputs(shipped, images, digest, again, fitted=fitted)


def test_the_surest_come_first_and_of_equal_ones_the_earlier():
    found = InputScores(np.zeros(4, np.int64), np.array([0.5, 0.99, 0.7, 0.99]), {})
    assert found.surest(3) == [1, 3, 2]
    assert found.surest(9, at_least=0.99) == [1, 3]
