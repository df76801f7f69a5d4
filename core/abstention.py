"""Refusing to answer: how many errors a threshold on the confidence avoids, and how many answers it costs."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64

from core.errors import DatasetError

DECIMALS = 12  # of a threshold at most


@dataclass(frozen=True)
class Costs:
    """What a wrong answer and a refusal cost, in any unit, both finite and above 0.

    Raises:
        DatasetError: they are not.
    """

    error: float = 10.0
    refusal: float = 1.0

    def __post_init__(self) -> None:
        if not all(isfinite(cost) and cost > 0 for cost in (self.error, self.refusal)):
            raise DatasetError(
                f"An error costs {self.error:g} and a refusal {self.refusal:g}; give two numbers above 0."
            )


@dataclass(frozen=True)
class OperatingPoint:
    """What one threshold does: answers less sure than it are refused.

    Attributes:
        threshold: in [0, 1]; an answer that is exactly as sure is given.
        n: how many digits there are.
        answered: how many of them are answered.
        errors: how many of the answers are wrong.
    """

    threshold: float
    n: int
    answered: int
    errors: int

    @property
    def refused(self) -> int:
        """How many digits get no answer."""
        return self.n - self.answered

    @property
    def coverage(self) -> float:
        """The share that is answered, in [0, 1]."""
        return self.answered / self.n

    @property
    def accuracy(self) -> float | None:
        """The share of right ones among the answers, in [0, 1]; None where nothing is answered."""
        return 1 - self.errors / self.answered if self.answered else None

    def cost(self, costs: Costs) -> float:
        """The mean cost of a digit, in the unit of the costs, ≥ 0."""
        return (costs.error * self.errors + costs.refusal * self.refused) / self.n

    @property
    def words(self) -> str:
        """What it buys, in a sentence."""
        plural = "" if self.errors == 1 else "s"
        errors = f"{self.errors:,} error{plural}" if self.errors else "no error"
        if not self.answered:
            return f"Refusing all {self.n:,} digits leaves no answer."
        if not self.refused:
            return f"Refusing none of the digits leaves {errors} in {self.answered:,}."
        share = 100 * self.refused / self.n
        few = "less than 0.1" if share < 0.05 else f"{share:.1f}"
        return f"Refusing {few} % of the digits leaves {errors} in {self.answered:,}."


@dataclass(frozen=True, eq=False)
class RiskCoverage:
    """Every threshold that matters, from refusing nothing on (Geifman & El-Yaniv 2017, arXiv:1705.08500).

    Answers of the same confidence are given or refused together.

    Attributes:
        thresholds: the confidences that occur, rising.
        answered: how many answers are at least as sure as each.
        errors: how many of these are wrong.
        n: how many digits there are.
    """

    thresholds: Float64[np.ndarray, " p"]
    answered: Int64[np.ndarray, " p"]
    errors: Int64[np.ndarray, " p"]
    n: int

    @property
    def coverage(self) -> Float64[np.ndarray, " p"]:
        """The share of the digits that is answered, in (0, 1], falling."""
        return self.answered / self.n

    @property
    def risk(self) -> Float64[np.ndarray, " p"]:
        """The share of errors among the answers, in [0, 1]."""
        return self.errors / self.answered  # type: ignore[no-any-return]

    @property
    def aurc(self) -> float:
        """The area under risk against coverage, in [0, 1]: the mean risk of the 1, 2, …, n surest answers
        (Geifman et al. 2019, arXiv:1805.08206). Of equally sure ones every order counts alike."""
        answered, errors = (np.append(0, each[::-1]) for each in (self.answered, self.errors))
        k = np.arange(1, self.n + 1)
        return float((np.interp(k, answered, errors) / k).mean())

    def at(self, threshold: float) -> OperatingPoint:
        """What a threshold in [0, 1] does."""
        place = int(np.searchsorted(self.thresholds, threshold, side="left"))
        if place == len(self.thresholds):
            return OperatingPoint(threshold, self.n, 0, 0)
        return OperatingPoint(threshold, self.n, int(self.answered[place]), int(self.errors[place]))

    def choices(self) -> tuple[OperatingPoint, ...]:
        """Every threshold that some costs make the cheapest one, rising, from refusing nothing on.

        They are the corners of the lower convex hull of errors against refusals. Between two confidences
        a threshold has as few decimals as fit.
        """
        points = [(0, int(self.errors[0]), 0)]
        points += [
            (self.n - int(self.answered[i]), int(self.errors[i]), i) for i in range(1, len(self.errors))
        ]
        hull: list[tuple[int, int, int]] = []
        for point in points:
            while len(hull) > 1 and not _turns_up(hull[-2], hull[-1], point):
                hull.pop()
            if not hull or point[1] < hull[-1][1]:
                hull.append(point)
        return tuple(self.at(self._between(place)) for _, _, place in hull)

    def _between(self, place: int) -> float:
        if not place:
            return 0.0
        low, high = self.thresholds[place - 1 : place + 1].tolist()
        for decimals in range(1, DECIMALS):
            rounded = round((low + high) / 2, decimals)
            if low < rounded <= high:
                return float(rounded)
        return float(high)


def _turns_up(first: tuple[int, int, int], middle: tuple[int, int, int], last: tuple[int, int, int]) -> bool:
    """Whether a refusal saves fewer errors behind the middle than before it."""
    before = (middle[1] - first[1]) * (last[0] - middle[0])
    behind = (last[1] - middle[1]) * (middle[0] - first[0])
    return before < behind


def risk_coverage(confidence: Float[np.ndarray, " n"], correct: Bool[np.ndarray, " n"]) -> RiskCoverage:
    """What every threshold does.

    Args:
        confidence: of each answer, in [0, 1].
        correct: whether it was right.

    Raises:
        DatasetError: no answers.
    """
    if not len(confidence):
        raise DatasetError("There is no answer to choose a threshold by. Choose a data set with digits.")
    thresholds, block, counts = np.unique(
        confidence.astype(np.float64), return_inverse=True, return_counts=True
    )
    wrong = np.bincount(block, ~correct, len(thresholds)).astype(np.int64)
    answered, errors = (np.cumsum(each[::-1])[::-1] for each in (counts.astype(np.int64), wrong))
    return RiskCoverage(thresholds, answered, errors, len(confidence))


def cheapest(points: Sequence[OperatingPoint], costs: Costs) -> OperatingPoint:
    """The point with the least mean cost; of equal ones the one that refuses least."""
    return min(points, key=lambda point: (point.cost(costs), point.refused))
