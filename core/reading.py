"""Many pictures read at once: a row for each, and what a model does with digits that it does not know."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, UInt8

from core.errors import PictureError
from core.labelled import LabelledDigits
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


def read_files(
    predictor: Predictor,
    files: Sequence[tuple[str, bytes]],
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Reading:
    """Prepares and reads picture files; what can't be used is named and passed over.

    Args:
        predictor: the model.
        files: name and content of each. The first `MOST` are read.
        progress: called with (done, total).
    """
    names: list[str] = []
    prepared: list[PreparedDigit] = []
    skipped: list[str] = []
    for done, (name, content) in enumerate(files[:MOST], start=1):
        try:
            if not content:
                raise PictureError(f"{name}: the file is empty. Save it again.")
            prepared.append(prepare(content, name=name))
            names.append(name)
        except PictureError as error:
            skipped.append(str(error))
        if progress:
            progress(done, min(len(files), MOST))
    skipped += [f"{name}: over {MOST} pictures at once. Read it in a second go." for name, _ in files[MOST:]]
    predictions = predictor.predict([*prepared])
    rows = tuple(
        Row(name, digit.pixels, predictions[place])
        for place, (name, digit) in enumerate(zip(names, prepared, strict=True))
    )
    return Reading(rows, tuple(skipped))


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
        known: whether the model knows the digit.
    """

    digit: int
    n: int
    shares: Float64[np.ndarray, " k"]
    confidence: float
    known: bool


def taken_for(predictor: Predictor, data: LabelledDigits) -> list[TakenFor]:
    """Of every digit in a data set, known to the model or not."""
    probabilities = predictor.run(data.images).probabilities
    answers, sure = probabilities.argmax(axis=1), probabilities.max(axis=1)
    found = []
    for digit in np.unique(data.labels):
        mine = data.labels == digit
        counts = np.bincount(answers[mine], minlength=len(predictor.classes))
        n = int(mine.sum())
        known = int(digit) in predictor.classes
        found.append(TakenFor(int(digit), n, counts / n, float(sure[mine].mean()), known))
    return found
