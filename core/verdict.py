"""Whether an answer is to be believed: one verdict from the confidence and the unusualness."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float32

Kind = Literal["digit", "unsure", "not-a-digit"]


@dataclass(frozen=True)
class Verdict:
    """What to make of one answer.

    Attributes:
        kind: `digit`, `unsure` or `not-a-digit`.
        words: the same as a sentence for people, without its full stop.
    """

    kind: Kind
    words: str


def judge(
    probabilities: Float32[np.ndarray, " k"],
    classes: tuple[int, ...],
    unusualness: float,
    *,
    refuse_below: float,
    unusual_above: float,
) -> Verdict:
    """The verdict on one answer; what is unusual is no digit, however sure the model is.

    Args:
        probabilities: one a class, in the order of `classes`.
        classes: the digits that the model knows.
        unusualness: higher = more unusual.
        refuse_below: the least confidence of an answer, in [0, 1].
        unusual_above: the greatest unusualness of a digit.
    """
    if unusualness > unusual_above:
        return Verdict("not-a-digit", "not like any digit it was trained on")
    second, first = probabilities.argsort()[-2:].tolist()
    if probabilities[first] < refuse_below:
        return Verdict("unsure", f"unsure: {classes[first]} or {classes[second]}")
    return Verdict("digit", "looks like a digit")
