"""What the terminal says while a network trains, and once a run has ended."""

from dataclasses import replace

import pytest

from core.progress_line import ProgressLine
from tests.reports import REPORT

RESULT = {
    "seed": 5,
    "best_epoch": 2,
    "chosen_on": "mnist-validation",
    "tested_on": "mnist-test",
    "history": [{"validation_accuracy": 0.97}, {"validation_accuracy": 0.9813}],
    "metrics": {"mnist-test": {"accuracy": 0.975, "errors": 250, "n": 10_000}},
}


def test_the_line_has_what_is_known_so_far(capsys: pytest.CaptureFixture[str]):
    line = ProgressLine()
    line(replace(REPORT, epoch=1, epochs=2, loss=0.25, validation_accuracy=None))
    assert "validation" not in capsys.readouterr().err
    line(replace(REPORT, epoch=2, epochs=2, loss=0.25, validation_accuracy=0.9813))
    assert "epoch 2/2" in (said := capsys.readouterr().err)
    assert "loss 0.2500, validation 98.13%" in said


def test_an_ended_run_says_by_what_it_was_chosen_and_what_it_gave(capsys: pytest.CaptureFixture[str]):
    line = ProgressLine()
    line.ended(RESULT)
    line.close("written")
    said = capsys.readouterr().out
    assert (
        "seed 5: epoch 2 chosen on mnist-validation (98.13%); mnist-test: 97.50% (250 errors in 10000)"
        in said
    )
    assert said.endswith("written\n")


def test_the_other_processes_are_quiet(capsys: pytest.CaptureFixture[str]):
    line = ProgressLine(quiet=True)
    line(REPORT)
    line.close("written")
    assert capsys.readouterr() == ("", "")
