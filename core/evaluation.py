"""How good: accuracy, confusion matrix, per class, calibration; counted from probabilities."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Float32, Float64, Int64

from core.errors import DatasetError

RELIABILITY_BINS = 15
Z_95 = 1.959963984540054  # the normal distribution's 97.5 % quantile


@dataclass(frozen=True, eq=False)
class Reliability:
    """Confidence against accuracy in equal-width bins (Guo et al. 2017, arXiv:1706.04599).

    Bin b of B holds the predictions with confidence in (b/B, (b+1)/B]; the means of an empty
    bin are 0 and carry no weight.
    """

    counts: Int64[np.ndarray, " bins"]
    confidence: Float64[np.ndarray, " bins"]
    accuracy: Float64[np.ndarray, " bins"]

    @property
    def ece(self) -> float:
        """Expected calibration error in [0, 1]: Σ counts/n · |accuracy − confidence|."""
        gaps = np.abs(self.accuracy - self.confidence)
        return float((self.counts * gaps).sum() / max(1, self.counts.sum()))


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A model on a labelled data set.

    Attributes:
        classes: the digits, in the order of the matrix.
        confusion: counts, row = true digit, column = predicted digit.
        reliability: confidence against accuracy.
    """

    classes: tuple[int, ...]
    confusion: Int64[np.ndarray, "k k"]
    reliability: Reliability

    @property
    def n(self) -> int:
        """How many digits were read."""
        return int(self.confusion.sum())

    @property
    def errors(self) -> int:
        """How many of them were read wrongly."""
        return self.n - int(np.trace(self.confusion))

    @property
    def accuracy(self) -> float:
        """Share of correct predictions in [0, 1]."""
        return 1 - self.errors / self.n

    @property
    def per_class(self) -> dict[str, dict[str, int]]:
        """By true digit: how many there are, and how many were read wrongly."""
        totals = self.confusion.sum(axis=1)
        return {
            str(digit): {"n": int(total), "errors": int(total - self.confusion[row, row])}
            for row, (digit, total) in enumerate(zip(self.classes, totals, strict=True))
        }

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary for the model card and the command line."""
        return {
            "n": self.n,
            "accuracy": self.accuracy,
            "errors": self.errors,
            "interval_95": list(wilson_interval(self.n - self.errors, self.n)),
            "per_class": self.per_class,
            "interval_95_per_class": {
                digit: list(wilson_interval(counts["n"] - counts["errors"], counts["n"]))
                for digit, counts in self.per_class.items()
            },
            "ece": self.reliability.ece,
            "confusion": self.confusion.tolist(),
            "reliability": {
                "counts": self.reliability.counts.tolist(),
                "confidence": self.reliability.confidence.tolist(),
                "accuracy": self.reliability.accuracy.tolist(),
            },
        }


def evaluate(
    probabilities: Float32[np.ndarray, "n k"],
    labels: Int64[np.ndarray, " n"],
    classes: tuple[int, ...],
) -> Evaluation:
    """Compares predictions with labels.

    Args:
        probabilities: rows sum to 1, columns in the order of `classes`.
        labels: digits, each one of `classes`.

    Raises:
        DatasetError: no rows, or a label outside `classes`.
    """
    if not len(labels):
        raise DatasetError(
            f"The data set has no digit of the model's classes {classes}. Choose another data set."
        )
    if not np.isin(labels, classes).all():
        odd = np.setdiff1d(labels, classes)[0]
        raise DatasetError(f"Label {odd} is outside the classes {classes}; use `data.only(classes)`.")
    rows = np.searchsorted(classes, labels)
    columns = probabilities.argmax(axis=1)
    confusion = np.zeros((len(classes), len(classes)), dtype=np.int64)
    np.add.at(confusion, (rows, columns), 1)
    found = reliability(probabilities.max(axis=1), rows == columns)
    return Evaluation(tuple(classes), confusion, found)


def evaluate_parts(folder: Path, classes: tuple[int, ...]) -> Evaluation:
    """The same from the Parquet parts of an evaluation table, of which few rows are in memory at a time.

    Args:
        folder: where `part-*.parquet` lie, with columns `label` and `probabilities`.
        classes: in the order of the probabilities.

    Raises:
        DatasetError: no rows.
    """
    from pyarrow import parquet

    whole: Evaluation | None = None
    for part in sorted(folder.glob("part-*.parquet")):
        with parquet.ParquetFile(part) as file:
            for rows in file.iter_batches(columns=["label", "probabilities"]):
                flat = rows["probabilities"].flatten().to_numpy()
                labels = rows["label"].to_numpy().astype(np.int64)
                found = evaluate(flat.reshape(len(labels), -1), labels, classes)
                whole = found if whole is None else _together(whole, found)
    if whole is None:
        raise DatasetError(f"{folder} holds no rows of an evaluation. Evaluate again.")
    return whole


def _together(one: Evaluation, other: Evaluation) -> Evaluation:
    a, b = one.reliability, other.reliability
    counts = a.counts + b.counts
    confidence, accuracy = (
        (x * a.counts + y * b.counts) / np.maximum(counts, 1)
        for x, y in ((a.confidence, b.confidence), (a.accuracy, b.accuracy))
    )
    confusion = one.confusion + other.confusion
    return Evaluation(one.classes, confusion, Reliability(counts, confidence, accuracy))


def bins_of(confidence: Float[np.ndarray, " n"]) -> Int64[np.ndarray, " n"]:
    """The bin of each confidence, 0 to 14: bin b is (b/15, (b+1)/15], and 0 belongs to the first."""
    bins = np.ceil(confidence.astype(np.float64) * RELIABILITY_BINS).astype(np.int64) - 1
    return bins.clip(0, RELIABILITY_BINS - 1)


def reliability(confidence: Float[np.ndarray, " n"], correct: Bool[np.ndarray, " n"]) -> Reliability:
    """Confidence against accuracy.

    Args:
        confidence: of each answer, in [0, 1].
        correct: whether it was right.
    """
    bins = bins_of(confidence)
    counts = np.bincount(bins, minlength=RELIABILITY_BINS)

    def means(values: np.ndarray) -> np.ndarray:
        return np.bincount(bins, values, RELIABILITY_BINS) / np.maximum(counts, 1)

    return Reliability(counts, means(confidence.astype(np.float64)), means(correct.astype(np.float64)))


def wilson_interval(correct: int, n: int) -> tuple[float, float]:
    """The 95 % Wilson score interval of a proportion (Wilson 1927), as shares in [0, 1].

    Of nothing it is the whole range: a data set may lack a digit.
    """
    if n == 0:
        return 0.0, 1.0
    share, square = correct / n, Z_95**2
    middle = (2 * n * share + square) / (2 * (n + square))
    half = Z_95 * math.sqrt(square + 4 * n * share * (1 - share)) / (2 * (n + square))
    return (middle - half if correct else 0.0), (middle + half if correct < n else 1.0)
