"""Event files, read back byte by byte as TensorBoard reads them."""

import struct
from dataclasses import replace
from pathlib import Path

import pytest
from tensorboardX.proto.event_pb2 import Event

from core.errors import TrainingError
from core.tensorboard import EventLog
from tests.reports import REPORT


def events(folder: Path) -> list[tuple[str, int, float]]:
    """(name, step, value) of each scalar: records of length, checksum, message, checksum."""
    (file,) = folder.iterdir()
    content, found, start = file.read_bytes(), [], 0
    while start < len(content):
        (length,) = struct.unpack_from("<Q", content, start)
        event = Event.FromString(content[start + 12 : start + 12 + length])
        found += [(value.tag, event.step, value.simple_value) for value in event.summary.value]
        start += 16 + length
    return found


def test_a_run_is_written_by_step_and_its_validation_by_epoch(tmp_path: Path):
    log = EventLog(tmp_path / "tb", first=23)
    log(REPORT)
    log(replace(REPORT, step=40, epoch=2, validation_accuracy=0.9))
    log(replace(REPORT, step=60, epoch=2, loss=0.25, validation_accuracy=0.9))
    log.end([{"epoch": 1, "validation_accuracy": 0.9}, {"epoch": 2, "validation_accuracy": 0.95}])
    found = events(tmp_path / "tb" / "seed23")
    assert [(step, value) for name, step, value in found if name == "training/loss"] == [
        (20, 0.5),
        (40, 0.5),
        (60, 0.25),
    ]
    assert ("training/images_per_second", 20, 640.0) in found
    measured = [(step, value) for name, step, value in found if name == "validation/accuracy"]
    assert measured == [(1, pytest.approx(0.9)), (2, pytest.approx(0.95))]


def test_every_seed_has_a_folder_and_a_finished_run_adds_nothing(tmp_path: Path):
    log = EventLog(tmp_path, first=5)
    log(REPORT)
    log.end([{"epoch": 1, "validation_accuracy": 0.5}])
    log.end([{"epoch": 1, "validation_accuracy": 0.6}])  # seed 6 was finished before
    log(replace(REPORT, epoch=2, validation_accuracy=0.7))
    log.end([{"epoch": 2, "validation_accuracy": 0.8}])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["seed5", "seed7"]
    measured = [(step, value) for name, step, value in events(tmp_path / "seed7") if "validation" in name]
    assert measured == [(1, pytest.approx(0.7)), (2, pytest.approx(0.8))]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(TrainingError, match=r"--tensorboard .*file/tb can't be written"):
        EventLog(tmp_path / "file" / "tb", first=1)
