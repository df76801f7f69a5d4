"""Which digits of an evaluation to look at, and in which order; without any library to load."""

from dataclasses import dataclass
from typing import Any

# What the digits are sorted by: the column, and whether the largest comes first.
ORDERS = {
    "loss": ("loss", True),
    "confidence": ("confidence", True),
    "margin": ("margin", False),
    "unusualness": ("unusualness", True),
    "index": ("index", False),
}

PLACES = "SELECT unnest(?::BIGINT[])"


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Every condition must hold; None sets none.

    Attributes:
        label: the true digit.
        prediction: what the model read.
        right: whether it read rightly.
        low: least confidence, in [0, 1].
        high: most confidence, in [0, 1].
        among: only these places in the data set.
        without: none of these places.
        step: only every so many places.
    """

    label: int | None = None
    prediction: int | None = None
    right: bool | None = None
    low: float = 0.0
    high: float = 1.0
    among: tuple[int, ...] | None = None
    without: tuple[int, ...] = ()
    step: int = 1

    def where(self) -> tuple[str, list[Any]]:
        """The conditions as SQL with placeholders, and their values."""
        conditions: list[tuple[str, Any]] = []
        if self.label is not None:
            conditions.append(("label = ?", self.label))
        if self.prediction is not None:
            conditions.append(("prediction = ?", self.prediction))
        if self.right is not None:
            conditions.append(("(label = prediction) = ?", self.right))
        if self.low > 0:
            conditions.append(("confidence >= ?", self.low))
        if self.high < 1:
            conditions.append(("confidence <= ?", self.high))
        if self.among is not None:
            conditions.append((f'"index" IN ({PLACES})', list(self.among)))
        if self.without:
            conditions.append((f'"index" NOT IN ({PLACES})', list(self.without)))
        if self.step > 1:
            conditions.append(('"index" % ? = 0', self.step))
        text = " AND ".join(condition for condition, _ in conditions) or "TRUE"
        return text, [value for _, value in conditions]
