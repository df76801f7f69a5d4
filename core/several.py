"""Several digits in one picture: connected parts of the ink, each prepared on its own, in reading order."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8
from scipy import ndimage

from core.predictor import Predictor
from core.preprocess import STEPS, PreparedDigit, prepare

MOST = 12  # digits in one picture; more than that are no writing
MOST_PARTS = 8 * MOST  # connected parts of the ink; joining thousands of dots would take minutes
INKED = 0.1 * 255  # of a pixel of the ink, as for finding its box
TALL = 0.5  # of the tallest part: what is lower belongs to a neighbour (the bar of a 5)
BESIDE = 0.5  # of the narrower one's width: what overlaps more stands above the other, not beside it
APART = 0.1  # of the lower one's height: what overlaps less stands in another line
MARGIN = 8  # px around a digit that is cut out

Ink = UInt8[np.ndarray, "_h _w"]


@dataclass(frozen=True)
class Box:
    """A rectangle of pixels, its ends not included, and the parts of the ink in it."""

    top: int
    bottom: int
    left: int
    right: int
    parts: frozenset[int]

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def width(self) -> int:
        return self.right - self.left

    def joined(self, other: "Box") -> "Box":
        """The box around both."""
        return Box(
            min(self.top, other.top),
            max(self.bottom, other.bottom),
            min(self.left, other.left),
            max(self.right, other.right),
            self.parts | other.parts,
        )

    def over(self, other: "Box") -> float:
        """How much of the narrower one's width both have in common, at most 1; below 0 they lie apart."""
        common = min(self.right, other.right) - max(self.left, other.left)
        return common / min(self.width, other.width)

    def level(self, other: "Box") -> float:
        """How much of the lower one's height both have in common, at most 1; below 0 they lie apart."""
        common = min(self.bottom, other.bottom) - max(self.top, other.top)
        return common / min(self.height, other.height)

    def gap(self, other: "Box") -> float:
        """The distance between the boxes, px; 0 where they touch or overlap."""
        across = max(self.left, other.left) - min(self.right, other.right)
        down = max(self.top, other.top) - min(self.bottom, other.bottom)
        return float(np.hypot(max(0, across), max(0, down)))


def digits_in(predictor: Predictor, digit: PreparedDigit) -> tuple[PreparedDigit, ...]:
    """The digits in a picture as a model sees them: what it takes for one digit without a doubt is one.

    An open 4 of two strokes looks like two digits to `separate`; two digits at once never look like one to a
    detector that was fitted.

    Args:
        predictor: the model.
        digit: the whole picture, prepared.
    """
    parts = separate(digit)
    if len(parts) > 1:
        verdict = predictor.predict(digit).verdict
        if verdict and verdict.kind == "digit":
            return (digit,)
    return parts


def separate(digit: PreparedDigit) -> tuple[PreparedDigit, ...]:
    """The digits in a picture, each prepared as if it had been alone, line by line from left to right.

    Args:
        digit: the whole picture, prepared. One that has no ink of its own kept, as the digits of a data set,
            is one digit.

    Returns:
        The same picture alone where there is but one digit, or more parts than anybody writes digits.
    """
    steps = {step.name: step.picture for step in digit.steps}
    ink = steps.get(STEPS[1])
    if ink is None:
        return (digit,)
    labelled, boxes = _parts(ink)
    if len(boxes) > MOST_PARTS:
        return (digit,)
    groups = _in_reading_order(_grouped(boxes))
    if not 1 < len(groups) <= MOST:
        return (digit,)
    return tuple(prepare(_cut_out(ink, labelled, group)) for group in groups)


def _parts(ink: Ink) -> tuple[np.ndarray, list[Box]]:
    labelled, _ = ndimage.label(ink > INKED, structure=np.ones((3, 3)))
    slices = ndimage.find_objects(labelled)
    return labelled, [
        Box(rows.start, rows.stop, columns.start, columns.stop, frozenset({number}))
        for number, (rows, columns) in enumerate(slices, start=1)
    ]


def _grouped(boxes: list[Box]) -> list[Box]:
    """Parts joined to digits: those above each other, then the low ones with what is nearest to them."""
    while pair := _first_pair(boxes):
        one, other = pair
        boxes = [box for box in boxes if box not in pair] + [one.joined(other)]
    return boxes


def _first_pair(boxes: list[Box]) -> tuple[Box, Box] | None:
    """Two boxes of one digit, or None."""
    tallest = max((box.height for box in boxes), default=0)
    for place, one in enumerate(boxes):
        for other in boxes[place + 1 :]:
            lines = one.level(other) < APART and min(one.height, other.height) >= TALL * tallest
            if one.over(other) > BESIDE and not lines:
                return one, other
    for low in (box for box in boxes if box.height < TALL * tallest):
        return low, min((box for box in boxes if box is not low), key=low.gap)
    return None


def _in_reading_order(boxes: list[Box]) -> list[Box]:
    """Lines from the top, each from the left. A box is in the first line that it is level with."""
    lines: list[list[Box]] = []
    for box in sorted(boxes, key=lambda box: box.top + box.bottom):
        line = next((line for line in lines if any(box.level(other) >= TALL for other in line)), None)
        if line is None:
            lines.append([box])
        else:
            line.append(box)
    return [box for line in lines for box in sorted(line, key=lambda box: box.left)]


def _cut_out(ink: Ink, labelled: np.ndarray, box: Box) -> Ink:
    """One digit's ink alone, on black."""
    rows, columns = slice(box.top, box.bottom), slice(box.left, box.right)
    mine = np.isin(labelled[rows, columns], list(box.parts))
    return np.pad(np.where(mine, ink[rows, columns], np.uint8(0)), MARGIN)
