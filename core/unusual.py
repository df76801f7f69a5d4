"""How unlike the training digits a picture is: one score from the features that the network has anyway.

Two opinions, each in standard deviations of real digits about their mean, are combined in the form `CHOSEN`,
the best that `python -m core choose-detector` found. Either alone is enough, and neither excuses the other:

- *distance*: the cosine distance to the nearest training digit, summed over the network's blocks (Sun et al.
  2022, arXiv:2204.06507, there on the last features alone). Strange textures are far away.
- *learned*: a small network on the same features that tells digits from made-up scrawls and from digits taken
  apart (after Hendrycks et al. 2019, arXiv:1812.04606). It knows strange shapes made of usual parts.

Higher = more unusual.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import safetensors.numpy
from jaxtyping import Float, Float32, Float64
from safetensors import SafetensorError
from scipy import special

from core.cores import side_by_side
from core.errors import CheckpointError
from core.outputs import Outputs
from core.plain_files import check_header

CHUNK = 1024  # rows a time: the distances to the whole bank stay small
FEW = 4  # rows that are not worth waking other threads for: on a busy machine that takes long
CLAMP = 8.0  # standard deviations: what lies beyond is the distance's business
BANK = "bank."
ARRAYS = (
    "distance.mean",
    "distance.std",
    "distance.sum_std",
    "input.mean",
    "input.std",
    "hidden.weight",
    "hidden.bias",
    "output.weight",
    "output.bias",
    "learned.mean",
    "learned.std",
    "reference",
)
OUTSIDE = ("outside.mean", "outside.std")  # of a network with an offset alone

Features = Float32[np.ndarray, "n d"]
Scores = Float32[np.ndarray, " n"]


def surprise(values: Scores) -> Scores:
    """−ln of the chance that a normal variable is greater: ln 2 at 0, about x² / 2 for large x, 0 at −∞."""
    return -special.log_ndtr(-values)  # type: ignore[no-any-return]


def _softplus(values: Scores) -> Scores:
    return np.logaddexp(0, values)  # type: ignore[no-any-return]


# Of the distance and the learned opinion, both in standard deviations, and the weight of the latter.
COMBINATIONS: dict[str, Callable[[Scores, Scores, np.float32], Scores]] = {
    "fisher": lambda far, strange, weight: surprise(far) + weight * surprise(strange),
    "softplus": lambda far, strange, weight: _softplus(far) + weight * _softplus(strange),
    "maximum": lambda far, strange, weight: np.maximum(surprise(far), weight * surprise(strange)),
    "distance": lambda far, _strange, _weight: far,
    "learned": lambda _far, strange, _weight: strange,
}


@dataclass(frozen=True)
class Form:
    """How a score is made of the two opinions.

    Attributes:
        combination: a key of `COMBINATIONS`.
        weight: of the learned opinion.
        blocks: over which of the network's blocks the distance is summed, from 1; a network of fewer sums
            over all.
    """

    combination: str
    weight: float
    blocks: tuple[int, ...]

    @property
    def words(self) -> str:
        """The form for people."""
        blocks = f"blocks {', '.join(map(str, self.blocks))}"
        if self.combination in ("distance", "learned"):
            return self.combination + (f", {blocks}" if self.combination == "distance" else "")
        return f"{self.combination}, learned × {self.weight:g}, {blocks}"

    def combined(self, far: Scores, strange: Scores) -> Scores:
        """The score, higher = more unusual, of both opinions in standard deviations of real digits."""
        return COMBINATIONS[self.combination](far, strange, np.float32(self.weight))

    def names(self, features: Mapping[str, object]) -> list[str]:
        """The names of its blocks among a network's."""
        every = list(features)
        return [every[place - 1] for place in self.blocks] if len(every) >= max(self.blocks) else every


CHOSEN = Form("softplus", 2.0, (2, 3, 4))  # as docs/results/unusual-choice.json records


@dataclass(frozen=True, eq=False)
class Detector:
    """Scores outputs of the one network that it was fitted to.

    Attributes:
        banks: training digits' features, by block in alphabetical order; each of length 1 as it was rounded
            to half precision.
        arrays: everything else by the names in `ARRAYS` and `OUTSIDE`; `reference` holds the scores of real
            digits that nothing was fitted to, in ascending order.
    """

    banks: dict[str, Float32[np.ndarray, "m _"]]
    arrays: dict[str, np.ndarray]

    def score(self, outputs: Outputs) -> Scores:
        """How unusual each picture is, in the chosen form."""
        return self.combined(self.distance(outputs), self.learned(outputs))

    def combined(self, distance: Scores, learned: Scores) -> Scores:
        """The score from what `distance` and `learned` give."""
        far = distance / self.arrays["distance.sum_std"]
        strange = (learned - self.arrays["learned.mean"]) / self.arrays["learned.std"]
        return CHOSEN.combined(far, strange)

    def distance(self, outputs: Outputs) -> Scores:
        """Σ over the blocks of (1 − greatest cosine similarity − mean) / standard deviation.

        The features of a network with an offset know nothing of what lies outside of its window. Where more
        ink is there, in standard deviations of real digits, than the sum's own, that counts.
        """
        a = self.arrays
        far = distance_of(nearest(outputs, self.banks), a["distance.mean"], a["distance.std"])
        if outputs.outside is None or OUTSIDE[0] not in a:
            return far
        ink = (outputs.outside - a["outside.mean"]) / a["outside.std"]
        return np.maximum(far, ink * a["distance.sum_std"])  # type: ignore[no-any-return]

    def learned(self, outputs: Outputs) -> Scores:
        """The logit that the small network gives for "no digit"."""
        a = self.arrays
        values = ((inputs(outputs) - a["input.mean"]) / a["input.std"]).clip(-CLAMP, CLAMP)
        hidden = np.maximum(values @ a["hidden.weight"].T + a["hidden.bias"], 0)
        return hidden @ a["output.weight"] + a["output.bias"]  # type: ignore[no-any-return]

    def share_below(self, score: float) -> float:
        """The share of real digits that are less unusual, in [0, 1]."""
        reference = self.arrays["reference"]
        return float(np.searchsorted(reference, score) / len(reference))

    def spread(self, edges: Float[np.ndarray, " edges"]) -> Float64[np.ndarray, " shares"]:
        """The shares of real digits between the edges of bins, which rise; the last bin takes all beyond."""
        reference = self.arrays["reference"]
        counts, _ = np.histogram(reference.clip(max=edges[-1]), edges)
        return counts / len(reference)

    def to_bytes(self) -> bytes:
        """For a checkpoint; the banks in half precision."""
        banks = {BANK + name: bank.astype(np.float16) for name, bank in self.banks.items()}
        return safetensors.numpy.save(
            banks | {name: np.ascontiguousarray(array) for name, array in self.arrays.items()}
        )


def read_detector(content: bytes, where: str) -> Detector:
    """A detector from a checkpoint's file.

    Raises:
        CheckpointError: it holds something else; `where` says which file.
    """
    check_header(content, where)
    try:
        arrays = safetensors.numpy.load(content)
    except (SafetensorError, ValueError, KeyError) as error:
        raise CheckpointError(f"{where} holds no tensors ({error}). Restore the checkpoint.") from error
    banks = {
        name.removeprefix(BANK): of_length_1(array.astype(np.float32))
        for name, array in sorted(arrays.items())  # the reader gives them in another order every time
        if name.startswith(BANK)
    }
    if missing := set(ARRAYS) - set(arrays) or (set() if banks else {BANK}):
        raise CheckpointError(f"{where} lacks {', '.join(sorted(missing))}. Restore the checkpoint.")
    known = {name: arrays[name] for name in (*ARRAYS, *OUTSIDE) if name in arrays}
    every = [*banks.values(), *known.values()]
    if not all(array.size and np.isfinite(array).all() for array in every):
        raise CheckpointError(f"{where} holds numbers that are not finite, or none. Restore the checkpoint.")
    return Detector(banks, known)


def inputs(outputs: Outputs) -> Features:
    """What the small network reads: all features, and the logits."""
    return np.concatenate([*outputs.features.values(), outputs.logits], axis=1)


def nearest(outputs: Outputs, banks: Mapping[str, Float32[np.ndarray, "m _"]]) -> Float32[np.ndarray, "n b"]:
    """The cosine distance to the nearest digit of each bank, in [0, 2]; a column a bank."""

    def to_bank(name: str) -> Float32[np.ndarray, " n"]:
        features, bank = of_length_1(outputs.features[name]), banks[name]
        if len(features) <= FEW:
            return 1 - np.vecdot(features[:, None], bank).max(axis=1)  # type: ignore[no-any-return]
        chunks = [features[start : start + CHUNK] for start in range(0, max(1, len(features)), CHUNK)]
        return 1 - np.concatenate(side_by_side(lambda chunk: (chunk @ bank.T).max(axis=1), chunks))

    return np.stack([to_bank(name) for name in banks], axis=1)


def distance_of(
    distances: Float32[np.ndarray, "n b"], mean: Float32[np.ndarray, " b"], std: Float32[np.ndarray, " b"]
) -> Scores:
    """Σ over the banks of (distance − mean) / standard deviation."""
    return ((distances - mean) / std).sum(axis=1)  # type: ignore[no-any-return]


def of_length_1(features: Features) -> Features:
    """Each row divided by its length; a row of zeros stays."""
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    return features / np.maximum(lengths, np.finfo(np.float32).tiny)  # type: ignore[no-any-return]
