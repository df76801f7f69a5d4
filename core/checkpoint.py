"""Checkpoints: a folder with weights, an ONNX graph, the model card and the training's history."""

import json
import logging
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save_file
from torch import nn

from core.card import ModelCard, read_verified, sha256
from core.errors import CheckpointError
from core.models import ARCHITECTURES, Network, network_for, parameter_count
from core.paths import (
    CARD,
    GRAPH,
    HISTORY,
    MODEL_CARD,
    WEIGHTS,
    checkpoint_folder,
    recover,
    refuse_foreign,
    replace_checkpoint,
)
from core.plain_files import check_header

MNIST_NORMALISATION = {"mean": 0.1307, "std": 0.3081}
PLAIN_PIXELS = {"mean": 0.0, "std": 1.0}  # in [0, 1] as they are
TRAINED_WITH = {"DigitCNN": MNIST_NORMALISATION, "ThreeSevenLinear": PLAIN_PIXELS}


def check_target(folder: Path) -> None:
    """Whether a checkpoint can be written there: to be asked before the work, not after it.

    Raises:
        CheckpointError: the folder has no name, holds other files, or can't be written.
    """
    if folder.name in ("", ".."):
        raise CheckpointError(f"{str(folder)!r} names no folder of its own. Give the new folder's name.")
    try:
        refuse_foreign(folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _beside(folder):
            pass
    except OSError as error:
        raise _unwritable(folder, error) from error


def _beside(folder: Path) -> tempfile.TemporaryDirectory[str]:
    """On the same file system, so that a rename is enough."""
    return tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-")


def _unwritable(folder: Path, error: OSError) -> CheckpointError:
    return CheckpointError(f"{folder} can't be written ({error}). Free some space, or choose another folder.")


def save(folder: Path, model: Network, card: ModelCard, history: list[dict[str, float]]) -> ModelCard:
    """Writes a checkpoint so that the folder holds either the old one or the whole new one.

    Args:
        folder: where it shall lie; an older checkpoint there is replaced.
        model: on any device; it is left as it is.
        card: its hashes are filled in here.
        history: one dictionary an epoch.

    Returns:
        The card as written.

    Raises:
        CheckpointError: the folder can't be written, or holds anything but a checkpoint.
    """
    check_target(folder)
    try:
        with _beside(folder) as temporary:
            written = Path(temporary) / folder.name
            written.mkdir()
            card = _write(written, model, card, history)
            replace_checkpoint(folder, written)
    except OSError as error:
        raise _unwritable(folder, error) from error
    return card


def publish(source: Path, folder: Path) -> ModelCard:
    """Puts a copy of a checkpoint, under the folder's own name, where an older one may lie.

    Returns:
        The card as written.

    Raises:
        CheckpointError: `source` is no whole checkpoint, or `folder` can't be written.
    """
    check_target(folder)
    card, _ = read_verified(source, WEIGHTS)
    try:
        with _beside(folder) as temporary:
            written = Path(temporary) / folder.name
            shutil.copytree(source, written, ignore=shutil.ignore_patterns(".*", MODEL_CARD))
            card = replace(card, name=folder.name)
            (written / CARD).write_text(card.to_json(), encoding="utf-8")
            _to_disk(written)
            replace_checkpoint(folder, written)
    except OSError as error:
        raise _unwritable(folder, error) from error
    return card


def _write(folder: Path, model: Network, card: ModelCard, history: list[dict[str, float]]) -> ModelCard:
    weights = {key: value.detach().cpu().contiguous() for key, value in model.state_dict().items()}
    save_file(weights, folder / WEIGHTS)
    fresh = network_for(card.architecture, weights, offset=card.offset)
    fresh.load_state_dict(weights)
    _export(fresh.eval(), folder / GRAPH)
    lines = "".join(json.dumps(epoch) + "\n" for epoch in history)
    (folder / HISTORY).write_text(lines, encoding="utf-8")
    hashes = {name: sha256(folder / name) for name in (WEIGHTS, GRAPH, HISTORY)}
    card = replace(card, hashes=hashes)
    (folder / CARD).write_text(card.to_json(), encoding="utf-8")
    _to_disk(folder)
    return card


def _to_disk(folder: Path) -> None:
    """On disk before the name: a power cut leaves no empty files."""
    for file in folder.iterdir():
        file.chmod(0o644)  # safetensors writes for the owner alone, which a server may not be
        with file.open("rb") as handle:
            os.fsync(handle.fileno())


class _Served(nn.Module):
    """The model with everything it serves as its outputs."""

    def __init__(self, model: Network) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return tuple(self.model.outputs(images).values())


def _export(model: Network, path: Path) -> None:
    example = torch.zeros(2, 1, 28, 28)
    with torch.no_grad():
        names = list(model.outputs(example))
    with _quiet_exporter():
        torch.onnx.export(
            _Served(model).eval(),
            (example,),
            path,
            input_names=["images"],
            output_names=names,
            dynamic_shapes={"images": {0: torch.export.Dim("batch")}},
            external_data=False,
            verbose=False,
            dynamo=True,
        )


@contextmanager
def _quiet_exporter() -> Iterator[None]:
    """Without the exporter's notes on its own deprecations."""
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)


def load_model(folder: Path, *, device: str | torch.device = "cpu") -> tuple[Network, ModelCard]:
    """Loads a checkpoint's network in evaluation mode.

    Raises:
        CheckpointError: files missing or changed, or weights that don't fit the architecture or the card.
    """
    recover(folder)
    card, content = read_verified(folder, WEIGHTS)
    path = folder / WEIGHTS
    if card.architecture not in ARCHITECTURES:
        raise CheckpointError(
            f"{folder}: unknown architecture {card.architecture!r}; known are "
            f"{', '.join(ARCHITECTURES)}. Use the program's version that wrote it."
        )
    check_header(content, str(path))
    try:
        weights = load_tensors(content)
    except (SafetensorError, KeyError, ValueError, RuntimeError) as error:  # kinds that torch lacks
        raise CheckpointError(f"{path} holds no tensors ({error}). Restore the checkpoint.") from error
    model = network_for(card.architecture, weights, offset=card.offset)
    fit(model, weights, path)
    if (model.classes, parameter_count(model)) != (card.classes, card.parameters):
        raise CheckpointError(
            f"{folder}: {card.architecture} has {parameter_count(model)} parameters and the classes "
            f"{model.classes}; {CARD} says {card.parameters} and {card.classes}. Restore the checkpoint."
        )
    return model.eval().to(device), card


def load_for_training(name: str, architecture: str) -> tuple[Network, ModelCard]:
    """A checkpoint to go on from, or to learn from.

    Args:
        name: the checkpoint's, or its folder.
        architecture: that it must have.

    Raises:
        CheckpointError: it can't be loaded, has another architecture, or wants its pixels normalised
            otherwise than training does.
    """
    model, card = load_model(checkpoint_folder(name))
    if card.architecture != architecture:
        raise CheckpointError(
            f"{name} is a {card.architecture}, not a {architecture}. Name another checkpoint."
        )
    if card.normalisation != TRAINED_WITH[architecture]:
        raise CheckpointError(
            f"{name} was trained with pixels normalised by {card.normalisation}; training here uses "
            f"{TRAINED_WITH[architecture]}. Name another checkpoint."
        )
    return model, card


def fit(model: Network, weights: dict[str, torch.Tensor], path: Path) -> None:
    """Puts weights into a network.

    Raises:
        CheckpointError: names or shapes that are not the network's, or numbers that are not finite; `path`
            says where they came from.
    """
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise CheckpointError(
            f"{path} does not fit {type(model).__name__}: {_misfit(model, weights)}. Restore the checkpoint."
        ) from error
    if not all(torch.isfinite(value).all() for value in model.state_dict().values()):
        raise CheckpointError(f"{path} holds numbers that are not finite. Give a trained model.")


def _misfit(model: Network, weights: dict[str, torch.Tensor]) -> str:
    """The first tensor that differs; torch tells them all, a line each."""
    wanted, given = (
        {name: tuple(each.shape) for name, each in of.items()} for of in (model.state_dict(), weights)
    )
    for name in (*wanted, *given):
        if name not in given:
            return f"{name} is missing"
        if name not in wanted:
            return f"{type(model).__name__} has no {name[:80]}"
        if given[name] != wanted[name]:
            return f"{name} is {given[name]}, not {wanted[name]}"
    return "its numbers are of another kind"
