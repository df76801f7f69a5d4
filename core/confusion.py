"""Which digits are taken for which: the confusion matrix and the figures that follow from it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int, Int64

from core.errors import DatasetError
from core.evaluation import wilson_interval
from core.wording import percent


@dataclass(frozen=True)
class ClassScore:
    """One digit's figures. A share of nothing is None, never NaN or a 0 that means "undefined".

    Attributes:
        digit: the class.
        support: how many there are in the data set.
        predicted: how many were read as it, rightly or not.
        correct: how many were read as it and are it.
    """

    digit: int
    support: int
    predicted: int
    correct: int

    @property
    def precision(self) -> float | None:
        """Share of those read as this digit that are it; None if none was read as it."""
        return self.correct / self.predicted if self.predicted else None

    @property
    def recall(self) -> float | None:
        """Share of this digit's that were read as it; None if the data set has none."""
        return self.correct / self.support if self.support else None

    @property
    def recall_interval_95(self) -> tuple[float, float] | None:
        """The recall's 95 % Wilson interval; None if the data set has none."""
        return wilson_interval(self.correct, self.support) if self.support else None

    @property
    def f1(self) -> float | None:
        """Harmonic mean of precision and recall: 2·correct / (support + predicted).

        0 if one of the two is 0 or undefined; None if there is none of this digit and none was read.
        """
        total = self.support + self.predicted
        return 2 * self.correct / total if total else None


@dataclass(frozen=True)
class Confused:
    """A digit taken for another: how often, and as a share in (0, 1] of the true digit's."""

    true: int
    read: int
    count: int
    share: float

    @property
    def words(self) -> str:
        """As in `4 read as 9: 4 times, 0.4 % of the 4s`."""
        times = {1: "once", 2: "twice"}.get(self.count, f"{self.count:,} times")
        share = percent(self.share) if self.share >= 0.0005 else "under 0.1 %"
        return f"{self.true} read as {self.read}: {times}, {share} of the {self.true}s"


@dataclass(frozen=True, eq=False)  # arrays have no single answer to ==
class Confusion:
    """A confusion matrix, as counted here, by an evaluation or by a table.

    Attributes:
        matrix: counts, row = true digit, column = read digit.
        classes: the digits, in the order of rows and columns.
    """

    matrix: Int64[np.ndarray, "k k"]
    classes: tuple[int, ...]

    @classmethod
    def of(
        cls, labels: Int[np.ndarray, " n"], predictions: Int[np.ndarray, " n"], classes: Sequence[int]
    ) -> "Confusion":
        """Counts every pair of label and prediction.

        Raises:
            DatasetError: a label or prediction outside `classes`.
        """
        matrix = np.zeros((len(classes), len(classes)), dtype=np.int64)
        cells = _places("Label", labels, classes), _places("Prediction", predictions, classes)
        np.add.at(matrix, cells, 1)
        return cls(matrix, tuple(classes))

    @property
    def n(self) -> int:
        """How many digits were read."""
        return int(self.matrix.sum())

    @property
    def errors(self) -> int:
        """How many of them were read wrongly."""
        return self.n - int(np.trace(self.matrix))

    @property
    def accuracy(self) -> float | None:
        """Share of right answers in [0, 1]; None if there are no digits."""
        return 1 - self.errors / self.n if self.n else None

    @property
    def interval_95(self) -> tuple[float, float] | None:
        """The accuracy's 95 % Wilson interval; None if there are no digits."""
        return wilson_interval(self.n - self.errors, self.n) if self.n else None

    @property
    def per_class(self) -> tuple[ClassScore, ...]:
        """Every digit's figures, in the order of `classes`."""
        supports, predicted = self.matrix.sum(axis=1), self.matrix.sum(axis=0)
        return tuple(
            ClassScore(digit, int(supports[row]), int(predicted[row]), int(self.matrix[row, row]))
            for row, digit in enumerate(self.classes)
        )

    @property
    def shares(self) -> Float64[np.ndarray, "k k"]:
        """The matrix with each row divided by its sum; the row of an absent digit stays 0."""
        sums = self.matrix.sum(axis=1, keepdims=True)
        return np.asarray(self.matrix / np.maximum(1, sums), dtype=np.float64)

    def top(self, n: int = 10) -> list[Confused]:
        """The most frequent confusions, at most `n`: by count, then by true and by read digit."""
        pairs = [
            Confused(self.classes[row], self.classes[column], int(self.matrix[row, column]), float(share))
            for (row, column), share in np.ndenumerate(self.shares)
            if row != column and self.matrix[row, column]
        ]
        return sorted(pairs, key=lambda pair: (-pair.count, pair.true, pair.read))[:n]


def _places(what: str, digits: Int[np.ndarray, " n"], classes: Sequence[int]) -> Int64[np.ndarray, " n"]:
    """Each digit's row or column."""
    odd = np.setdiff1d(digits, classes)
    if len(odd):
        raise DatasetError(
            f"{what} {odd[0]} is outside the classes {tuple(classes)}. Keep only the digits of these classes."
        )
    known = np.array(classes)
    order = known.argsort()
    return order[np.searchsorted(known, digits, sorter=order)]
