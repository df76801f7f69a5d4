"""Predictions through ONNX Runtime: no torch to import, safe to share between threads."""

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, overload

import numpy as np
import onnxruntime
from jaxtyping import Float32, UInt8

from core.card import ModelCard, read_verified
from core.config import SEEN
from core.cores import side_by_side
from core.errors import CheckpointError, NothingDrawn, PictureError
from core.graph_parts import problem
from core.outputs import Outputs
from core.paths import CARD, DETECTOR, GRAPH, WEIGHTS, checkpoint_folder
from core.picture import Picture, name_of
from core.preprocess import PreparedDigit, prepare
from core.unusual import Detector, read_detector
from core.verdict import Verdict, judge

CHUNK = 64  # images a run: the activations stay in the cache, and the memory is bounded

EXAMPLE = np.zeros((28, 28), dtype=np.uint8)  # a 1
EXAMPLE[4:24, 13:15] = 255

NO_LIMITS = {"refuse_below": 0.0, "unusual_above": math.inf}

Input = Picture | PreparedDigit


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a model says of one digit.

    Attributes:
        digit: the most probable class.
        confidence: its probability, in [0, 1].
        probabilities: one a class, in the order of `classes`; they sum to 1.
        classes: the digits that the model knows.
        logits: before the temperature and the softmax, one a class.
        unusualness: how unlike the training digits it is, higher = more unusual (`core.unusual`).
        verdict: whether to believe the answer. Both are None where no detector was fitted.
    """

    digit: int
    confidence: float
    probabilities: Float32[np.ndarray, " k"]
    classes: tuple[int, ...]
    logits: Float32[np.ndarray, " k"]
    unusualness: float | None = None
    verdict: Verdict | None = None

    def of(self, digit: int) -> float:
        """The probability of one digit; 0 for a digit that the model does not know."""
        return float(self.probabilities[self.classes.index(digit)]) if digit in self.classes else 0.0


class Predictor:
    """A checkpoint ready to predict. Use `Predictor.load`."""

    def __init__(self, folder: Path, card: ModelCard, graph: bytes, detector: Detector | None = None):
        self.folder, self.card, self.detector = folder, card, detector
        if found := problem(graph):
            raise CheckpointError(f"{folder / GRAPH} can't be loaded: it {found}. Train again.")
        try:
            self._session = _session(graph)
        except Exception as error:  # ONNX Runtime's errors have nothing else in common
            raise CheckpointError(f"{folder / GRAPH} can't be loaded ({error}). Train again.") from error
        shapes = {output.name: output.shape for output in self._session.get_outputs()}
        width = 1 if len(card.classes) == 2 else len(card.classes)
        if not {"logits", "embedding"} <= set(shapes) or shapes["logits"][1:] != [width]:
            raise CheckpointError(
                f"{folder / GRAPH} gives {shapes}; {len(card.classes)} classes in {CARD} need logits "
                f"(batch, {width}) and an embedding. Restore the checkpoint."
            )
        self._check_answer()

    @classmethod
    def load(cls, checkpoint: str | os.PathLike[str]) -> "Predictor":
        """Loads a checkpoint by name (`cnn`) or folder (`checkpoints/cnn`).

        Raises:
            CheckpointError: no such checkpoint, or files that are missing or changed.
        """
        folder = checkpoint_folder(checkpoint)
        card, graph = read_verified(folder, GRAPH)
        if DETECTOR not in card.hashes:
            return cls(folder, card, graph)
        card, content = read_verified(folder, DETECTOR)
        return cls(folder, card, graph, read_detector(content, str(folder / DETECTOR)))

    def _check_answer(self) -> None:
        """Reads one picture, so that what can't be used is refused here and not in somebody's visit."""
        try:
            found = self.predict(EXAMPLE)
        except Exception as error:  # of ONNX Runtime, or of arrays that don't fit together
            raise CheckpointError(
                f"{self.folder} can't answer ({' '.join(str(error).split())[:300]}). Restore the checkpoint."
            ) from error
        numbers = [*found.logits, *found.probabilities, found.unusualness or 0.0]
        if not np.isfinite(numbers).all():
            raise CheckpointError(
                f"{self.folder} answers with numbers that are not finite. Restore the checkpoint."
            )

    @property
    def classes(self) -> tuple[int, ...]:
        """The digits that the model knows, in the order of its outputs."""
        return self.card.classes

    @property
    def layers(self) -> tuple[str, ...]:
        """The convolutional blocks, in their order; none for a linear model."""
        names = (output.name for output in self._session.get_outputs())
        return tuple(name for name in names if name not in ("logits", "embedding"))

    @property
    def key(self) -> str:
        """The SHA-256 of the weights, for caches."""
        return self.card.hashes[WEIGHTS]

    @property
    def fitted(self) -> str:
        """Eight hexadecimal digits that change with the temperature and the detector."""
        return self.card.fitted

    @overload
    def predict(self, images: Input) -> Prediction: ...  # type: ignore[overload-overlap]  # str
    @overload
    def predict(self, images: Sequence[Input]) -> list[Prediction]: ...
    def predict(self, images: Input | Sequence[Input]) -> Prediction | list[Prediction]:
        """Names the digit in one picture, or in each of many.

        Args:
            images: PIL images, files (path or bytes), arrays or PreparedDigits. An uint8 array of
                (28, 28) or (n, 28, 28) is taken as it is, white ink on black; everything else
                goes through `core.preprocess.prepare`. A list or an (n, 28, 28) array gives a list.

        Raises:
            NothingDrawn: a picture without ink.
            PictureError: a picture that can't be read.
        """
        if isinstance(images, (list, tuple)):
            return self._predict(images)
        if isinstance(images, np.ndarray) and images.ndim == 3 and images.shape[1:] == (28, 28):
            return self._predict(list(images))
        return self._predict([images])[0]  # type: ignore[list-item]

    def _predict(self, images: Sequence[Input]) -> list[Prediction]:
        if not len(images):
            return []
        pixels = np.stack([pixels_of(image, position) for position, image in enumerate(images)])
        outputs = self.run(pixels)
        probabilities = outputs.probabilities
        best = probabilities.argmax(axis=1)
        found = [
            Prediction(self.classes[top], float(row[top]), row, self.classes, logits)
            for top, row, logits in zip(best, probabilities, outputs.logits, strict=True)
        ]
        scores = self.unusualness(outputs)
        return found if scores is None else [self._judged(*each) for each in zip(found, scores, strict=True)]

    def unusualness(self, outputs: Outputs) -> Float32[np.ndarray, " n"] | None:
        """How unlike the training digits each one is, higher = more unusual; None without a detector."""
        return self.detector.score(outputs) if self.detector else None

    def _judged(self, found: Prediction, score: np.floating[Any]) -> Prediction:
        limits = {name: self.card.verdict.get(name, usual) for name, usual in NO_LIMITS.items()}
        verdict = judge(found.probabilities, found.classes, float(score), **limits)
        return replace(found, unusualness=float(score), verdict=verdict)

    def run(self, images: UInt8[np.ndarray, "n 28 28"]) -> Outputs:
        """All outputs for images in MNIST's convention, blank ones included.

        Memory grows by the outputs alone: the images pass in chunks of 64.

        Raises:
            PictureError: images of another type or shape.
        """
        kind, shape = getattr(images, "dtype", type(images).__name__), getattr(images, "shape", ())
        if kind != np.uint8 or shape[1:] != (28, 28) or len(shape) != 3:
            raise PictureError(f"images: {kind} {tuple(shape)}; give uint8 (n, 28, 28), or use `predict`.")
        names = [output.name for output in self._session.get_outputs()]

        def run_chunk(start: int) -> list[np.ndarray]:
            normalised = self.normalised(images[start : start + CHUNK])
            return self._session.run(names, {"images": normalised})  # type: ignore[no-any-return]

        starts = range(0, max(1, len(images)), CHUNK)
        chunks = side_by_side(run_chunk, starts)
        columns = {name: np.concatenate(parts) for name, *parts in zip(names, *chunks, strict=True)}
        logits = columns.pop("logits")
        if logits.shape[1] == 1:
            logits = np.concatenate([logits, np.zeros_like(logits)], axis=1)
        return Outputs(
            logits, columns.pop("embedding"), columns, self.card.temperature, self._outside(images)
        )

    def _outside(self, images: UInt8[np.ndarray, "n 28 28"]) -> Float32[np.ndarray, " n"] | None:
        """See `Outputs.outside`."""
        first = self.card.offset
        if not first:
            return None
        seen = images[:, first : first + SEEN, first : first + SEEN]
        whole, inner = (pixels.sum(axis=(1, 2), dtype=np.int64) for pixels in (images, seen))
        return ((whole - inner) / (28**2 - SEEN**2)).astype(np.float32)  # type: ignore[no-any-return]

    def logits(self, inputs: Float32[np.ndarray, "n 1 28 28"]) -> Float32[np.ndarray, "n k"]:
        """The logits of what is normalised already, such as pictures between two; one a class."""

        def run_chunk(start: int) -> np.ndarray:
            chunk = np.ascontiguousarray(inputs[start : start + CHUNK])
            return self._session.run(["logits"], {"images": chunk})[0]  # type: ignore[no-any-return]

        starts = range(0, max(1, len(inputs)), CHUNK)
        logits = np.concatenate(side_by_side(run_chunk, starts))
        return logits if logits.shape[1] > 1 else np.concatenate([logits, np.zeros_like(logits)], axis=1)

    def normalised(self, images: UInt8[np.ndarray, "n 28 28"]) -> Float32[np.ndarray, "n 1 28 28"]:
        """What the network reads: (pixel / 255 − mean) / std, by the card's normalisation."""
        mean, std = self.card.normalisation["mean"], self.card.normalisation["std"]
        scaled = images[:, None].astype(np.float32)
        scaled *= np.float32(1 / (255 * std))
        scaled -= np.float32(mean / std)
        return scaled


def pixels_of(image: Any, position: int) -> UInt8[np.ndarray, "28 28"]:
    """An input's 28×28: as it is where it is in MNIST's convention already, else prepared.

    Args:
        image: as for `Predictor.predict`.
        position: among the inputs, to name it by in an error.

    Raises:
        NothingDrawn: a picture without ink.
        PictureError: a picture that can't be read.
    """
    if isinstance(image, PreparedDigit):
        return image.pixels
    if isinstance(image, np.ndarray) and image.dtype == np.uint8 and image.shape == (28, 28):
        if image.min() == image.max():
            raise NothingDrawn(f"picture {position}: Nothing drawn: the picture is even.")
        return image
    return prepare(image, name=name_of(image, f"picture {position}")).pixels


def _session(graph: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
