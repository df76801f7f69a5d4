"""Where in MNIST's test digits each channel of a network is excited most: kept beside the network."""

import json
from dataclasses import dataclass
from pathlib import Path

from core.card import ModelCard, attach, read_card, read_json, read_verified
from core.errors import CheckpointError
from core.paths import CHANNELS, WEIGHTS
from core.predictor import Predictor

SCHEMA_VERSION = 1


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
    return attach(predictor.folder, CHANNELS, content, key=predictor.key)


def read_channels(folder: Path) -> Channels | None:
    """The patches of a checkpoint's very weights; None where none were looked for.

    Raises:
        CheckpointError: the file was changed, is of other weights or of another version of the program.
    """
    if CHANNELS not in read_card(folder).hashes:
        return None
    card, content = read_verified(folder, CHANNELS)
    found = read_json(content, folder / CHANNELS)
    remedy = f"Look again: python -m core channels --model {card.name}"
    known = isinstance(found, dict) and found.get("schema_version") == SCHEMA_VERSION
    if not known or found.get("weights") != card.hashes[WEIGHTS]:
        raise CheckpointError(
            f"{folder / CHANNELS} is of other weights or of another version of this program. {remedy}"
        )
    try:
        patches = {
            name: tuple(tuple(Patch(*row) for row in rows) for rows in all_of)
            for name, all_of in found["patches"].items()
        }
        return Channels(found["weights"], found["dataset"], found["n"], patches)
    except (KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{folder / CHANNELS} holds no patches ({error!r}). {remedy}") from error
