"""Training killed at a random moment and resumed ends as if nothing had been; and two train as one."""

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from core.paths import ROOT

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
config = replace(RECIPES["cnn"]["plain"], epochs=4, batch_size=32, precision="float32", **changes)
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
    assert child.returncode == 0, errors[-2000:]
    return torch.load(folder / "end.pt", weights_only=True)


def killed(folder: Path, *, wait: float, after: str = "") -> None:
    """Starts the same training and kills it so long after its first step, or after a file of it appeared."""
    child = started(folder)
    child.stdout.readline()
    while after and not (folder / "runs" / "test" / after).exists():
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
    """Their shares make up the same batches; batch normalisation alone sees half of each."""
    still = "{'dropout': 0.0, 'head_dropout': 0.0}"
    alone = finished(tmp_path / "one", changes=still)
    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    together = finished(tmp_path / "two", changes=still, launcher=launcher)
    one, two = ([row["loss"] for row in end["history"]] for end in (alone, together))
    assert two == pytest.approx(one, rel=0.1)
    assert two != one
    assert two[-1] < 0.8 * two[0]
    assert [p.name for p in (tmp_path / "two" / "runs").iterdir()] == ["test"]
