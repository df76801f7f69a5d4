"""What a model says of many pictures: answer, confidence, unusualness."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64, UInt8

from core.predictor import Predictor


@dataclass(frozen=True, eq=False)
class Readings:
    """A model on a batch of pictures.

    Attributes:
        probabilities: one a class, in [0, 1]; a row sums to 1.
        prediction: the most probable digit.
        confidence: its probability.
        unusualness: higher = more unusual; None where the model has no such score.
    """

    probabilities: Float32[np.ndarray, "n k"]
    prediction: Int64[np.ndarray, " n"]
    confidence: Float32[np.ndarray, " n"]
    unusualness: Float32[np.ndarray, " n"] | None


def read(predictor: Predictor, images: UInt8[np.ndarray, "n 28 28"]) -> Readings:
    """Reads every picture, blank ones included.

    Args:
        predictor: the model.
        images: in MNIST's convention.
    """
    outputs = predictor.run(images)
    probabilities = outputs.probabilities
    prediction = np.array(predictor.classes, dtype=np.int64)[probabilities.argmax(axis=1)]
    return Readings(probabilities, prediction, probabilities.max(axis=1), predictor.unusualness(outputs))
