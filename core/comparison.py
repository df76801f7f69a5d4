"""Two models on the same digits: what the second one mends, what it breaks, and whether that is chance."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int, Int64

from core.errors import DatasetError
from core.wording import percent

LEVEL = 0.05  # below this, chance is called unlikely


@dataclass(frozen=True, eq=False)  # arrays have no single answer to ==
class Comparison:
    """Where two models differ. Digits are named by their place in the arrays that were compared.

    Attributes:
        n: how many digits both read.
        fixed: the first was wrong, the second is right.
        newly_wrong: the first was right, the second is wrong.
        same_mistake: both are wrong, with the same answer.
        other_mistake: both are wrong, with different answers.
    """

    n: int
    fixed: Int64[np.ndarray, " _fixed"]
    newly_wrong: Int64[np.ndarray, " _newly_wrong"]
    same_mistake: Int64[np.ndarray, " _same_mistake"]
    other_mistake: Int64[np.ndarray, " _other_mistake"]

    @property
    def both_wrong(self) -> Int64[np.ndarray, " _both_wrong"]:
        """Digits that neither reads rightly, in ascending order."""
        return np.union1d(self.same_mistake, self.other_mistake)

    @property
    def errors(self) -> tuple[int, int]:
        """How many digits the first and the second read wrongly."""
        shared = len(self.same_mistake) + len(self.other_mistake)
        return shared + len(self.fixed), shared + len(self.newly_wrong)

    @property
    def accuracies(self) -> tuple[float, float]:
        """Shares of right answers of the first and the second, in [0, 1]."""
        first, second = self.errors
        return 1 - first / self.n, 1 - second / self.n

    @property
    def p_value(self) -> float:
        """McNemar's exact test (McNemar 1947), two-sided, in (0, 1].

        Of the digits that only one of the two reads rightly, each goes to either with probability ½
        if the models are equally good: p = P(a split at least this uneven), X ~ Binomial(fixed +
        newly wrong, ½). 1 where there is no such digit.
        """
        if not len(self.fixed) + len(self.newly_wrong):
            return 1.0
        from scipy.stats import binomtest  # a second to import: not on the way to a first page

        return float(binomtest(len(self.fixed), len(self.fixed) + len(self.newly_wrong), 0.5).pvalue)

    def words(self, first: str = "the first model", second: str = "the second model") -> str:
        """The comparison for readers who know no statistics; the arguments are the models' names."""
        (first_accuracy, second_accuracy), (first_errors, second_errors) = self.accuracies, self.errors
        scores = (
            f"Of {_count(self.n, 'digit')}, {first} reads {percent(first_accuracy, 2)} rightly "
            f"({_count(first_errors, 'error')}), {second} {percent(second_accuracy, 2)} "
            f"({_count(second_errors, 'error')})."
        )
        return f"{scores} {self._changes(first, second)} {self._verdict(first, second)}"

    def _changes(self, first: str, second: str) -> str:
        if not len(self.fixed) + len(self.newly_wrong):
            different = len(self.other_mistake)
            answers = f", with different answers for {_count(different, 'digit')}" if different else ""
            return f"Both are wrong on exactly the same digits{answers}."
        return (
            f"Against {first}, {second} fixes {_count(len(self.fixed), 'error')} and makes "
            f"{_count(len(self.newly_wrong), 'new one')}; "
            f"both misread {_count(len(self.both_wrong), 'digit')}."
        )

    def _verdict(self, first: str, second: str) -> str:
        fixed, broken = len(self.fixed), len(self.newly_wrong)
        if not fixed + broken:
            return "Nothing here tells which of the two is better."
        if fixed == broken:
            return "As many digits speak for the one as for the other: neither is shown to be better."
        chance = (
            "If both were equally good, a difference as large would come about in "
            f"{_share(self.p_value)} of such comparisons (McNemar's exact test, {_p(self.p_value)})"
        )
        if self.p_value >= LEVEL:
            return f"{chance}: it may well be chance."
        better = second if fixed > broken else first
        return f"{chance}: chance is an unlikely reason, {better} is better on digits like these."


def compare(
    labels: Int[np.ndarray, " n"], first: Int[np.ndarray, " _first"], second: Int[np.ndarray, " _second"]
) -> Comparison:
    """Compares the predictions of two models on the same digits.

    Args:
        labels: the true digits.
        first: what the first model read, n digits.
        second: what the second model read, in the same order.

    Raises:
        DatasetError: no digits, or arrays of different lengths.
    """
    if not len(labels) == len(first) == len(second) or not len(labels):
        raise DatasetError(
            f"{len(labels)} labels, {len(first)} and {len(second)} predictions can't be compared. "
            "Let both models read the same digits, one at least."
        )
    first_wrong, second_wrong = first != labels, second != labels
    both = first_wrong & second_wrong
    groups = (
        first_wrong & ~second_wrong,
        ~first_wrong & second_wrong,
        both & (first == second),
        both & (first != second),
    )
    return Comparison(len(labels), *(np.flatnonzero(group) for group in groups))


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s" if n else f"no {noun}s"


def _share(p: float) -> str:
    return f"{p * 100:.0f} %" if p >= 0.1 else f"{p * 100:.1f} %" if p >= 0.001 else "fewer than 0.1 %"


def _p(p: float) -> str:
    return f"p = {p:.2g}" if p >= 0.001 else "p < 0.001"
