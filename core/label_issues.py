"""The labels of MNIST's test set that people judged wrong or undecidable, and the score without them.

Each was a suspicion of confident learning that five people then voted on: C. Northcutt, A. Athalye,
J. Mueller, "Pervasive Label Errors in Test Sets Destabilize Machine Learning Benchmarks", NeurIPS 2021
Datasets and Benchmarks (arXiv:2103.14749); votes from cleanlab/label-errors, `mturk/mnist_mturk.json`.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Int

from core.errors import DatasetError
from core.evaluation import wilson_interval

VOTERS = 5
Kind = Literal["wrong", "split", "neither"]


@dataclass(frozen=True)
class LabelIssue:
    """A doubtful label and the votes on it.

    Attributes:
        index: place in the data set, from 0.
        given: the data set's label.
        proposed: the other digit that people were asked about.
        votes: how many saw the given digit, the proposed one, neither of the two; together `VOTERS`.
    """

    index: int
    given: int
    proposed: int
    votes: tuple[int, int, int]

    @property
    def kind(self) -> Kind:
        """`wrong`: most saw the proposed digit; `split`: as many saw the one as the other; else `neither`."""
        for_given, for_proposed, _ = self.votes
        if 2 * for_proposed > VOTERS:
            return "wrong"
        return "split" if for_given == for_proposed else "neither"

    @property
    def voted(self) -> int | None:
        """The digit that most people saw; None where there is none."""
        return self.proposed if self.kind == "wrong" else None

    @property
    def accepted(self) -> tuple[int, ...]:
        """The answers that `corrected_score` counts as right."""
        return {"wrong": (self.proposed,), "split": (self.given, self.proposed), "neither": ()}[self.kind]

    @property
    def words(self) -> str:
        """The issue as sentences."""
        readings = (f"read {self.given}", f"read {self.proposed}", "saw neither of the two")
        votes = ", ".join(f"{n} {reading}" for n, reading in zip(self.votes, readings, strict=True) if n)
        verdict = {
            "wrong": "The label is probably wrong.",
            "split": f"Undecided: {self.given} and {self.proposed} are equally good answers.",
            "neither": "It can't be decided.",
        }[self.kind]
        question = f"asked whether it is {self.given} or {self.proposed}"
        return f"Labelled {self.given}. Of {VOTERS} people {question}, {votes}. {verdict}"


MNIST_TEST = (
    LabelIssue(947, 8, 9, (0, 5, 0)),
    LabelIssue(1621, 0, 6, (2, 3, 0)),
    LabelIssue(1901, 9, 4, (2, 3, 0)),
    LabelIssue(2130, 4, 9, (2, 2, 1)),
    LabelIssue(2462, 2, 0, (0, 4, 1)),
    LabelIssue(2597, 5, 3, (0, 4, 1)),
    LabelIssue(2654, 6, 1, (0, 2, 3)),
    LabelIssue(3520, 6, 4, (2, 0, 3)),
    LabelIssue(3558, 5, 0, (1, 4, 0)),
    LabelIssue(5937, 5, 3, (1, 3, 1)),
    LabelIssue(6651, 0, 6, (0, 5, 0)),
    LabelIssue(6783, 1, 6, (2, 3, 0)),
    LabelIssue(8527, 4, 9, (2, 2, 1)),
    LabelIssue(9679, 6, 3, (2, 0, 3)),
    LabelIssue(9729, 5, 6, (2, 3, 0)),
)


@dataclass(frozen=True)
class CorrectedScore:
    """A score against what people see instead of what the labels say.

    Attributes:
        n: digits that count; the undecidable ones don't.
        errors: how many of them were read wrongly.
        left_out: how many digits nobody can decide.
    """

    n: int
    errors: int
    left_out: int

    @property
    def accuracy(self) -> float:
        """Share of right answers in [0, 1]."""
        return 1 - self.errors / self.n

    @property
    def interval_95(self) -> tuple[float, float]:
        """The accuracy's 95 % Wilson interval."""
        return wilson_interval(self.n - self.errors, self.n)


def label_issues(dataset_name: str) -> dict[int, LabelIssue]:
    """The doubtful labels of a data set by index; only those of `mnist-test` are known."""
    return {issue.index: issue for issue in MNIST_TEST} if dataset_name == "mnist-test" else {}


def corrected_score(
    predictions: Int[np.ndarray, " n"],
    labels: Int[np.ndarray, " n"],
    dataset_name: str,
    *,
    indices: Int[np.ndarray, " n"] | None = None,
) -> CorrectedScore:
    """The score with the doubtful labels put right.

    Where most people saw another digit, that one is the right answer; where they were split between
    two, either is; where most saw neither, the digit is left out.

    Args:
        predictions: the digits that were read.
        labels: the data set's labels.
        dataset_name: as in `core.datasets.DATASETS`.
        indices: places in the data set, where the rows are not all of it in order.

    Raises:
        DatasetError: no digit is left, or the labels are not those of the named data set.
    """
    places = np.arange(len(labels)) if indices is None else indices
    right = predictions == labels
    counts = np.ones(len(labels), dtype=bool)
    for issue in label_issues(dataset_name).values():
        for row in np.flatnonzero(places == issue.index):
            if labels[row] != issue.given:
                raise DatasetError(
                    f"Digit {issue.index} of {dataset_name} has the label {issue.given}, here {labels[row]}: "
                    "these are other labels. Give those of the data set, and `indices` for a part of it."
                )
            right[row] = predictions[row] in issue.accepted
            counts[row] = bool(issue.accepted)
    if not counts.any():
        raise DatasetError(f"No digit of {dataset_name} is left to count. Choose more digits.")
    return CorrectedScore(int(counts.sum()), int((~right & counts).sum()), int((~counts).sum()))
