"""What decides a training run, without torch: the command line describes it before torch is loaded."""

import math
from dataclasses import dataclass, field, fields
from typing import Any

from core.errors import TrainingError


@dataclass(frozen=True)
class Range:
    """The numbers from `low` to `high`; as text an interval, `(0, 1]` = above 0, at most 1."""

    low: float
    high: float
    above: bool = False  # whether `low` itself is outside
    below: bool = True  # whether `high` itself is outside

    def __contains__(self, value: float) -> bool:
        reaches = value > self.low if self.above else value >= self.low
        return reaches and (value < self.high if self.below else value <= self.high)

    def __str__(self) -> str:
        high = "∞" if self.high == math.inf else f"{self.high:,}".replace(",", "")
        return f"{'(' if self.above else '['}{self.low}, {high}{')' if self.below else ']'}"


COUNT, POSITIVE, NOT_NEGATIVE = Range(1, math.inf), Range(0, math.inf, above=True), Range(0, math.inf)


def _flag(default: Any, allowed: Range, help_text: str) -> Any:
    return field(default=default, metadata={"help": help_text, "range": allowed})


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """Everything that decides a run. The defaults are the reference recipe of the published CNN.

    Raises:
        TrainingError: a number outside its range, named as the flag of `train.py`.
    """

    architecture: str = field(default="DigitCNN", metadata={"help": "a key of core.models.ARCHITECTURES"})
    epochs: int = _flag(50, COUNT, "passes over the training digits")
    batch_size: int = _flag(64, COUNT, "digits a step")
    learning_rate: float = _flag(3e-3, POSITIVE, "the peak of the one-cycle schedule")
    warm_up: float = _flag(0.1, Range(0, 1, above=True), "share of the steps in which the rate rises")
    weight_decay: float = _flag(1e-4, NOT_NEGATIVE, "AdamW's decoupled weight decay")
    label_smoothing: float = _flag(0.1, Range(0, 1), "share of the target spread over all classes")
    clip_norm: float = _flag(1.0, POSITIVE, "largest norm of the gradient")
    rotation: float = _flag(10.0, Range(0, 180, below=False), "random rotation, ± degrees")
    translation: float = _flag(0.1, Range(0, 1, below=False), "random shift, ± share of the side")
    scale: float = _flag(0.1, Range(0, 1), "random zoom, 1 ± this")
    shear: float = _flag(5.0, Range(0, 90), "random horizontal shear, ± degrees")
    seed: int = _flag(23, Range(0, 2**32), "seed of weights, order and augmentation")

    def __post_init__(self) -> None:
        for flag in fields(self):
            if "range" in flag.metadata:
                _check(flag.name, getattr(self, flag.name), flag.metadata["range"], type(flag.default))


def _check(name: str, value: Any, allowed: Range, kind: type) -> None:
    types = (int,) if kind is int else (int, float)
    if type(value) not in types or not math.isfinite(value) or value not in allowed:
        what = "a whole number" if kind is int else "a number"
        raise TrainingError(f"--{name.replace('_', '-')} is {value!r}; give {what} in {allowed}.")


CONFIGS = {
    "cnn": TrainConfig(),
    "linear": TrainConfig(
        architecture="ThreeSevenLinear",
        epochs=20,
        batch_size=256,
        learning_rate=1e-2,
        weight_decay=0.0,
        label_smoothing=0.0,
        rotation=0.0,
        translation=0.0,
        scale=0.0,
        shear=0.0,
    ),
}
