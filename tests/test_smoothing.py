"""The published lesson of label smoothing: it comes back as it was written, and it is one."""

from pathlib import Path

import numpy as np
import pytest

from core.errors import TrainingError
from core.smoothing import read_lesson, write_lesson


def test_a_lesson_comes_back_as_it_was_written(tmp_path: Path):
    lesson = read_lesson()
    write_lesson(lesson, tmp_path / "record.json")
    again = read_lesson(tmp_path / "record.json")
    assert again.to_json() == lesson.to_json()
    assert again.calibration == lesson.calibration


def test_the_published_lesson_agrees_with_itself():
    lesson = read_lesson()
    bins = lesson.bins["before"]
    n = lesson.calibration["before"].n
    assert bins.counts.sum() == n
    assert bins.counts @ bins.accuracy / n == pytest.approx(lesson.accuracy)
    assert bins.counts @ bins.confidence / n == pytest.approx(lesson.confidence, abs=1e-5)
    for stage in ("before", "after"):
        assert lesson.bins[stage].ece == pytest.approx(lesson.calibration[stage].ece.value, abs=1e-5)


def test_label_smoothing_makes_it_less_sure_than_it_could_be():
    lesson = read_lesson()
    assert lesson.label_smoothing == 0.1
    assert lesson.accuracy - lesson.confidence > 0.05
    filled = lesson.bins["before"].counts > 20
    assert np.all(lesson.bins["before"].accuracy[filled] > lesson.bins["before"].confidence[filled])
    assert lesson.temperature < 1
    assert lesson.calibration["after"].ece.value < lesson.calibration["before"].ece.value / 5


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"recipe": "reference"}'])
def test_a_damaged_record_says_so(tmp_path: Path, content: str):
    (tmp_path / "record.json").write_text(content)
    with pytest.raises(TrainingError, match="Restore the file"):
        read_lesson(tmp_path / "record.json")
