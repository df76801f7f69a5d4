"""Checkpoints: what is written is what is read, nothing half-written counts, nothing is unpickled."""

import hashlib
import json
import logging
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from core import checkpoint
from core.card import read_card
from core.checkpoint import load_model
from core.config import RECIPES
from core.errors import CheckpointError
from core.models import ThreeSevenLinear
from core.paths import CARD, GRAPH, HISTORY, ROOT, WEIGHTS, replace_checkpoint
from core.predictor import Predictor
from core.published import import_weights
from core.release import release_best
from tests.conftest import HISTORY as EPOCHS
from tests.conftest import card_for, random_cnn

# Saves again and again in child processes. The graph is copied, not exported, and the instants round a
# rename are stretched: the change from one checkpoint to the next is what kills and rivals must hit.
SAVES = """
import os, random, shutil, signal, sys, time
from pathlib import Path
import torch
torch.set_num_threads(1)
from core import checkpoint
from core.predictor import Predictor

folder, graph = Path(sys.argv[2]), Path(sys.argv[2], "model.onnx").read_bytes()
checkpoint._export = lambda model, path: path.write_bytes(graph)
rename = Path.rename

def slowly(self, target):
    time.sleep(0.005)
    rename(self, target)
    time.sleep(0.005)

Path.rename = slowly
model, card = checkpoint.load_model(folder)

def child(saves):
    pid = os.fork()
    if pid == 0:
        try:
            for number in range(saves):
                checkpoint.save(folder, model, card, [{"epoch": number}])
            os._exit(0)
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
    return pid

if sys.argv[1] == "kill":
    random.seed(0)
    for _ in range(12):
        pid = child(10**6)
        time.sleep(random.uniform(0.02, 0.15))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        Predictor.load(folder) if random.random() < 0.5 else checkpoint.load_model(folder)
        Predictor.load(folder), checkpoint.load_model(folder)
else:
    pids = [child(12) for _ in range(3)]
    assert [os.waitpid(pid, 0)[1] for pid in pids] == [0, 0, 0]
    Predictor.load(folder), checkpoint.load_model(folder)
print("whole")
"""


@pytest.fixture
def copy(cnn_folder: Path, tmp_path: Path) -> Path:
    return shutil.copytree(cnn_folder, tmp_path / "cnn")


def test_weights_and_history_come_back_as_they_were(cnn_folder: Path):
    model, card = load_model(cnn_folder)
    for name, value in random_cnn().state_dict().items():
        assert torch.equal(value, model.state_dict()[name]), name
    assert not model.training
    assert card.architecture == "DigitCNN"
    assert sorted(path.name for path in cnn_folder.iterdir()) == sorted([WEIGHTS, GRAPH, HISTORY, CARD])
    assert [json.loads(line) for line in (cnn_folder / HISTORY).read_text().splitlines()] == EPOCHS


def test_the_linear_model_comes_back_too(linear_folder: Path):
    model, card = load_model(linear_folder)
    torch.manual_seed(1)
    assert torch.equal(model.linear.weight, ThreeSevenLinear().linear.weight)
    assert (card.classes, card.parameters) == ((3, 7), 785)


@pytest.mark.parametrize("kind", ["cnn", "linear"])
def test_the_graph_serves_what_the_network_serves(request: pytest.FixtureRequest, kind: str):
    folder = request.getfixturevalue(f"{kind}_folder")
    model, _ = load_model(folder)
    session = onnxruntime.InferenceSession(folder / GRAPH, providers=["CPUExecutionProvider"])
    images = torch.randn(5, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = model.outputs(images)
    names = [output.name for output in session.get_outputs()]
    assert names == list(expected)
    for name, found in zip(names, session.run(names, {"images": images.numpy()}), strict=True):
        assert np.abs(found - expected[name].numpy()).max() < 1e-4


def test_the_graph_is_whole_in_one_file_and_takes_any_batch(cnn_folder: Path):
    graph = onnx.load(cnn_folder / GRAPH, load_external_data=False)
    assert not any(tensor.external_data for tensor in graph.graph.initializer)
    assert graph.graph.input[0].type.tensor_type.shape.dim[0].dim_param


def test_saving_leaves_the_model_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(checkpoint, "_export", lambda _model, path: path.write_bytes(b""))
    model = random_cnn().train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    checkpoint.save(tmp_path / "new", model, card_for(model, "new"), [])
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_nothing_but_the_checkpoint_stays_after_a_save_and_the_old_one_survives_a_failure(
    copy: Path, monkeypatch: pytest.MonkeyPatch
):
    def fail(_model: object, _path: Path) -> None:
        raise KeyboardInterrupt

    before = {path.name: path.read_bytes() for path in copy.iterdir()}
    monkeypatch.setattr(checkpoint, "_export", fail)
    with pytest.raises(KeyboardInterrupt):
        checkpoint.save(copy, random_cnn(7), read_card(copy), [])
    assert {path.name: path.read_bytes() for path in copy.iterdir()} == before
    assert [path.name for path in copy.parent.iterdir()] == ["cnn"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CheckpointError, match=r"file/cnn can't be written .*choose another folder"):
        checkpoint.save(tmp_path / "file" / "cnn", random_cnn(), card_for(random_cnn(), "cnn"), [])


@pytest.mark.parametrize("held", ["letters.txt", "model.onnx/x", "sub/card.json", ".git"])
def test_a_folder_of_anything_else_is_never_replaced(tmp_path: Path, held: str, monkeypatch):
    monkeypatch.setattr(checkpoint, "_export", lambda *_: pytest.fail("worked before it looked"))
    folder, written = tmp_path / "mine", tmp_path / "new"
    (folder / held).parent.mkdir(parents=True)
    (folder / held).write_text("years of work")
    (folder / WEIGHTS).write_text("weights")
    written.mkdir()
    name = held.partition("/")[0]
    for write in (
        lambda: checkpoint.save(folder, random_cnn(), card_for(random_cnn(), "mine"), []),
        lambda: checkpoint.check_target(folder),
        lambda: import_weights(tmp_path / "gone.pt", folder),
        lambda: release_best(RECIPES["cnn"]["plain"], folder, recipe="plain"),
        lambda: replace_checkpoint(folder, written),
    ):
        with pytest.raises(CheckpointError, match=rf"mine holds files that are no checkpoint's \({name}\)"):
            write()
        assert (folder / held).read_text() == "years of work"


def test_a_file_or_a_nameless_folder_is_no_target(tmp_path: Path, monkeypatch):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(CheckpointError, match=r"file is a file; .*Choose a new folder"):
        checkpoint.check_target(tmp_path / "file")
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    for nameless in (Path(), Path("/"), Path("..")):
        with pytest.raises(CheckpointError, match="names no folder of its own"):
            checkpoint.check_target(nameless)


def test_a_checkpoint_an_empty_and_a_new_folder_are_targets(copy: Path, tmp_path: Path):
    (tmp_path / "empty").mkdir()
    (copy / ".card.json.17").write_text("left by a process that was killed")
    for folder in (copy, tmp_path / "empty", tmp_path / "far" / "new"):
        checkpoint.check_target(folder)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cnn", "empty", "far"]


def test_exporting_leaves_the_exporters_log_as_it_was(tmp_path: Path):
    log = logging.getLogger("torch.onnx")
    before = log.level
    log.setLevel(logging.INFO)
    try:
        checkpoint._export(ThreeSevenLinear().eval(), tmp_path / GRAPH)
        assert log.level == logging.INFO
    finally:
        log.setLevel(before)


@pytest.mark.parametrize("what", ["kill", "race"])
def test_killed_or_racing_saves_leave_a_whole_checkpoint(copy: Path, what: str):
    command = [sys.executable, "-c", SAVES, what, str(copy)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert (result.returncode, result.stdout) == (0, "whole\n"), result.stderr
    assert json.loads((copy / HISTORY).read_text())["epoch"] >= 0  # something was saved at all


def test_a_kill_between_the_two_renames_is_repaired_by_whoever_looks_first(copy: Path, monkeypatch):
    monkeypatch.setenv("DIGITSCOPE_CHECKPOINTS", str(copy.parent))
    for look in (Predictor.load, load_model, lambda folder: Predictor.load(folder.name)):
        copy.rename(copy.with_name(".cnn.replaced"))
        look(copy)
        assert (copy / CARD).is_file()


@pytest.mark.parametrize("name", [WEIGHTS, GRAPH, HISTORY])
def test_a_changed_byte_is_refused_by_the_files_name(copy: Path, name: str):
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(content)
    load = {WEIGHTS: load_model, GRAPH: Predictor.load, HISTORY: checkpoint_history}[name]
    with pytest.raises(CheckpointError, match=rf"{name} is not the file that card\.json .*SHA-256 differs"):
        load(copy)


@pytest.mark.parametrize("name", [WEIGHTS, GRAPH, HISTORY])
def test_a_missing_file_is_named(copy: Path, name: str):
    (copy / name).unlink()
    load = {WEIGHTS: load_model, GRAPH: Predictor.load, HISTORY: checkpoint_history}[name]
    with pytest.raises(CheckpointError, match=rf"{name} is missing\. Restore the checkpoint"):
        load(copy)


def checkpoint_history(folder: Path) -> object:
    from core.card import read_history

    return read_history(folder)


def rewrite(folder: Path, **changes: object) -> None:
    content = asdict(read_card(folder)) | changes
    (folder / CARD).write_text(json.dumps(content))


MISFIT = r"model\.safetensors does not fit ThreeSevenLinear: \S+weight is missing\. Restore the checkpoint\.$"


def test_weights_of_another_architecture_are_refused(copy: Path):
    rewrite(copy, architecture="ThreeSevenLinear")
    with pytest.raises(CheckpointError, match=MISFIT):
        load_model(copy)


def test_an_unknown_architecture_is_refused(copy: Path):
    rewrite(copy, architecture="ResNet")
    with pytest.raises(CheckpointError, match=r"unknown architecture 'ResNet'; known are DigitCNN, Three"):
        load_model(copy)


@pytest.mark.parametrize("change", [{"classes": [0, 1, 2]}, {"parameters": 5}])
def test_a_card_that_says_another_network_is_refused(copy: Path, change: dict[str, object]):
    rewrite(copy, **change)
    with pytest.raises(CheckpointError, match=r"DigitCNN has 160842 parameters and the cl.*card\.json says"):
        load_model(copy)


@pytest.mark.parametrize("classes", [[3, 7], [0, 1, 2]])
def test_a_graph_of_other_classes_is_refused(copy: Path, classes: list[int]):
    rewrite(copy, classes=classes)
    width = 1 if len(classes) == 2 else 3
    with pytest.raises(CheckpointError, match=rf"card\.json need logits \(batch, {width}\)"):
        Predictor.load(copy)


@pytest.mark.parametrize(("name", "load"), [(GRAPH, Predictor.load), (WEIGHTS, load_model)])
def test_a_file_of_nonsense_with_its_right_hash_is_refused(copy: Path, name: str, load):
    (copy / name).write_bytes(b"nonsense")
    rewrite(copy, hashes=read_card(copy).hashes | {name: hashlib.sha256(b"nonsense").hexdigest()})
    with pytest.raises(CheckpointError, match=rf"{name} (can't be loaded|holds no tensors)"):
        load(copy)
