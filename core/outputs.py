"""What a network gives for a batch of images: logits, features, and the probabilities that follow."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32


@dataclass(frozen=True, eq=False)
class Outputs:
    """A batch of raw outputs.

    Attributes:
        logits: one a class; two-class models give (log-odds of the first class, 0).
        embedding: the features that the last layers read.
        block_means: the spatial mean of each convolutional block's output, by `block1` ….
        temperature: what the logits are divided by for the probabilities (Guo et al. 2017,
            arXiv:1706.04599).
        outside: the mean brightness, 0 to 255, of the pixels that no answer depends on, of a network with an
            offset; None of others.
    """

    logits: Float32[np.ndarray, "n k"]
    embedding: Float32[np.ndarray, "n features"]
    block_means: dict[str, Float32[np.ndarray, "n _"]]
    temperature: float = 1.0
    outside: Float32[np.ndarray, " n"] | None = None

    @property
    def probabilities(self) -> Float32[np.ndarray, "n k"]:
        """The softmax of logits / temperature: one a class, in [0, 1]; a row sums to 1."""
        return softmax(self.logits / np.float32(self.temperature))

    @property
    def features(self) -> dict[str, Float32[np.ndarray, "n _"]]:
        """The block means of a convolutional network; of another one, what its last layer reads."""
        return self.block_means or {"embedding": self.embedding}


def softmax(logits: Float32[np.ndarray, "n k"]) -> Float32[np.ndarray, "n k"]:
    """exp(x) / Σ exp(x) along the last axis, without overflow."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)  # type: ignore[no-any-return]
