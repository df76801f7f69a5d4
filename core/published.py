"""Published weights: PyTorch state dicts of other people's, brought in as checkpoints."""

import pickle
from pathlib import Path
from typing import Any

import torch

from core.card import ModelCard, problem, sha256
from core.checkpoint import MNIST_NORMALISATION, check_target, fit, save
from core.errors import CheckpointError
from core.models import ARCHITECTURES, Network, parameter_count
from core.paths import GRAPH, HISTORY, WEIGHTS


def import_weights(path: Path, folder: Path, *, normalisation: dict[str, float] | None = None) -> ModelCard:
    """Makes a checkpoint of a published PyTorch state dict of one of the architectures.

    Args:
        path: a `.pt` or `.pth` file with a state dict, or with one under `state_dict` or `model`.
        folder: where the checkpoint shall lie.
        normalisation: `mean` and `std` that the weights were trained with; MNIST's by default.

    Raises:
        CheckpointError: no such file, something other than tensors in it, no fitting architecture,
            a folder that can't be written, or an odd normalisation.
    """
    check_target(folder)
    weights = _read_state_dict(path)
    misfits = {name: _misfits(_shapes(kind().state_dict()), weights) for name, kind in ARCHITECTURES.items()}
    architecture = min(misfits, key=lambda name: len(misfits[name]))
    if misfits[architecture]:
        shown = "; ".join(misfits[architecture][:4])
        raise CheckpointError(
            f"{path} fits none of {', '.join(ARCHITECTURES)}; the nearest is {architecture}, but {shown}. "
            "Give a state dict with the names and shapes of one of them."
        )
    model = ARCHITECTURES[architecture]()
    fit(model, weights, path)
    card = _imported_card(path, folder.name, model, normalisation or MNIST_NORMALISATION)
    return save(folder, model.eval(), card, [])


def _imported_card(path: Path, name: str, model: Network, normalisation: dict[str, float]) -> ModelCard:
    card = ModelCard(
        name=name,
        architecture=type(model).__name__,
        classes=model.classes,
        parameters=parameter_count(model),
        normalisation=normalisation,
        source=f"imported from {path.name} (SHA-256 {sha256(path)})",
        split={},
        hyperparameters={},
        training={},
        metrics={},
        hashes=dict.fromkeys((WEIGHTS, GRAPH, HISTORY), ""),
    )
    if found := problem(vars(card)):
        raise CheckpointError(f"{path} can't be imported: {found}. Give --mean and --std as numbers.")
    return card


def _read_state_dict(path: Path) -> dict[str, torch.Tensor]:
    if not path.is_file():
        raise CheckpointError(f"{path}: no such file. Give a PyTorch state dict (.pt or .pth).")
    try:
        content: Any = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError, OSError) as error:
        reason = str(error).split("\n", 1)[0][:200]
        raise CheckpointError(
            f"{path} is not a file of plain tensors ({reason}); code in it is never run. "
            "Save the weights alone: `torch.save(model.state_dict(), …)`."
        ) from error
    for key in ("state_dict", "model"):
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
    if not isinstance(content, dict) or not all(isinstance(v, torch.Tensor) for v in content.values()):
        raise CheckpointError(
            f"{path} holds a {type(content).__name__}, not a state dict of tensors. "
            "Save the weights alone: `torch.save(model.state_dict(), …)`."
        )
    return content


def _shapes(weights: dict[str, torch.Tensor]) -> dict[str, tuple[int, ...]]:
    return {key: tuple(value.shape) for key, value in weights.items()}


def _misfits(expected: dict[str, tuple[int, ...]], weights: dict[str, torch.Tensor]) -> list[str]:
    """In words, one for every name that is missing, unknown or of another shape."""
    found = _shapes(weights)
    return [
        f"{name} is {found.get(name, 'missing')}, not {expected.get(name, 'one of its names')}"
        for name in (*expected, *(found.keys() - expected.keys()))
        if found.get(name) != expected.get(name)
    ]
