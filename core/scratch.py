"""The 3-or-7 model from nothing: forward, loss, gradient and update written out, in NumPy alone.

z = x·w + b, p = 1 / (1 + e^−z): the probability that the digit is a 3. After the public project
ShwetanshSingh/MNISTDigitClassifier-Git, whose loss is `distance` and whose weights start as N(0, 1).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64, UInt8

from core.config import COUNT, LOSSES, POSITIVE, STARTS, Range
from core.errors import TrainingError
from core.labelled import LabelledDigits

CLASSES = (3, 7)
PIXELS = 28 * 28
KNOWING_NOTHING = {"cross-entropy": float(np.log(2)), "distance": 0.5}  # the loss of p = 1/2 for all
# Of the first weights. 1 as published; faint noise is overgrown in a few epochs, and can be seen to be.
DEVIATIONS = {"zero": 0.0, "faint": 0.1, "normal": 1.0}
SURE = 1e-6  # p (1 − p) below this: the sigmoid is flat, and its gradient all but gone

Rows = Float64[np.ndarray, "n 784"]
Column = Float64[np.ndarray, " n"]
Pixels = Float64[np.ndarray, " 784"]
RANGES = {"rate": POSITIVE, "batch": COUNT, "epochs": COUNT, "seed": Range(0, 2**32)}


@dataclass(frozen=True, kw_only=True)
class ScratchConfig:
    """Everything that decides a run, beside its digits.

    Attributes:
        loss: one of `LOSSES`.
        start: one of `STARTS`.
        rate: how far a step goes along the negative gradient.
        batch: digits a step.
        epochs: passes over the training digits.
        seed: of the start and of the order of the digits.

    Raises:
        TrainingError: a value that can't be.
    """

    loss: str = "cross-entropy"
    start: str = "zero"
    rate: float = 1.0
    batch: int = 256
    epochs: int = 20
    seed: int = 23

    def __post_init__(self) -> None:
        for name, allowed in (("loss", LOSSES), ("start", STARTS)):
            if getattr(self, name) not in allowed:
                raise TrainingError(f"{name} is {getattr(self, name)!r}; give one of {', '.join(allowed)}.")
        for name, interval in RANGES.items():
            if getattr(self, name) not in interval or getattr(self, name) == np.inf:
                raise TrainingError(f"{name} is {getattr(self, name)!r}; give a number in {interval}.")


@dataclass(frozen=True, eq=False)
class Weights:
    """The model: a weight a pixel, the pixels in [0, 1], and a bias."""

    w: Pixels
    b: float


@dataclass(frozen=True, eq=False)
class ScratchDigits:
    """3s and 7s to learn from, or to measure with.

    Attributes:
        images: 0 to 255, a digit a row.
        targets: 1 for a 3, 0 for a 7.
    """

    images: UInt8[np.ndarray, "n 784"]
    targets: Column

    def __len__(self) -> int:
        return len(self.targets)

    def rows(self, chosen: Int64[np.ndarray, " m"] | slice) -> Rows:
        """Some of the digits, pixels in [0, 1]."""
        return self.images[chosen] / 255.0


def scratch_digits(data: LabelledDigits) -> ScratchDigits:
    """The 3s and 7s of a data set.

    Raises:
        TrainingError: one of the two is missing.
    """
    known = data.only(CLASSES)
    for digit, other in (CLASSES, CLASSES[::-1]):
        if not (known.labels == digit).any():
            raise TrainingError(
                f"There is no {digit} among the digits: a model that never sees one calls "
                f"everything a {other}. Give it some {digit}s."
            )
    images = np.ascontiguousarray(known.images).reshape(-1, PIXELS)
    return ScratchDigits(images, (known.labels == CLASSES[0]).astype(np.float64))


@dataclass(frozen=True, eq=False)
class EpochState:
    """The model after an epoch; epoch 0 is the start.

    Attributes:
        epoch: how many passes over the training digits lie behind it.
        weights: its 785 numbers.
        loss: mean over the training digits, each measured in the step that used it; at the start,
            of all of them.
        accuracy: likewise, in [0, 1].
        validation_loss: of digits that it does not learn from.
        validation_accuracy: likewise, in [0, 1].
        stuck: the share of those misread whose p (1 − p) is below `SURE`, in [0, 1]; 0 if none is.
    """

    epoch: int
    weights: Weights
    loss: float
    accuracy: float
    validation_loss: float
    validation_accuracy: float
    stuck: float


def started(config: ScratchConfig) -> Weights:
    """The weights before the first step: all zero, or noise."""
    drawn = DEVIATIONS[config.start] * np.random.default_rng(config.seed).standard_normal(PIXELS + 1)
    return Weights(drawn[:-1], float(drawn[-1]))


def forward(x: Rows, weights: Weights) -> Column:
    """z = x·w + b, a logit a digit: above 0 it is read as a 3."""
    z: Column = x @ weights.w + weights.b
    return z


def sigmoid(z: Column) -> Column:
    """p = 1 / (1 + e^−z), in [0, 1], without overflow."""
    small = np.exp(-np.abs(z))
    p: Column = np.where(z >= 0, 1, small) / (1 + small)
    return p


def loss_of(z: Column, y: Column, loss: str) -> Column:
    """What each digit costs: `distance` |y − p| in [0, 1], `cross-entropy` −ln of the probability of y."""
    if loss == "distance":
        cost: Column = np.abs(y - sigmoid(z))
    else:  # −y ln p − (1 − y) ln (1 − p), without overflow
        cost = np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z)))
    return cost


def gradient(x: Rows, y: Column, z: Column, loss: str) -> tuple[Pixels, float]:
    """∂ mean loss / ∂w and / ∂b, by the chain rule: loss → p → z → w, b."""
    p = sigmoid(z)
    # distance: ∂|y − p| / ∂p = 1 − 2y, ∂p / ∂z = p (1 − p); cross-entropy: the p (1 − p) cancels out
    dz = (1 - 2 * y) * p * (1 - p) if loss == "distance" else p - y
    dz = dz / len(y)
    return x.T @ dz, float(dz.sum())


def batches(n: int, config: ScratchConfig, epoch: int) -> list[Int64[np.ndarray, " _"]]:
    """The rows of each batch. Order follows from seed and epoch alone, so any epoch can be done again."""
    order = np.random.default_rng([config.seed, epoch]).permutation(n)
    return [order[start : start + config.batch] for start in range(0, n, config.batch)]


def learn(
    weights: Weights, digits: ScratchDigits, config: ScratchConfig, epoch: int
) -> tuple[Weights, float, float]:
    """One epoch: the new weights, the mean loss and the accuracy of the digits on the way."""
    cost, right = 0.0, 0
    for rows in batches(len(digits), config, epoch):
        x, y = digits.rows(rows), digits.targets[rows]
        z = forward(x, weights)
        cost += float(loss_of(z, y, config.loss).sum())
        right += int(((z > 0) == (y == 1)).sum())
        dw, db = gradient(x, y, z, config.loss)
        weights = Weights(weights.w - config.rate * dw, weights.b - config.rate * db)
    return weights, cost / len(digits), right / len(digits)


def measure(weights: Weights, digits: ScratchDigits, loss: str) -> tuple[Column, Column]:
    """What each digit costs, and its logit."""
    parts = (digits.rows(slice(start, start + 1024)) for start in range(0, len(digits), 1024))
    z = np.concatenate([forward(part, weights) for part in parts])
    return loss_of(z, digits.targets, loss), z


def state(
    epoch: int, weights: Weights, loss: float, accuracy: float, validation: ScratchDigits, kind: str
) -> EpochState:
    """The weights with their figures: the training digits' as given, the others measured here."""
    cost, z = measure(weights, validation, kind)
    p = sigmoid(z)
    right = (z > 0) == (validation.targets == 1)
    flat = p[~right] * (1 - p[~right]) < SURE
    stuck = float(flat.mean()) if len(flat) else 0.0
    return EpochState(epoch, weights, loss, accuracy, float(cost.mean()), float(right.mean()), stuck)


def beginning(
    config: ScratchConfig,
    training: ScratchDigits,
    validation: ScratchDigits,
    *,
    weights: Weights | None = None,
) -> EpochState:
    """Epoch 0: weights that nobody has trained yet, by default those that the configuration starts with."""
    weights = weights or started(config)
    cost, z = measure(weights, training, config.loss)
    right = (z > 0) == (training.targets == 1)
    return state(0, weights, float(cost.mean()), float(right.mean()), validation, config.loss)


def train(
    config: ScratchConfig,
    training: ScratchDigits,
    validation: ScratchDigits,
    *,
    after: EpochState | None = None,
) -> Iterator[EpochState]:
    """Gradient descent, epoch by epoch; whoever takes the states may stop at any.

    Args:
        config: the recipe.
        training: digits to learn from.
        validation: digits to measure with.
        after: goes on from there with the epochs that are left; by default from the start, which
            is then the first state, epoch 0.

    Yields:
        The state after each epoch. Ends early when the weights are no longer finite.
    """
    now = after or beginning(config, training, validation)
    if after is None:
        yield now
    for epoch in range(now.epoch + 1, config.epochs + 1):
        with np.errstate(over="ignore", invalid="ignore"):  # what breaks shows in its loss
            weights, loss, accuracy = learn(now.weights, training, config, epoch)
            now = state(epoch, weights, loss, accuracy, validation, config.loss)
        yield now
        if not np.isfinite(now.validation_loss):
            return
