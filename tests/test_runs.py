"""A run's folder: one process at a time, whole files, found out in time; and seen from outside."""

import errno
import fcntl
import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest

from core import runs
from core.config import TrainConfig
from core.errors import TrainingError
from core.paths import ROOT
from core.runs import open_run, running
from tests.reports import REPORT

CONFIG = TrainConfig(epochs=3)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DIGITSCOPE_RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


def test_a_run_is_seen_while_it_lasts_and_not_longer(folder):
    assert running() == []
    with open_run("cnn-1", CONFIG) as run:
        (fresh,) = running()
        assert (fresh.name, fresh.history, fresh.progress) == ("cnn-1", [], None)
        assert fresh.config["epochs"] == 3
        run.show(REPORT)
        run.keep([{"epoch": 1, "loss": 2.0}], b"state")
        (seen,) = running()
        assert seen.progress == REPORT
        assert seen.history == [{"epoch": 1, "loss": 2.0}]
    assert running() == []


def test_progress_is_written_twice_a_second_at_most_and_at_the_end(folder):
    with open_run("cnn-1", CONFIG) as run:
        for step in range(1, 31):
            run.show(replace(REPORT, step=step, steps=30))
            if step == 29:
                assert running()[0].progress.step == 1
        assert running()[0].progress.step == 30


def test_a_second_process_in_the_same_run_is_refused():
    with open_run("cnn-1", CONFIG):
        code = (
            "from core.runs import open_run; from core.config import TrainConfig\n"
            "with open_run('cnn-1', TrainConfig(epochs=3)): pass"
        )
        other = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert "Another process is training in" in other.stderr
    assert "give this run another --seed" in other.stderr


def test_a_fresh_start_clears_what_an_earlier_one_left():
    with open_run("cnn-1", CONFIG) as run:
        run.keep([{"epoch": 1}], b"state")
    with open_run("cnn-1", CONFIG) as run:
        assert (run.state(), run.result()) == (None, None)
        assert not (run.path / "history.jsonl").exists()


def test_resuming_finds_the_state_until_the_run_has_its_result():
    with open_run("cnn-1", CONFIG) as run:
        run.keep([{"epoch": 1}], b"state")
    with open_run("cnn-1", CONFIG, resume=True) as run:
        assert run.state() == b"state"
        run.finish({"seed": 23})
    with open_run("cnn-1", CONFIG, resume=True) as run:
        assert (run.state(), run.result()) == (None, {"seed": 23})


def test_resuming_with_other_flags_is_refused_by_their_names():
    with open_run("cnn-1", CONFIG):
        pass
    other = replace(CONFIG, epochs=4, teachers=("a", "b"))
    with (
        pytest.raises(TrainingError, match=r"was started with --epochs 3, --teachers \[\]\. Resume it with"),
        open_run("cnn-1", other, resume=True),
    ):
        pass


def test_resuming_under_other_circumstances_is_refused():
    with open_run("cnn-1", CONFIG, peek=False, processes=1):
        pass
    with (
        pytest.raises(TrainingError, match="was started with --peek False"),
        open_run("cnn-1", CONFIG, resume=True, peek=True, processes=1),
    ):
        pass


def test_somebody_who_looks_does_not_stop_a_start(folder):
    """The Overview asks for the lock at every look; a start in that instant waits for it."""
    with open_run("cnn-1", CONFIG):
        pass
    with (folder / "cnn-1" / runs.LOCK).open() as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        threading.Timer(0.15, fcntl.flock, (looking, fcntl.LOCK_UN)).start()
        with open_run("cnn-1", CONFIG) as run:
            assert run.state() is None
        time.sleep(0.2)


def test_an_error_of_the_training_itself_is_not_blamed_on_the_folder():
    with pytest.raises(BrokenPipeError), open_run("cnn-1", CONFIG):
        raise BrokenPipeError("the terminal is gone")


def test_a_run_that_never_began_can_be_resumed_from_nothing(folder):
    with open_run("cnn-1", CONFIG, resume=True) as run:
        assert run.state() is None


def test_too_little_space_is_found_before_the_first_epoch(folder, monkeypatch: pytest.MonkeyPatch):
    def full(_file: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TrainingError, match=r"No space left.*Free some space"), open_run("cnn-1", CONFIG):
        pass
    assert not (folder / "cnn-1" / ".space").exists()


def test_a_limit_on_file_sizes_is_found_for_real(folder):
    """The system's own refusal, in a process that may write 1 MB."""
    code = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, 2**20))\n"
        "from core.runs import open_run; from core.config import TrainConfig\n"
        "with open_run('cnn-1', TrainConfig()): print('began')"
    )
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert "began" not in found.stdout
    assert "can't be written" in found.stderr


def test_a_folder_that_cannot_be_made_is_named(folder):
    folder.write_text("a file")
    with pytest.raises(TrainingError, match=r"runs/cnn-1 can't be written"), open_run("cnn-1", CONFIG):
        pass


def test_files_are_whole_whenever_the_process_is_killed(folder):
    """A child that does nothing but write is killed at many moments; what lies there can always be read."""
    code = (
        "from core.runs import open_run; from core.config import TrainConfig\n"
        "with open_run('cnn-1', TrainConfig()) as run:\n"
        "    n = 0\n"
        "    print('began', flush=True)\n"
        "    while True:\n"
        "        n += 1\n"
        "        run.keep([{'epoch': k} for k in range(1, n % 50 + 2)], bytes([n % 251]) * 100_000)\n"
    )
    for turn in range(6):
        child = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE)
        child.stdout.readline()
        with pytest.raises(subprocess.TimeoutExpired):
            child.wait(0.05 + 0.037 * turn)
        child.kill()
        child.wait()
        child.stdout.close()
        history = [json.loads(line) for line in (folder / "cnn-1" / "history.jsonl").read_text().splitlines()]
        assert [row["epoch"] for row in history] == list(range(1, len(history) + 1))
        state = (folder / "cnn-1" / "state.pt").read_bytes()
        assert len(state) == 100_000
        assert len(set(state)) == 1
    assert running() == [], "the system has opened the dead process's lock"


def test_a_damaged_folder_is_no_run(folder):
    (folder / "odd").mkdir(parents=True)
    (folder / "odd" / runs.LOCK).mkdir()
    assert running() == []


def test_a_run_on_copies_that_were_prepared_otherwise_does_not_go_on():
    with open_run("cnn-1", CONFIG, prepared=1):
        pass
    with (
        pytest.raises(TrainingError, match=r"prepared in another way\. Start anew without --resume"),
        open_run("cnn-1", CONFIG, resume=True, prepared=2),
    ):
        pass
