"""Training killed at a random moment and resumed ends as if nothing had been; and two train as one."""

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from core.paths import ROOT
from tests.stripes import digits

TWO = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
SCRIPT = """
import sys, torch
from dataclasses import replace
from core.config import RECIPES
from core.processes import joined
from core.runs import open_run
from core.training import train
from contextlib import nullcontext
from tests.stripes import digits

torch.set_num_threads(1)
target, changes = sys.argv[1], eval(sys.argv[2])
usual = {"epochs": 4, "batch_size": 32, "precision": "float32", "drawn": 0.0}
config = replace(RECIPES["cnn"]["plain"], **(usual | changes))
with joined() as rank:
    with open_run("test", config, resume=True) if not rank else nullcontext() as folder:
        report = (lambda r: print(r.step, flush=True)) if not rank else None
        run = train(config, digits(320, 0), digits(100, 1), folder=folder, report=report)
if not rank:
    torch.save({"model": run.model.state_dict(), "history": run.history, "best": run.best_epoch}, target)
"""


def started(folder: Path, changes: str = "{}", launcher: tuple[str, ...] = ()) -> subprocess.Popen:
    folder.mkdir(exist_ok=True)
    script = folder / "script.py"
    script.write_text(SCRIPT)
    command = [sys.executable, *launcher, str(script), str(folder / "end.pt"), changes]
    own = {"DIGITSCOPE_RUNS": str(folder / "runs"), "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        command, cwd=ROOT, env=os.environ | own, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finished(folder: Path, *, changes: str = "{}", launcher: tuple[str, ...] = ()) -> dict:
    """What training ends with."""
    child = started(folder, changes, launcher)
    _, errors = child.communicate(timeout=600)
    assert child.returncode == 0, errors
    return torch.load(folder / "end.pt", weights_only=True)


def killed(folder: Path, *, wait: float, after: str = "") -> None:
    """Starts the same training and kills it so long after its first step, or after a file of it appeared."""
    child = started(folder)
    child.stdout.readline()
    while after and not (folder / "runs" / "test" / after).exists():
        assert child.poll() is None, child.communicate()
        time.sleep(0.02)
    time.sleep(wait)
    child.kill()
    child.communicate()


def timeless(history: list[dict[str, float]]) -> list[dict[str, float]]:
    return [{key: value for key, value in row.items() if key != "seconds"} for row in history]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict:
    return finished(tmp_path_factory.mktemp("whole"))


def test_killed_twice_and_resumed_the_weights_are_the_same_bit_for_bit(tmp_path: Path, whole: dict):
    chance = random.Random()
    waits = [chance.uniform(0, 1.2), chance.uniform(0, 0.5)]
    killed(tmp_path, wait=waits[0])
    killed(tmp_path, wait=waits[1], after="state.pt")
    resumed = finished(tmp_path)
    about = f"killed {waits} s after the first step and after the first state"
    assert resumed["best"] == whole["best"], about
    assert timeless(resumed["history"]) == timeless(whole["history"]), about
    for name, value in whole["model"].items():
        assert torch.equal(resumed["model"][name], value), f"{name}; {about}"


def test_a_finished_epoch_is_not_trained_again(tmp_path: Path):
    killed(tmp_path, wait=0.1, after="state.pt")
    lines = (tmp_path / "runs" / "test" / "history.jsonl").read_text().splitlines()
    before = [json.loads(line) for line in lines]
    resumed = finished(tmp_path)
    assert 1 <= len(before) < len(resumed["history"])
    assert resumed["history"][: len(before)] == before, "the seconds too: these epochs are the old ones"
    assert resumed["history"][-1]["seconds"] > before[-1]["seconds"]


def test_two_processes_learn_what_one_learns_from_the_same_batches(tmp_path: Path):
    """Shares of 17 and 16 digits; the frozen half keeps batch normalisation from seeing half a batch."""
    changes = "{'frozen': True, 'dropout': 0.0, 'head_dropout': 0.0, 'batch_size': 33}"
    alone = finished(tmp_path / "one", changes=changes)
    together = finished(tmp_path / "two", changes=changes, launcher=TWO)
    one, two = ([row["loss"] for row in end["history"]] for end in (alone, together))
    assert two == pytest.approx(one, rel=1e-4)
    assert two[-1] < two[0]
    for name, value in alone["model"].items():
        torch.testing.assert_close(together["model"][name], value, rtol=1e-3, atol=1e-4)
    assert [path.name for path in (tmp_path / "two" / "runs").iterdir()] == ["test"], "one writer"


def test_two_processes_learn_nearly_the_same_with_batch_normalisation(tmp_path: Path, whole: dict):
    """Each normalises by its own half of the batch, and drops features of its own."""
    together = finished(tmp_path, launcher=TWO)
    one, two = ([row["loss"] for row in end["history"]] for end in (whole, together))
    assert two == pytest.approx(one, rel=0.1, abs=0.1)  # of losses that begin above 1
    assert one[0] > 1
    assert two[-1] < 0.8 * two[0]


def test_too_few_digits_for_all_processes_is_a_clear_error_in_each(tmp_path: Path):
    child = started(tmp_path, "{'batch_size': 319}", TWO)
    _, errors = child.communicate(timeout=600)
    assert child.returncode != 0
    assert "cuts 320 digits into batches of which one has 1, fewer than the 2 processes" in errors


def test_train_py_runs_under_torchrun_and_resumes_what_is_finished(tmp_path: Path):
    data = digits(300, 0)
    np.savez(tmp_path / "stripes.npz", images=data.images, labels=data.labels)
    command = [
        sys.executable,
        *TWO,
        "train.py",
        "cnn",
        "--data",
        str(tmp_path / "stripes.npz"),
        "--epochs",
        "1",
        "--drawn",
        "0",
    ]
    command += ["--out", str(tmp_path / "out" / "mine"), "--precision", "float32", "--resume"]
    own = os.environ | {"DIGITSCOPE_RUNS": str(tmp_path / "runs"), "OMP_NUM_THREADS": "1"}
    said = []
    for _ in range(2):
        ended = subprocess.run(command, cwd=ROOT, env=own, capture_output=True, text=True, timeout=600)
        assert ended.returncode == 0, ended.stderr[-2000:]
        said.append(ended.stdout)
        assert sorted(path.name for path in (tmp_path / "out" / "mine").iterdir()) == [
            "card.json",
            "history.jsonl",
            "model.onnx",
            "model.safetensors",
        ]
    assert all(text.count("mine: written") == 1 for text in said), "one process speaks"
    (tmp_path / "out" / "mine" / "notes.txt").write_text("a visitor's")
    refused = subprocess.run(command, cwd=ROOT, env=own, capture_output=True, text=True, timeout=600)
    assert refused.returncode != 0
    assert refused.stderr.count("error: ") == 1
    assert "holds files that are no checkpoint's (notes.txt)" in refused.stderr
