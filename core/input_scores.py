"""What a model and every detector say of a set of pictures: once, then it is read from the data folder."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float64, Int64, UInt8

from core.array_cache import ArrayCache, cache_key
from core.detector_kinds import FITTED_ON, OWN, SEED, possible
from core.paths import data_folder
from core.predictor import Predictor
from core.readings import read

VERSION = 1  # to be raised when a detector or what is kept changes
KEPT = 96  # files of 100 KB
CHUNK = 500  # pictures between two reports

Progress = Callable[[int, int], None]


@runtime_checkable
class Scorer(Protocol):
    """`core.detectors.Detectors`, which takes torch seconds to import."""

    def score(self, images: UInt8[np.ndarray, "n 28 28"]) -> dict[str, Float64[np.ndarray, " n"]]:
        """Every detector's scores."""


@dataclass(frozen=True, eq=False)
class InputScores:
    """A set as a model and the detectors see it, in the set's order.

    Attributes:
        prediction: the digits that are read.
        confidence: how sure the model is of each, in [0, 1].
        scores: by detector (a key of `core.detector_kinds.KINDS`), higher = more unusual.
    """

    prediction: Int64[np.ndarray, " n"]
    confidence: Float64[np.ndarray, " n"]
    scores: dict[str, Float64[np.ndarray, " n"]]

    def __len__(self) -> int:
        return len(self.prediction)

    def surest(self, most: int, *, at_least: float = 0.0) -> list[int]:
        """The places of the pictures that the model is surest of, the surest first."""
        order = np.argsort(-self.confidence, kind="stable")[:most]
        return order[self.confidence[order] >= at_least].tolist()  # type: ignore[no-any-return]


def score_inputs(
    predictor: Predictor,
    images: UInt8[np.ndarray, "n 28 28"],
    digest: str,
    detectors: Callable[[], Scorer],
    *,
    fitted: bool,
    progress: Progress | None = None,
) -> InputScores:
    """Reads and scores a set, or finds what was kept of it.

    Args:
        predictor: the model.
        images: of the set.
        digest: their SHA-256.
        detectors: makes the model's detectors; called only where something must be scored.
        fitted: whether they are to include those that need training digits.
        progress: called with (done, total) pictures.
    """
    names = possible(predictor, fitted=fitted)
    cache = ArrayCache(data_folder() / "input-scores", limit=KEPT)
    key = f"{cache_key(predictor.key, digest)}-{predictor.fitted}-{len(names)}-{FITTED_ON}-{SEED}-{VERSION}"
    kept = cache.read(key, shape=(len(images), 2 + len(names)))
    if kept is None:
        kept = _scored(predictor, images, detectors(), names, progress)
        cache.write(key, kept)
    columns = np.asarray(kept, dtype=np.float64).T
    return InputScores(columns[0].astype(np.int64), columns[1], dict(zip(names, columns[2:], strict=True)))


def read_inputs(
    predictor: Predictor,
    images: UInt8[np.ndarray, "n 28 28"],
    *,
    progress: Progress | None = None,
) -> InputScores:
    """Reads a set, and scores it by the checkpoint's own detector alone: many times faster than by all.

    Args:
        predictor: the model.
        images: of the set.
        progress: called with (done, total) pictures.
    """
    predictions, confidences, scores = [], [], []
    for start in range(0, len(images), CHUNK):
        part = images[start : start + CHUNK]
        found = read(predictor, part)
        predictions.append(found.prediction)
        confidences.append(found.confidence)
        if found.unusualness is not None:
            scores.append(found.unusualness)
        if progress:
            progress(min(start + CHUNK, len(images)), len(images))
    shipped = {OWN: np.concatenate(scores).astype(np.float64)} if scores else {}
    return InputScores(
        np.concatenate(predictions).astype(np.int64), np.concatenate(confidences).astype(np.float64), shipped
    )


def _scored(
    predictor: Predictor,
    images: UInt8[np.ndarray, "n 28 28"],
    detectors: Scorer,
    names: tuple[str, ...],
    progress: Progress | None,
) -> Float64[np.ndarray, "n columns"]:
    values = np.empty((len(images), 2 + len(names)))
    for start in range(0, len(images), CHUNK):
        part = slice(start, start + CHUNK)
        found, scores = read(predictor, images[part]), detectors.score(images[part])
        columns = [found.prediction, found.confidence, *(scores[name] for name in names)]
        values[part] = np.stack(columns, axis=1)
        if progress:
            progress(min(start + CHUNK, len(images)), len(images))
    return values
