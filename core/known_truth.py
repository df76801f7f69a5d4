"""Where the true explanation is known: a linear model's logit is a sum, and each pixel's part in it exact."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, UInt8

from core.explanation import Explanation
from core.one_digit import served_weights
from core.predictor import Predictor
from core.randomisation import likeness


@dataclass(frozen=True, eq=False)
class Closeness:
    """How close a map comes to the truth.

    Attributes:
        correlation: Spearman's, over all pixels, in [−1, 1].
        difference: the largest one of any pixel, in log-odds.
        owed: whether the method must equal the truth, here: Integrated Gradients and what else follows from
            a gradient that is the same everywhere.
    """

    correlation: float
    difference: float
    owed: bool

    @property
    def equal(self) -> bool:
        """But for rounding of 32-bit numbers."""
        return self.difference < 1e-5


# Each is, for a linear model, weight × (pixel − baseline); Input × Gradient where black is 0 to the model.
OWED = ("integrated-gradients", "input-x-gradient", "deeplift", "lrp")


def true_parts(
    predictor: Predictor, image: UInt8[np.ndarray, "28 28"], target: int
) -> Float32[np.ndarray, "28 28"]:
    """What each pixel adds to the log-odds of the target: weight × pixel; black pixels add nothing.

    Args:
        predictor: of a linear model.
        image: in MNIST's convention.
        target: one of its two digits.

    Raises:
        CheckpointError: the model is not linear.
    """
    weights = served_weights(predictor.folder).w.reshape(28, 28)
    sign = 1 if target == predictor.classes[0] else -1
    return np.asarray(sign * weights * image / 255, dtype=np.float32)


def compare(predictor: Predictor, truth: Float32[np.ndarray, "28 28"], found: Explanation) -> Closeness:
    """A method's map beside the truth.

    Args:
        predictor: the linear model.
        truth: what `true_parts` gives.
        found: the same digit's map for the same target, with a black baseline.
    """
    everywhere = np.ones((1, 28, 28), dtype=bool)
    correlation = likeness(truth[None], found.map[None], everywhere)[0]
    difference = float(np.abs(truth - found.map).max())
    owed = found.method in OWED
    if found.method == "input-x-gradient":
        owed = predictor.card.normalisation["mean"] == 0
    return Closeness(float(correlation), difference, owed)
