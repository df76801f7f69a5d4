"""One digit through the linear model, step by step: pixels × weights, summed, squashed."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float64, UInt8
from safetensors.numpy import load

from core.card import read_verified
from core.errors import CheckpointError
from core.paths import WEIGHTS
from core.scratch import CLASSES, PIXELS, Weights, sigmoid

ARCHITECTURE = "ThreeSevenLinear"

Square = Float64[np.ndarray, "28 28"]


@dataclass(frozen=True, eq=False)
class OneDigit:
    """The whole calculation.

    Attributes:
        pixels: in [0, 1].
        weights: one a pixel.
        contributions: pixels × weights.
        total: their sum.
        bias: what is added whatever the digit.
        logit: total + bias; above 0 it is read as a 3.
        temperature: what the logit is divided by before the sigmoid; 1 where nothing was fitted.
        probability: of a 3, sigmoid(logit / temperature), in [0, 1].
    """

    pixels: Square
    weights: Square
    contributions: Square
    total: float
    bias: float
    logit: float
    temperature: float
    probability: float

    @property
    def tempered(self) -> float:
        """What the sigmoid is given: logit / temperature."""
        return self.logit / self.temperature

    @property
    def digit(self) -> int:
        """What it is read as."""
        return CLASSES[0] if self.logit > 0 else CLASSES[1]

    @property
    def confidence(self) -> float:
        """The probability of that digit, in [0.5, 1]."""
        return max(self.probability, 1 - self.probability)


def step_by_step(
    pixels: UInt8[np.ndarray, "28 28"], weights: Weights, *, temperature: float = 1.0
) -> OneDigit:
    """Reads a digit and keeps every number on the way.

    Args:
        pixels: in MNIST's convention.
        weights: of pixels in [0, 1].
        temperature: of the model's calibration (Guo and others 2017, arXiv:1706.04599), above 0.
    """
    x = pixels / 255.0
    w = weights.w.reshape(28, 28)
    parts = x * w
    total = float(parts.sum())
    logit = total + weights.b
    probability = float(sigmoid(np.array([logit / temperature]))[0])
    return OneDigit(x, w, parts, total, weights.b, logit, temperature, probability)


def served_weights(folder: Path) -> Weights:
    """The weights of a linear checkpoint for pixels in [0, 1], whatever normalisation its card asks for.

    w·(x − mean)/std + b = (w/std)·x + (b − mean/std·Σw).

    Raises:
        CheckpointError: no checkpoint of the linear model, or a damaged one.
    """
    card, content = read_verified(folder, WEIGHTS)
    if card.architecture != ARCHITECTURE:
        raise CheckpointError(f"{folder} is a {card.architecture}; name a {ARCHITECTURE}.")
    tensors = load(content)
    w, b = tensors["linear.weight"].reshape(PIXELS).astype(np.float64), float(tensors["linear.bias"][0])
    mean, std = card.normalisation["mean"], card.normalisation["std"]
    return Weights(w / std, b - mean / std * float(w.sum()))
