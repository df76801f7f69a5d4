"""Sets that another process makes meanwhile: the same ones, waited for only where it pays."""

from pathlib import Path

import numpy as np
import pytest

from core import ahead
from core.ahead import Ahead, made_ahead
from core.datasets import LabelledDigits
from core.generated_inputs import is_kept, keep, made
from core.live_training import LiveRun, Look

FEW = 4


@pytest.fixture(autouse=True)
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DIGITSCOPE_DATA", str(tmp_path))
    monkeypatch.setattr(ahead, "CORES", 2)
    return tmp_path


def test_the_other_process_makes_what_would_be_made_here(
    empty: Path, optdigits: LabelledDigits, monkeypatch: pytest.MonkeyPatch
):
    with made_ahead(n=FEW) as found:
        assert found._run is not None
        for key in ahead.SLOW:
            found.wait(key)
            assert is_kept(key, FEW)
        assert found._run.look().states == ahead.SLOW
    there = {key: made(key, optdigits, FEW) for key in ahead.SLOW}
    with made_ahead(n=FEW) as nothing_to_do:
        assert nothing_to_do._run is None
    monkeypatch.setenv("DIGITSCOPE_DATA", str(empty / "other"))
    for key, pictures in there.items():
        np.testing.assert_array_equal(made(key, optdigits, FEW), pictures)


def test_an_early_end_leaves_no_process():
    with made_ahead() as found:
        assert found._run is not None
        process = found._run._process
        assert process.poll() is None
    assert process.poll() is not None


def test_only_the_set_that_is_being_made_is_waited_for():
    class Run(LiveRun[str]):
        def __init__(self) -> None:
            self.asked = 0

        def look(self) -> Look[str]:
            self.asked += 1
            return Look(() if self.asked < 3 else ("scribbles",), self.asked < 100, None)

    run = Run()
    Ahead(run, ("scribbles", "letters")).wait("letters")
    assert run.asked == 1
    Ahead(run, ("scribbles", "letters")).wait("scribbles")
    assert run.asked == 3
    Ahead(run, ("scribbles", "letters")).wait("letters")
    assert run.asked == 100  # it ended without it: it is made here
    Ahead().wait("letters")


def test_one_core_alone_starts_nothing(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ahead, "CORES", 1)
    with made_ahead() as found:
        assert found._run is None


def test_the_sets_are_named_as_they_come(tmp_path: Path):
    states = keep(("scribbles",), FEW, 0, str(tmp_path / "here"))
    assert next(states) == "scribbles"
    assert list((tmp_path / "here" / "generated-inputs").glob("scribbles-*.npy"))
