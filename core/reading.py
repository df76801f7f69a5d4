"""Many pictures read at once: a row for each, and what a model does with digits that it does not know."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, UInt8

from core.archive import Limits
from core.errors import PictureError, PictureTooLarge
from core.labelled import LabelledDigits
from core.picture import decoded_pixels
from core.predictor import Prediction, Predictor
from core.preprocess import PreparedDigit, prepare
from core.spreadsheet import to_csv as table_to_csv

MOST = 200  # pictures at once


@dataclass(frozen=True, eq=False)
class Row:
    """One picture and what it was read as.

    Attributes:
        name: of its file, or of its place in a data set.
        pixels: what the model saw.
        prediction: what it made of it.
        label: the digit that people say it is; None where nobody said.
    """

    name: str
    pixels: UInt8[np.ndarray, "28 28"]
    prediction: Prediction
    label: int | None = None


@dataclass(frozen=True, eq=False)
class Reading:
    """Pictures in their order.

    Attributes:
        rows: those that could be read.
        skipped: the others, each with its name and the reason.
    """

    rows: tuple[Row, ...]
    skipped: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class PreparedFiles:
    """Picture files ready for any model, in their order.

    Attributes:
        names: of those that could be used.
        images: the same, in MNIST's convention.
        skipped: the others, each with its name and the reason.
    """

    names: tuple[str, ...]
    images: UInt8[np.ndarray, "n 28 28"]
    skipped: tuple[str, ...]


def prepare_files(
    files: Sequence[tuple[str, Callable[[], bytes]]],
    *,
    progress: Callable[[int, int], None] | None = None,
) -> PreparedFiles:
    """Prepares picture files; what can't be used is named and passed over.

    Args:
        files: of each its name, and what gives its content. The first `MOST` are used, and of these
            `Limits().pixels` pixels.
        progress: called with (done, total).
    """
    names, prepared, skipped = [], [], []
    chosen, beyond = files[:MOST], [name for name, _ in files[MOST:]]
    left = Limits().pixels
    for done, (name, content) in enumerate(chosen, start=1):
        try:
            sent = content()
            left -= decoded_pixels(sent)
            prepared.append(prepared_within(left, name, sent).pixels)
            names.append(name)
        except PictureError as error:
            skipped.append(str(error))
        if progress:
            progress(done, len(chosen))
    if beyond:
        others = f" and {len(beyond) - 1:,} more" if len(beyond) > 1 else ""
        skipped.append(f"{beyond[0]}{others}: over {MOST} pictures at once. Read the rest in a second go.")
    images = np.stack(prepared) if prepared else np.zeros((0, 28, 28), dtype=np.uint8)
    return PreparedFiles(tuple(names), images, tuple(skipped))


def prepared_within(left: int, name: str, content: bytes) -> PreparedDigit:
    """One of many picture files in MNIST's convention.

    Args:
        left: of the pixels that all of them may have together, after this one; below 0 it is one too many.
        name: what to call it in an error.
        content: the file's bytes.

    Raises:
        PictureError: it can't be used.
    """
    if left < 0:
        raise PictureTooLarge(
            f"{name}: with the pictures before it over {Limits().pixels // 10**6:,} megapixels, the most "
            "that are read at once. Save them smaller, or read it in a second go."
        )
    return prepare(content, name=name)


def read_files(predictor: Predictor, files: PreparedFiles) -> Reading:
    """Reads prepared picture files."""
    predictions = predictor.predict([*files.images])
    rows = tuple(Row(*each) for each in zip(files.names, files.images, predictions, strict=True))
    return Reading(rows, files.skipped)


def read_samples(predictor: Predictor, data: LabelledDigits, *, first: int, most: int) -> Reading:
    """Reads some digits of a data set, from a place on."""
    chosen = range(first, min(first + most, len(data)))
    predictions = predictor.predict([*data.images[chosen.start : chosen.stop]])
    rows = tuple(
        Row(f"{data.name} {place}", data.images[place], found, int(data.labels[place]))
        for place, found in zip(chosen, predictions, strict=True)
    )
    return Reading(rows, ())


def to_csv(reading: Reading) -> str:
    """A line a picture: what it was read as, how surely, the verdict, and the label where it is known."""
    if not reading.rows:
        raise PictureError("There is no picture to take away. Choose some.")
    classes = reading.rows[0].prediction.classes
    labelled = any(row.label is not None for row in reading.rows)
    header = ["file", "digit", "confidence", "verdict", "unusualness", *(f"p{digit}" for digit in classes)]
    header += ["label"] * labelled
    return table_to_csv(header, [_cells(row, labelled=labelled) for row in reading.rows])


def _cells(row: Row, *, labelled: bool) -> list[str | int | float]:
    found = row.prediction
    label = ["" if row.label is None else row.label] if labelled else []
    judged: list[str | float] = ["", ""]
    if found.verdict and found.unusualness is not None:
        judged = [found.verdict.kind, found.unusualness]
    return [row.name, found.digit, found.confidence, *judged, *found.probabilities.tolist(), *label]


@dataclass(frozen=True, eq=False)
class TakenFor:
    """What a model takes the digits of one kind for.

    Attributes:
        digit: what they are.
        n: how many.
        shares: of them that are read as each of the model's classes; they sum to 1.
        confidence: how sure it is of that on average, in [0, 1].
        doubted: the share whose verdict is not `digit`, in [0, 1]; None where no detector was fitted.
        known: whether the model knows the digit.
    """

    digit: int
    n: int
    shares: Float64[np.ndarray, " k"]
    confidence: float
    doubted: float | None
    known: bool


def taken_for(predictor: Predictor, data: LabelledDigits) -> list[TakenFor]:
    """Of every digit in a data set, known to the model or not."""
    predictions = predictor.predict([*data.images])
    return [
        _taken(int(digit), [predictions[place] for place in np.flatnonzero(data.labels == digit)], predictor)
        for digit in np.unique(data.labels)
    ]


def _taken(digit: int, found: list[Prediction], predictor: Predictor) -> TakenFor:
    answers = np.array([one.digit for one in found])
    shares = np.array([float((answers == known).mean()) for known in predictor.classes])
    sure = float(np.mean([one.confidence for one in found]))
    verdicts = [one.verdict.kind != "digit" for one in found if one.verdict]
    doubted = float(np.mean(verdicts)) if verdicts else None
    return TakenFor(digit, len(found), shares, sure, doubted, digit in predictor.classes)
