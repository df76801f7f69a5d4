"""The answers of an evaluation table by how sure they were: before and after the temperature."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from core.abstention import RiskCoverage, risk_coverage
from core.calibration import Calibration, measure, tempered
from core.evaluation import Reliability, bins_of, reliability
from core.table import EvaluationTable


@dataclass(frozen=True, eq=False)
class Answers:
    """Every answer of a table, by place in its data set.

    Attributes:
        index: the places.
        correct: whether each was right.
        confidence: of each, in [0, 1], by stage: `after` as the model answers now, and `before` the
            temperature where that is known.
    """

    index: Int64[np.ndarray, " n"]
    correct: Bool[np.ndarray, " n"]
    confidence: Mapping[str, Float64[np.ndarray, " n"]]

    @property
    def curve(self) -> RiskCoverage:
        """What refusing the least sure answers does, as the model answers now."""
        return risk_coverage(self.confidence["after"], self.correct)

    def reliability(self, stage: str) -> Reliability:
        """Confidence against accuracy at a stage."""
        return reliability(self.confidence[stage], self.correct)

    def in_bin(self, stage: str, number: int) -> list[int]:
        """The places of a bin's digits: the wrong ones first, of each the surest first."""
        here = np.flatnonzero(bins_of(self.confidence[stage]) == number)
        order = np.lexsort((self.index[here], -self.confidence[stage][here], self.correct[here]))
        return self.index[here[order]].tolist()  # type: ignore[no-any-return]

    def sure(self, indices: Sequence[int], stage: str) -> list[float]:
        """How sure the answers at these places were, in [0, 1]."""
        return self.confidence[stage][np.searchsorted(self.index, indices)].tolist()  # type: ignore[no-any-return]

    def beside(self, threshold: float, most: int) -> tuple[list[int], list[int]]:
        """The places of the answers that a threshold refuses last, and of those that it would refuse next.

        Args:
            threshold: in [0, 1].
            most: how many of each at most, the nearest to the threshold first.
        """
        sure = self.confidence["after"]
        order = np.lexsort((self.index, sure))
        place = int(np.searchsorted(sure[order], threshold, side="left"))
        refused, answered = order[max(0, place - most) : place][::-1], order[place : place + most]
        return self.index[refused].tolist(), self.index[answered].tolist()


def answers_of(table: EvaluationTable, temperature: float | None) -> Answers:
    """The answers of a table.

    Args:
        table: of any model.
        temperature: that its probabilities were made with; None where that is not known.
    """
    probabilities = table.probabilities()
    stages = {"after": probabilities.max(axis=1).astype(np.float64)}
    if temperature is not None:
        stages["before"] = tempered(probabilities, temperature).max(axis=1)
    correct = table.column("label") == table.column("prediction")
    return Answers(table.column("index").astype(np.int64), correct, stages)


def calibrations_of(table: EvaluationTable, temperature: float | None) -> dict[str, Calibration]:
    """How well the answers of a table are calibrated, by stage as in `Answers`.

    Args:
        table: of any model.
        temperature: that its probabilities were made with; None where that is not known.
    """
    probabilities = table.probabilities()
    truth = np.searchsorted(table.about.classes, table.column("label"))
    found = {"after": measure(probabilities, truth)}
    if temperature is not None:
        found["before"] = measure(tempered(probabilities, temperature), truth)
    return found
