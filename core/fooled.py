"""Pictures that are no digits, and how sure a model is of them: what it takes to be fooled, and to notice."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from core.inputs import InputSet
from core.predictor import Predictor
from core.readings import Readings, read

SURE = 0.99


@dataclass(frozen=True, eq=False)
class Fooled:
    """A model on a set of inputs that are no digits.

    Attributes:
        inputs: the pictures.
        readings: what they are read as.
        noticed: whether the verdict on each is "not like any digit"; None for a model without one.
    """

    inputs: InputSet
    readings: Readings
    noticed: Bool[np.ndarray, " n"] | None

    @property
    def sure(self) -> float:
        """The share that is read with 99 % confidence or more, in [0, 1]."""
        return float((self.readings.confidence >= SURE).mean())

    def surest(self, k: int) -> list[int]:
        """The places of the pictures that it is surest of; equal ones by place."""
        return np.argsort(-self.readings.confidence, kind="stable")[:k].tolist()  # type: ignore[no-any-return]


def fooled_by(predictor: Predictor, inputs: InputSet) -> Fooled:
    """Reads a set, with the verdict that every answer of the model carries."""
    readings, limit = read(predictor, inputs.images), predictor.card.verdict.get("unusual_above")
    scores = readings.unusualness
    return Fooled(inputs, readings, None if scores is None or limit is None else scores > limit)
