"""The model card: what a checkpoint says of itself, and whether its files keep to it."""

import hashlib
import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from core.card_fields import BINARY, LATER, problem
from core.errors import CheckpointError
from core.paths import CARD, DETECTOR, HISTORY, WEIGHTS, locked
from core.plain_files import ARRAYS, TEXT, read_plain

SCHEMA_VERSION = 1


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
        calibration: the `temperature` that the logits are divided by, and what it was fitted on; empty
            before it is fitted.
        verdict: from where on the model refuses to answer, and what that was chosen by; empty before.
        offset: rows at the top, and columns at the left, that the network is not shown (`core.models`).
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
    calibration: dict[str, Any] = field(default_factory=dict)
    verdict: dict[str, Any] = field(default_factory=dict)
    offset: int = 0
    schema_version: int = SCHEMA_VERSION

    @property
    def temperature(self) -> float:
        """What the logits are divided by before the softmax, > 0; 1 before it is fitted."""
        return float(self.calibration.get("temperature", 1.0))

    @property
    def fitted(self) -> str:
        """Eight hexadecimal digits that change with the temperature and the detector."""
        content = json.dumps([self.temperature, self.hashes.get(DETECTOR)])
        return hashlib.sha256(content.encode()).hexdigest()[:8]

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"


def sha256(path: Path) -> str:
    """A file's SHA-256 in hexadecimal digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read_card(folder: Path) -> ModelCard:
    """Reads a checkpoint's card without looking at its other files.

    Raises:
        CheckpointError: no card, not JSON, another schema version, a field missing, unknown or wrong.
    """
    path = folder / CARD
    try:
        content = json.loads(read_plain(path, most=TEXT), parse_constant=_refused)
    except FileNotFoundError:
        raise CheckpointError(
            f"{folder} is no checkpoint: it has no {CARD}. Train one with `python train.py cnn`."
        ) from None
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} can't be read ({error}). Restore the checkpoint.") from error
    version = content.get("schema_version") if isinstance(content, dict) else None
    if version != SCHEMA_VERSION or type(version) is not int:
        raise CheckpointError(
            f"{path} has schema version {version!r}; this program reads {SCHEMA_VERSION}. "
            "Use the program's version that wrote it, or train again."
        )
    expected = {part.name for part in fields(ModelCard)}
    content = {name: {} for name in LATER} | {"offset": 0} | content
    if set(content) != expected:
        odd = ", ".join(sorted(set(content) ^ expected))
        raise CheckpointError(f"{path}: missing or unknown fields: {odd}. Restore the checkpoint.")
    if found := problem(content):
        raise CheckpointError(f"{path}: {found}. Restore the checkpoint.")
    return ModelCard(**{**content, "classes": tuple(content["classes"])})


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} is no number in JSON")


def read_json(content: bytes, path: Path) -> Any:
    """What stands in a file of a checkpoint.

    Raises:
        CheckpointError: it is no JSON.
    """
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} can't be read ({error}). Restore the checkpoint.") from error


def update_card(folder: Path, change: Callable[[ModelCard], ModelCard], *, key: str) -> ModelCard:
    """Writes a checkpoint's card anew, at once or not at all; nobody else writes meanwhile.

    Args:
        folder: the checkpoint's.
        change: what becomes of the card as it is then.
        key: the SHA-256 of the weights that the change is about.

    Raises:
        CheckpointError: no card that can be read, one of other weights, or it can't be written.
    """
    temporary = folder / f".{CARD}.{os.getpid()}"
    try:
        with locked(folder):
            card = read_card(folder)
            if card.hashes[WEIGHTS] != key:
                raise CheckpointError(
                    f"{folder} was replaced while its old weights were measured; nothing was recorded. "
                    "Measure it again."
                )
            card = change(card)
            temporary.write_text(card.to_json(), encoding="utf-8")
            os.replace(temporary, folder / CARD)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise CheckpointError(f"{folder / CARD} can't be written ({error}). Check who owns it.") from error
    return card


def attach(
    folder: Path,
    name: str,
    content: bytes,
    *,
    key: str,
    change: Callable[[ModelCard], ModelCard] = lambda card: card,
) -> ModelCard:
    """Puts a file that was made for a checkpoint into it, and its hash into the card, at once.

    Args:
        folder: the checkpoint's.
        name: of the file.
        content: of the file.
        key: the SHA-256 of the weights that it was made for.
        change: what else becomes of the card.

    Raises:
        CheckpointError: as `update_card`.
    """

    def attached(card: ModelCard) -> ModelCard:
        beside = folder / f".{CARD}.{name}"
        beside.write_bytes(content)
        beside.replace(folder / name)
        return replace(change(card), hashes=card.hashes | {name: hashlib.sha256(content).hexdigest()})

    return update_card(folder, attached, key=key)


def record_metrics(folder: Path, dataset: str, metrics: dict[str, Any], *, key: str) -> ModelCard:
    """Writes what was measured on a data set into a checkpoint's card.

    Args:
        folder: the checkpoint's.
        dataset: its name.
        metrics: what was measured.
        key: the SHA-256 of the weights that were measured.

    Raises:
        CheckpointError: as `update_card`.
    """
    return update_card(
        folder, lambda card: replace(card, metrics={**card.metrics, dataset: metrics}), key=key
    )


def read_verified(folder: Path, name: str) -> tuple[ModelCard, bytes]:
    """A checkpoint's card and one of its files, which belong together.

    The two are read one after the other. Where they don't match, a writer may have put a new
    checkpoint in its place in between: they are read once more when it has finished.

    Raises:
        CheckpointError: as `read_card` and `verified_bytes`.
    """
    try:
        card = read_card(folder)
        return card, verified_bytes(folder, card, name)
    except CheckpointError as error:
        try:
            with locked(folder, reading=True):
                card = read_card(folder)
                return card, verified_bytes(folder, card, name)
        except OSError:  # no lock: nobody has ever written there
            raise error from None


def verified_bytes(folder: Path, card: ModelCard, name: str) -> bytes:
    """A checkpoint's file: the very bytes whose SHA-256 has been compared with the card's.

    Raises:
        CheckpointError: the file is missing or is not the one that the card was written with.
    """
    path = folder / name
    try:
        content = read_plain(path, most=ARRAYS if name in BINARY else TEXT)
    except FileNotFoundError:
        raise CheckpointError(f"{path} is missing. Restore the checkpoint, or train again.") from None
    if hashlib.sha256(content).hexdigest() != card.hashes[name]:
        raise CheckpointError(
            f"{path} is not the file that {CARD} was written with: its SHA-256 differs. "
            "Restore the checkpoint, or train again."
        )
    return content


def read_history(folder: Path) -> list[dict[str, float]]:
    """The training's history, one dictionary an epoch; empty for imported weights.

    Raises:
        CheckpointError: the file is missing or was changed.
    """
    _, content = read_verified(folder, HISTORY)
    epochs = [read_json(line, folder / HISTORY) for line in content.splitlines()]
    if not all(isinstance(epoch, dict) for epoch in epochs):
        raise CheckpointError(f"{folder / HISTORY} has lines that are no epochs. Restore the checkpoint.")
    return epochs
