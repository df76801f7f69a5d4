"""Accuracy under corruption, counted by hand on a few digits; what is kept on disk, and for whom."""

from pathlib import Path

import numpy as np
import pytest

from core import robustness
from core.corruptions import CORRUPTIONS, SEVERITIES, corrupted
from core.datasets import LabelledDigits
from core.errors import DatasetError
from core.evaluation import wilson_interval
from core.predictor import Outputs, Predictor
from core.readings import read
from core.robustness import Robustness, robustness_of, sample_of


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DIGITSCOPE_DATA", str(tmp_path))
    return tmp_path


@pytest.fixture
def few(optdigits: LabelledDigits) -> LabelledDigits:
    return optdigits.take(np.arange(12))


def test_every_cell_is_what_one_counts_by_hand(cnn: Predictor, few: LabelledDigits):
    found = robustness_of(cnn, few, seed=3)
    assert (found.n, found.corruptions, found.severities) == (12, tuple(CORRUPTIONS), SEVERITIES)
    for row, name in enumerate(CORRUPTIONS):
        for column, severity in enumerate(SEVERITIES):
            answers = cnn.predict(list(corrupted(few.images, name, severity, seed=3)))
            right = sum(a.digit == label for a, label in zip(answers, few.labels.tolist(), strict=True))
            assert found.correct[row, column] == right, (name, severity)
            mean = np.mean([answer.confidence for answer in answers])
            assert found.confidence[row, column] == pytest.approx(mean, abs=1e-5)
    assert found.unusualness is None
    assert found.accuracy[2, 4] == found.correct[2, 4] / 12
    assert tuple(found.intervals[2, 4]) == wilson_interval(int(found.correct[2, 4]), 12)


def test_the_worst_at_the_highest_severity_comes_first():
    correct = np.array([[9, 5], [9, 2], [9, 7]])
    confidence = np.ones((3, 2))
    found = Robustness("x", 10, 0, ("a", "b", "c"), (0, 5), correct, confidence, None)
    assert found.worst_first == ("b", "a", "c")


def test_a_sample_is_drawn_by_its_seed_without_one_twice(optdigits: LabelledDigits):
    first, again, other = (sample_of(optdigits, tuple(range(10)), n=50, seed=seed) for seed in (1, 1, 2))
    assert first.digest == again.digest != other.digest
    assert len(first) == 50
    assert len(np.unique(first.images, axis=0)) == 50
    assert set(sample_of(optdigits, (3, 7), n=50).labels.tolist()) == {3, 7}
    assert len(sample_of(optdigits, (3, 7), n=10**6)) == np.isin(optdigits.labels, (3, 7)).sum()


def test_a_sample_of_nothing_is_refused(optdigits: LabelledDigits):
    with pytest.raises(DatasetError, match="no digit of the classes"):
        sample_of(optdigits.only([1]), (3, 7))
    with pytest.raises(DatasetError, match="sample of 0 digits"):
        sample_of(optdigits, (3, 7), n=0)


def test_it_is_computed_once_with_progress(cnn: Predictor, few: LabelledDigits):
    calls: list[tuple[int, int]] = []
    first = robustness_of(cnn, few, progress=lambda *done: calls.append(done))
    assert calls == [(12 * done, 12 * 75) for done in range(1, 76)]
    calls.clear()
    again = robustness_of(cnn, few, progress=lambda *done: calls.append(done))
    assert not calls
    assert np.array_equal(first.correct, again.correct)
    assert np.array_equal(first.confidence, again.confidence)


def test_another_model_other_digits_sample_or_version_is_computed_anew(
    cnn: Predictor, linear: Predictor, optdigits: LabelledDigits, monkeypatch: pytest.MonkeyPatch
):
    few, others = optdigits.take(np.arange(12)), optdigits.take(np.arange(12, 24))

    def computed(*args: object, **options: object) -> bool:
        calls: list[tuple[int, int]] = []
        robustness_of(*args, **options, progress=lambda *done: calls.append(done))
        return bool(calls)

    assert computed(cnn, few)
    assert not computed(cnn, few)
    assert computed(linear, few)
    assert computed(cnn, others)
    assert computed(cnn, few, n=5)
    assert computed(cnn, few, seed=9)
    monkeypatch.setattr(robustness, "VERSION", robustness.VERSION + 1)
    assert computed(cnn, few)


def test_old_results_go(cnn: Predictor, few: LabelledDigits, data_folder: Path, monkeypatch):
    monkeypatch.setattr(robustness, "KEPT", 2)
    for seed in range(4):
        robustness_of(cnn, few, n=1, seed=seed)
    assert len(list((data_folder / "robustness").glob("*.npy"))) == 2


def test_a_score_of_unusualness_is_averaged_and_what_was_kept_without_it_is_not_used(
    cnn: Predictor, few: LabelledDigits, monkeypatch: pytest.MonkeyPatch
):
    plain = robustness_of(cnn, few)

    def spread(self: Predictor, outputs: Outputs) -> np.ndarray:
        return -outputs.logits.max(axis=1)

    monkeypatch.setattr(Predictor, "unusualness", spread, raising=False)
    found = robustness_of(cnn, few)
    assert plain.unusualness is None
    assert found.unusualness is not None
    expected = -cnn.run(corrupted(few.images, "fog", 2)).logits.max(axis=1).mean()
    assert found.unusualness[list(CORRUPTIONS).index("fog"), 2] == pytest.approx(expected, rel=1e-5)
    assert np.array_equal(found.correct, plain.correct)


def test_readings_are_the_predictions(cnn: Predictor, few: LabelledDigits):
    found, answers = read(cnn, few.images), cnn.predict(few.images)
    assert found.prediction.tolist() == [answer.digit for answer in answers]
    assert found.confidence == pytest.approx([answer.confidence for answer in answers])
