"""Where in MNIST's test digits each channel of a network is excited most: kept beside the network."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.card import ModelCard, read_card, read_verified, update_card
from core.checkpoint import load_model
from core.errors import CheckpointError, ExplanationError
from core.labelled import LabelledDigits
from core.paths import CARD, CHANNELS, WEIGHTS
from core.predictor import Predictor

SCHEMA_VERSION = 1
PATCHES = 9  # a channel, each of another digit
PIECE = 250  # digits at a time
# What a place of a block's map sees: px between two places, px along the field's side, and where the first
# field begins (before the picture where padding is seen).
FIELDS = {"block1": (1, 3, -1), "block2": (2, 8, -3), "block3": (4, 18, -7), "block4": (8, 22, -7)}


@dataclass(frozen=True)
class Patch:
    """A place that excites a channel.

    Attributes:
        digit: its place in the data set.
        top, left, bottom, right: what the channel sees of it, px, within the picture.
        activation: of the channel there, ≥ 0.
    """

    digit: int
    top: int
    left: int
    bottom: int
    right: int
    activation: float


@dataclass(frozen=True)
class Channels:
    """The patches of all channels.

    Attributes:
        weights: the SHA-256 of the network's.
        dataset: whose digits were looked at, and `n` of them.
        patches: by block, a tuple a channel, the most exciting first; empty for a channel that never is.
    """

    weights: str
    dataset: str
    n: int
    patches: dict[str, tuple[tuple[Patch, ...], ...]]


def find_patches(
    predictor: Predictor, digits: LabelledDigits, *, progress: Callable[[int, int], None]
) -> Channels:
    """Runs the network over all digits and keeps each channel's strongest places, one a digit.

    Args:
        predictor: of a convolutional network.
        digits: such as `mnist-test`.
        progress: called with (done, total) digits.

    Raises:
        ExplanationError: the model has no convolutional layer.
    """
    if not predictor.layers:
        raise ExplanationError(f"{predictor.card.name} has no convolutional layer; name a CNN.")
    model, _ = load_model(predictor.folder)
    best: dict[str, np.ndarray] = {}
    for start in range(0, len(digits), PIECE):
        images = torch.from_numpy(predictor.normalised(digits.images[start : start + PIECE]))
        for name, found in _strongest(model, images).items():
            found[0] += start
            together = np.concatenate([best[name], found], axis=1) if name in best else found
            order = np.argsort(-together[2], axis=0, kind="stable")[:PATCHES]
            best[name] = np.take_along_axis(together, order[None], axis=1)
        progress(min(start + PIECE, len(digits)), len(digits))
    patches = {
        name: tuple(_patches(name, found[:, :, channel]) for channel in range(found.shape[2]))
        for name, found in best.items()
    }
    return Channels(predictor.key, digits.name, len(digits), patches)


@torch.inference_mode()
def _strongest(model: Any, images: torch.Tensor) -> dict[str, np.ndarray]:
    """By block: (digit, place, activation) × digits × channels, each digit's strongest place."""
    found, handles = {}, []

    def keep(name: str) -> Callable[..., None]:
        def hook(_layer: object, _inputs: object, output: torch.Tensor) -> None:
            values, places = output.flatten(2).max(dim=2)
            rows = torch.arange(len(output))[:, None].expand_as(values)
            found[name] = torch.stack([rows.double(), places.double(), values.double()]).numpy()

        return hook

    for name, layer in model.layers().items():
        handles.append(layer.register_forward_hook(keep(name)))
    model(images)
    for handle in handles:
        handle.remove()
    return found


def _patches(name: str, found: np.ndarray) -> tuple[Patch, ...]:
    step, size, first = FIELDS[name]
    side = 28 // step
    patches = []
    for digit, place, activation in found.T:
        if activation <= 0:
            continue
        row, column = divmod(int(place), side)
        top, left = first + step * row, first + step * column
        patches.append(
            Patch(
                int(digit),
                max(0, top),
                max(0, left),
                min(28, top + size),
                min(28, left + size),
                round(float(activation), 4),
            )
        )
    return tuple(patches)


def keep_channels(predictor: Predictor, channels: Channels) -> ModelCard:
    """Puts the patches into their checkpoint, and their hash into the card, at once.

    Raises:
        CheckpointError: the checkpoint can't be written, or is of other weights by now.
    """
    rows = {
        name: [
            [[p.digit, p.top, p.left, p.bottom, p.right, p.activation] for p in patches] for patches in all_of
        ]
        for name, all_of in channels.patches.items()
    }
    about = {"schema_version": SCHEMA_VERSION, "weights": channels.weights, "dataset": channels.dataset}
    content = json.dumps(about | {"n": channels.n, "patches": rows}, separators=(",", ":")).encode() + b"\n"

    def change(card: ModelCard) -> ModelCard:
        beside = predictor.folder / f".{CARD}.{CHANNELS}"
        beside.write_bytes(content)
        beside.replace(predictor.folder / CHANNELS)
        return replace(card, hashes=card.hashes | {CHANNELS: hashlib.sha256(content).hexdigest()})

    return update_card(predictor.folder, change, key=predictor.key)


def read_channels(folder: Path) -> Channels | None:
    """The patches of a checkpoint's very weights; None where none were looked for.

    Raises:
        CheckpointError: the file was changed, is of other weights or of another version of the program.
    """
    if CHANNELS not in read_card(folder).hashes:
        return None
    card, content = read_verified(folder, CHANNELS)
    found = json.loads(content)
    if found.get("schema_version") != SCHEMA_VERSION or found["weights"] != card.hashes[WEIGHTS]:
        raise CheckpointError(
            f"{folder / CHANNELS} is of other weights or of another version of this program. Look again: "
            f"python -m core channels --model {card.name}"
        )
    patches = {
        name: tuple(tuple(Patch(*row) for row in rows) for rows in all_of)
        for name, all_of in found["patches"].items()
    }
    return Channels(found["weights"], found["dataset"], found["n"], patches)
