"""The model card: what a checkpoint says of itself, and whether its files keep to it."""

import hashlib
import json
import os
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from core.errors import CheckpointError

SCHEMA_VERSION = 1
WEIGHTS, GRAPH, HISTORY, CARD = "model.safetensors", "model.onnx", "history.jsonl", "card.json"


@dataclass(frozen=True)
class ModelCard:
    """`card.json`. Everything that a page says of a model stands here, written by the program.

    Attributes:
        name: what to call the model.
        architecture: a key of `core.models.ARCHITECTURES`.
        classes: the digits that the outputs stand for, in their order.
        parameters: how many trainable numbers the model has.
        normalisation: `mean` and `std` that pixels in [0, 1] are normalised with.
        source: where the weights come from (`trained here`, or an imported file).
        split: sizes and seed of the parts of the data.
        hyperparameters: every field of the training's configuration.
        training: seed, epochs, the epoch chosen, seconds, hardware, versions, date.
        metrics: by data set, what `core.evaluation.Evaluation.to_json` gives.
        hashes: SHA-256 of the checkpoint's other files by name.
    """

    name: str
    architecture: str
    classes: tuple[int, ...]
    parameters: int
    normalisation: dict[str, float]
    source: str
    split: dict[str, Any]
    hyperparameters: dict[str, Any]
    training: dict[str, Any]
    metrics: dict[str, Any]
    hashes: dict[str, str]
    schema_version: int = SCHEMA_VERSION

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"


def sha256(path: Path) -> str:
    """A file's SHA-256 in hexadecimal digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read_card(folder: Path) -> ModelCard:
    """Reads a checkpoint's card without looking at its other files.

    Raises:
        CheckpointError: no card, not JSON, another schema version, fields missing or unknown.
    """
    path = folder / CARD
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CheckpointError(
            f"{folder} is no checkpoint: it has no {CARD}. Train one with `python train.py cnn`."
        ) from None
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} can't be read ({error}). Restore the checkpoint.") from error
    if not isinstance(content, dict) or content.get("schema_version") != SCHEMA_VERSION:
        found = content.get("schema_version") if isinstance(content, dict) else None
        raise CheckpointError(
            f"{path} has schema version {found!r}; this program reads {SCHEMA_VERSION}. "
            "Use the program's version that wrote it, or train again."
        )
    expected = {field.name for field in fields(ModelCard)}
    if set(content) != expected:
        odd = ", ".join(sorted(set(content) ^ expected))
        raise CheckpointError(f"{path}: missing or unknown fields: {odd}. Restore the checkpoint.")
    if not isinstance(content["hashes"], dict) or not {WEIGHTS, GRAPH, HISTORY} <= set(content["hashes"]):
        raise CheckpointError(f"{path}: lacks a hash of every file. Restore the checkpoint.")
    return ModelCard(**{**content, "classes": tuple(content["classes"])})


def record_metrics(folder: Path, dataset: str, metrics: dict[str, Any]) -> ModelCard:
    """Writes what was measured on a data set into a checkpoint's card, at once or not at all.

    Raises:
        CheckpointError: no card that can be read, or it can't be written.
    """
    card = read_card(folder)
    card = replace(card, metrics={**card.metrics, dataset: metrics})
    temporary = folder / f".{CARD}.{os.getpid()}"
    try:
        temporary.write_text(card.to_json(), encoding="utf-8")
        os.replace(temporary, folder / CARD)
    except OSError as error:
        raise CheckpointError(f"{folder / CARD} can't be written ({error}). Check who owns it.") from error
    return card


def verified_file(folder: Path, card: ModelCard, name: str) -> Path:
    """The path of a checkpoint's file after its SHA-256 has been compared with the card's.

    Raises:
        CheckpointError: the file is missing or is not the one that the card was written with.
    """
    path = folder / name
    if not path.is_file():
        raise CheckpointError(f"{path} is missing. Restore the checkpoint, or train again.")
    if sha256(path) != card.hashes[name]:
        raise CheckpointError(
            f"{path} is not the file that {CARD} was written with: its SHA-256 differs. "
            "Restore the checkpoint, or train again."
        )
    return path


def read_history(folder: Path) -> list[dict[str, float]]:
    """The training's history, one dictionary an epoch; empty for imported weights.

    Raises:
        CheckpointError: the file is missing or was changed.
    """
    path = verified_file(folder, read_card(folder), HISTORY)
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
