"""What was measured of the attribution methods with one network: kept beside it, and only with it."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from core.card import ModelCard, attach, read_card, read_json, read_verified
from core.errors import CheckpointError
from core.paths import STUDY, WEIGHTS
from core.predictor import Predictor

SCHEMA_VERSION = 1
# Which way a figure is better, and what it is.
FIGURES = {
    "deletion": ("Deletion", "lower"),
    "insertion": ("Insertion", "higher"),
    "infidelity": ("Infidelity", "lower"),
    "ink": ("On ink", "higher"),
    "sensitivity": ("Sensitivity", "lower"),
}
FAITHFUL = ("deletion", "insertion", "infidelity")  # those that the ranking goes by
CONTROLS = {"edges": "Edge detector", "random": "Random map"}
KEPT = 2  # how it is measured: raised when a method or a figure changes
SURVIVES = 0.5  # a rank correlation from which on a map counts as unchanged


@dataclass(frozen=True)
class Span:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class MethodStudy:
    """One method.

    Attributes:
        figures: by name of `FIGURES`.
        likeness: rank correlation with the map of the network destroyed up to each stage, in [−1, 1].
        rank: among the methods and controls, 1 = best, by the mean rank over `FAITHFUL`.
        ranks: by each of `FAITHFUL` alone.
    """

    figures: dict[str, Span]
    likeness: tuple[Span, ...]
    rank: Span
    ranks: dict[str, Span]

    @property
    def passes(self) -> bool:
        """Whether the map depends on what was learned: with all weights destroyed, surely less than
        `SURVIVES` of its order is left."""
        return self.likeness[-1].high < SURVIVES


@dataclass(frozen=True)
class Study:
    """All methods.

    Attributes:
        weights: the SHA-256 of the weights that were explained.
        dataset: the split.
        n: digits; `few` of them for sensitivity and destroyed weights.
        stages: what was destroyed, one on top of the other.
        methods: by name, controls included.
        about: seed, settings, how it was measured (`KEPT`), the temperature of the probabilities, seconds,
            hardware, versions, date.
        boundary: by digit, what it is read as and the size of the smallest change found.
    """

    weights: str
    dataset: str
    n: int
    few: int
    stages: tuple[str, ...]
    methods: dict[str, MethodStudy]
    about: dict[str, Any]
    schema_version: int = SCHEMA_VERSION
    boundary: dict[str, list[float]] = field(default_factory=dict)

    @property
    def outdated(self) -> bool:
        """Whether a method or a figure has changed since it was made."""
        return bool(self.about.get("measured_as") != KEPT)

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n"


def keep_study(predictor: Predictor, study: Study) -> ModelCard:
    """Puts a study into the checkpoint it is of, and its hash into the card, at once.

    Raises:
        CheckpointError: the checkpoint can't be written, or is of other weights by now.
    """
    content = study.to_json().encode()
    return attach(predictor.folder, STUDY, content, key=predictor.key)


def read_study(folder: Path) -> Study | None:
    """The study of a checkpoint's very weights; None where none was made.

    Raises:
        CheckpointError: the file was changed, is of other weights or of another version of the program.
    """
    if STUDY not in read_card(folder).hashes:
        return None
    card, content = read_verified(folder, STUDY)
    found = read_json(content, folder / STUDY)
    remedy = f"Measure again: python -m core faithfulness --model {card.name}"
    if not isinstance(found, dict) or found.get("schema_version") != SCHEMA_VERSION:
        raise CheckpointError(f"{folder / STUDY} is of another version of this program. {remedy}")
    if found.get("weights") != card.hashes[WEIGHTS]:
        raise CheckpointError(f"{folder / STUDY} was measured with other weights. {remedy}")
    try:
        methods = {name: _method(each) for name, each in found["methods"].items()}
        return Study(**found | {"methods": methods, "stages": tuple(found["stages"])})
    except (KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{folder / STUDY} holds no study ({error!r}). {remedy}") from error


def _method(content: dict[str, Any]) -> MethodStudy:
    return MethodStudy(
        {name: Span(**span) for name, span in content["figures"].items()},
        tuple(Span(**span) for span in content["likeness"]),
        Span(**content["rank"]),
        {name: Span(**span) for name, span in content["ranks"].items()},
    )
