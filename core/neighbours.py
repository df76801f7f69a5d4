"""The training digits that a model finds most like a given one: "it looked like these"."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float16, Float32, Int64

from core import mnist
from core.array_cache import ArrayCache, cache_key
from core.datasets import LabelledDigits, Progress, load_dataset
from core.errors import DatasetError
from core.paths import data_folder
from core.predictor import Predictor

DATASET = "mnist-train"
BANKS = 4  # files kept: 28 MB each for the CNN
QUERIES = 64  # compared at a time: 14 MB of cosines
PIECE = 2048  # digits embedded between two reports of progress


@dataclass(frozen=True, eq=False)
class Nearest:
    """The nearest training digits of n queries, the most similar first.

    Attributes:
        indices: their places in `mnist-train`.
        labels: the digits that people say they show.
        similarities: the cosines, in [-1, 1].
    """

    indices: Int64[np.ndarray, "n k"]
    labels: Int64[np.ndarray, "n k"]
    similarities: Float32[np.ndarray, "n k"]


class Neighbours:
    """A bank of the training digits' embeddings in one model. Use `Neighbours.of`.

    Args:
        bank: embeddings of length 1 (or 0), a row a digit.
        labels: of these digits.
        indices: their places in `mnist-train`.
    """

    def __init__(
        self,
        bank: Float32[np.ndarray, "m d"],
        labels: Int64[np.ndarray, " m"],
        indices: Int64[np.ndarray, " m"],
    ):
        self._bank, self._labels, self._indices = bank, labels, indices

    def __len__(self) -> int:
        return len(self._labels)

    @classmethod
    def of(cls, predictor: Predictor, *, progress: Progress | None = None) -> "Neighbours":
        """The training digits of the model's classes, embedded now or read from `<data>/banks/`.

        Args:
            predictor: the model whose embeddings are compared.
            progress: called with (done, total) digits while they are embedded.

        Raises:
            DatasetError: MNIST's training files are not at hand (nothing is downloaded), or damaged.
        """
        digits = _training_digits()
        indices = np.flatnonzero(np.isin(digits.labels, predictor.classes))
        chosen = digits.only(predictor.classes)
        cache = ArrayCache(data_folder() / "banks", limit=BANKS)
        key = cache_key(predictor.key, chosen.digest)
        width = predictor.run(chosen.images[:1]).embedding.shape[1]
        kept = cache.read(key, shape=(len(chosen), width))
        if kept is None:
            kept = _embedded(predictor, chosen, width, progress)
            cache.write(key, kept)
        # Half precision halves the file, but is slow to multiply, and its rounding shows in the lengths most.
        return cls(_normalised(kept.astype(np.float32)), chosen.labels, indices)

    def nearest(
        self, embeddings: Float32[np.ndarray, "n d"], *, k: int = 5, digit: int | None = None
    ) -> Nearest:
        """The k training digits whose embeddings make the smallest angle with each query.

        cos(a, b) = a · b / (‖a‖ ‖b‖); an embedding of zeros is similar to nothing (0). Of equally similar
        digits the one that comes first in `mnist-train` is nearer. The search is exact: one product of
        matrices.

        Args:
            embeddings: `Outputs.embedding` of the queries.
            k: at least 1; where the bank holds fewer digits, all of them are given.
            digit: only training digits that people call so; all by default.
        """
        queries = _normalised(embeddings)
        others = np.zeros(len(self), dtype=bool) if digit is None else self._labels != digit
        best = np.empty((len(queries), min(k, len(self) - int(others.sum()))), dtype=np.int64)
        similarities = np.empty(best.shape, dtype=np.float32)
        for start in range(0, len(queries), QUERIES):
            cosines = np.clip(queries[start : start + QUERIES] @ self._bank.T, -1, 1)
            cosines[:, others] = -np.inf
            for place, row in enumerate(cosines, start):
                best[place] = _largest(row, best.shape[1])
                similarities[place] = row[best[place]]
        return Nearest(self._indices[best], self._labels[best], similarities)


def _training_digits() -> LabelledDigits:
    if missing := [name for name in mnist.missing() if name.startswith("train")]:
        raise DatasetError(
            f"The nearest training digits need MNIST's training files, and {mnist.folder()} lacks "
            f"{' and '.join(missing)}. Fetch them with `python -m scripts.fetch_mnist`."
        )
    return load_dataset(DATASET)


def _embedded(
    predictor: Predictor, digits: LabelledDigits, width: int, progress: Progress | None
) -> Float16[np.ndarray, "m d"]:
    bank = np.empty((len(digits), width), dtype=np.float16)
    for start in range(0, len(digits), PIECE):
        piece = predictor.run(digits.images[start : start + PIECE]).embedding
        bank[start : start + len(piece)] = _normalised(piece)
        if progress:
            progress(start + len(piece), len(digits))
    return bank


def _normalised(embeddings: Float32[np.ndarray, "n d"]) -> Float32[np.ndarray, "n d"]:
    lengths = np.linalg.norm(embeddings, axis=1, keepdims=True)
    return embeddings / np.maximum(lengths, np.finfo(np.float32).tiny)  # type: ignore[no-any-return]


def _largest(values: Float32[np.ndarray, " m"], k: int) -> Int64[np.ndarray, " k"]:
    """The places of the k largest values, the largest first and equal ones in their order."""
    threshold = np.partition(values, -k)[-k]
    candidates = np.flatnonzero(values >= threshold)  # more than k where some are equal
    return candidates[np.argsort(-values[candidates], kind="stable")[:k]]
