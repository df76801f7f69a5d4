"""Other people's weights brought in as checkpoints: PyTorch state dicts, pickled NumPy arrays."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.card import ModelCard, sha256
from core.card_fields import problem
from core.checkpoint import MNIST_NORMALISATION, PLAIN_PIXELS, check_target, fit, save
from core.errors import CheckpointError
from core.models import ARCHITECTURES, Network, parameter_count
from core.paths import GRAPH, HISTORY, WEIGHTS
from core.pickled_arrays import read_arrays

PICKLES = (".pkl", ".pickle")


def import_weights(path: Path, folder: Path, *, normalisation: dict[str, float] | None = None) -> ModelCard:
    """Makes a checkpoint of published weights of one of the architectures.

    Args:
        path: a `.pt` or `.pth` file with a state dict, or with one under `state_dict` or `model`; or a
            `.pkl` or `.pickle` file with the linear model's 784 weights and bias as NumPy arrays.
        folder: where the checkpoint shall lie.
        normalisation: `mean` and `std` that the weights were trained with, or one of them; MNIST's by
            default, and for pickled arrays pixels in [0, 1] as they are.

    Raises:
        CheckpointError: no such file, something other than tensors or arrays in it, no fitting
            architecture, a folder that can't be written, or an odd normalisation.
    """
    check_target(folder)
    pickled = path.suffix.lower() in PICKLES
    usual = PLAIN_PIXELS if pickled else MNIST_NORMALISATION
    weights = _read_pickle(path) if pickled else _read_state_dict(path)
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
    card = _imported_card(path, folder.name, model, usual | (normalisation or {}))
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


def _read_pickle(path: Path) -> dict[str, torch.Tensor]:
    """The linear model's weights under their names, from (784, 1), (784,) or (1, 784) and a bias."""
    arrays = read_arrays(path)
    by_size = {array.size: array for array in arrays}
    if len(arrays) != 2 or set(by_size) != {784, 1}:
        shapes = ", ".join(str(array.shape) for array in arrays[:6]) or "none"
        raise CheckpointError(
            f"{path} holds arrays of the shapes {shapes}. Give 784 weights and the bias of a 3-or-7 model."
        )
    shaped = {"linear.weight": by_size[784].reshape(1, 784), "linear.bias": by_size[1].reshape(1)}
    if not all(np.isfinite(array).all() for array in arrays):
        raise CheckpointError(f"{path} holds numbers that are not finite. Give a trained model.")
    return {name: torch.from_numpy(array.astype(np.float32)) for name, array in shaped.items()}


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
