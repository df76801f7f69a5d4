"""Published weights come in unchanged, or are refused by name."""

import os
from pathlib import Path

import pytest
import torch

from core import checkpoint
from core.checkpoint import load_model
from core.errors import CheckpointError
from core.models import DigitCNN, ThreeSevenLinear
from core.published import import_weights
from tests.conftest import random_cnn


class Payload:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (os.system, (f"touch {self.path}",))


@pytest.mark.parametrize("std", [0.0, -1.0, float("nan")])
def test_weights_are_not_imported_with_an_odd_normalisation(tmp_path: Path, std: float):
    torch.save(ThreeSevenLinear().state_dict(), tmp_path / "model.pt")
    with pytest.raises(CheckpointError, match=r"normalisation is .*Give --mean and --std"):
        import_weights(tmp_path / "model.pt", tmp_path / "new", normalisation={"mean": 0.1, "std": std})
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("wrapped", [None, "state_dict", "model"])
def test_a_published_state_dict_is_imported_unchanged(tmp_path: Path, wrapped: str | None, monkeypatch):
    exported = []
    monkeypatch.setattr(checkpoint, "_export", lambda m, path: (exported.append(m), path.write_bytes(b"")))
    weights = random_cnn(5).state_dict()
    torch.save({wrapped: weights} if wrapped else weights, tmp_path / "model.pt")
    card = import_weights(tmp_path / "model.pt", tmp_path / "new", normalisation={"mean": 0.5, "std": 0.25})
    model, read = load_model(tmp_path / "new")
    assert isinstance(model, DigitCNN)
    for name, value in weights.items():
        assert torch.equal(value, model.state_dict()[name]), name
    assert card == read
    assert read.normalisation == {"mean": 0.5, "std": 0.25}
    assert read.source.startswith("imported from model.pt (SHA-256 ")
    assert len(exported) == 1


def test_a_pickle_that_runs_code_is_refused_and_not_run(tmp_path: Path):
    trap = tmp_path / "ran"
    torch.save({"weight": Payload(trap)}, tmp_path / "evil.pt")
    with pytest.raises(CheckpointError, match=r"evil\.pt is not a file of plain tensors .*never run"):
        import_weights(tmp_path / "evil.pt", tmp_path / "new")
    assert not trap.exists()
    assert not (tmp_path / "new").exists()
    torch.load(tmp_path / "evil.pt", weights_only=False)
    assert trap.exists(), "the trap must work, or this test proves nothing"


def test_weights_of_another_shape_are_refused_with_their_names(tmp_path: Path):
    weights = random_cnn().state_dict()
    weights["fc_layers.4.weight"] = torch.zeros(47, 128)
    del weights["fc_layers.1.bias"]
    torch.save(weights, tmp_path / "model.pt")
    message = (
        r"model\.pt fits none of DigitCNN, ThreeSevenLinear; the nearest is DigitCNN, but "
        r"fc_layers\.1\.bias is missing, not \(128,\); fc_layers\.4\.weight is \(47, 128\), not \(10, 128\)\."
    )
    with pytest.raises(CheckpointError, match=message):
        import_weights(tmp_path / "model.pt", tmp_path / "new")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (torch.zeros(3), "holds a Tensor, not a state dict"),
        ({"epoch": 3}, "holds a dict, not a state dict of tensors"),
        ({"a": torch.zeros(1)}, r"fits none of .*nearest is ThreeSevenLinear, but linear\.weight is missing"),
        ({}, "fits none of"),
    ],
)
def test_what_is_no_state_dict_is_refused(tmp_path: Path, content: object, message: str):
    torch.save(content, tmp_path / "x.pt")
    with pytest.raises(CheckpointError, match=message):
        import_weights(tmp_path / "x.pt", tmp_path / "new")


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04", b"\x80\x04K\x01."])
def test_a_file_that_torch_cannot_read_is_refused(tmp_path: Path, content: bytes):
    (tmp_path / "x.pt").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"x\.pt (is not a file of plain tensors|holds a int)"):
        import_weights(tmp_path / "x.pt", tmp_path / "new")


def test_a_file_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(CheckpointError, match=r"gone\.pt: no such file"):
        import_weights(tmp_path / "gone.pt", tmp_path / "new")
