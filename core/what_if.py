"""A digit changed by hand: pieces taken out, painted on, erased from, thickened, turned, scaled, moved."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64, UInt8

from core.pieces import pieces_of
from core.predictor import Predictor
from core.strokes import CANVAS_SIDE, Stroke, render
from core.walk import FINE, PATHS
from core.warp import SIDE, shifts, turns, warped, zooms

Digit = UInt8[np.ndarray, "28 28"]
PIXEL = CANVAS_SIDE // SIDE  # px of the canvas along one of the digit


@dataclass(frozen=True)
class Paint:
    """One movement of the pen over the digit, on the 280×280 canvas: ink, or where `erases`, paper."""

    stroke: Stroke
    erases: bool


@dataclass(frozen=True)
class Edit:
    """What is changed, in this order.

    Attributes:
        gone: pieces (`core.pieces.pieces_of` of the digit as it was) that are taken out.
        paints: painted on or erased, one after the other.
        thicker: quarters of a pixel that strokes grow by on either side; 0 to 8.
        turn: degrees, clockwise.
        size: of the original, in per cent, over 0.
        right, down: px.
    """

    gone: tuple[int, ...] = ()
    paints: tuple[Paint, ...] = ()
    thicker: int = 0
    turn: float = 0.0
    size: float = 100.0
    right: float = 0.0
    down: float = 0.0


NOTHING = Edit()


def edited(pixels: Digit, edit: Edit) -> Digit:
    """The digit after an edit; the digit itself where nothing is changed.

    Args:
        pixels: in MNIST's convention.
        edit: what to change.
    """
    found = pixels.copy()
    if edit.gone:
        found[np.isin(pieces_of(pixels), edit.gone)] = 0
    for paint in edit.paints:
        found = _painted(found, paint)
    if edit.thicker:
        steps = np.arange(edit.thicker + 1) / FINE
        found = PATHS["thickness"].lead(found, steps, 0)[-1]
    if (edit.turn, edit.size, edit.right, edit.down) != (0, 100, 0, 0):
        found = warped(found[None], _moves(edit))[0]
    return found


def _painted(pixels: Digit, paint: Paint) -> Digit:
    cover = render((paint.stroke,)).reshape(SIDE, PIXEL, SIDE, PIXEL).mean(axis=(1, 3)) / 255
    changed = pixels * (1 - cover) if paint.erases else np.maximum(pixels, cover * 255)
    return np.rint(changed).astype(np.uint8)  # type: ignore[no-any-return]


def _moves(edit: Edit) -> Float64[np.ndarray, "1 2 3"]:
    """Turned and scaled about the middle, then moved, in one sampling: p → Z·R·(p − shift)."""
    size, turn, right, down = np.array(
        [[edit.size / 100], [edit.turn], [edit.right], [edit.down]], dtype=float
    )
    linear = zooms(size)[0, :, :2] @ turns(turn)[0, :, :2]
    shift = shifts(right, down)[0, :, 2:]
    return np.concatenate([linear, linear @ shift], axis=1)[None]


@dataclass(frozen=True, eq=False)
class Without:
    """What the model says with one piece taken out.

    Attributes:
        piece: its number.
        pixels: the digit without it.
        digit: what that is read as.
        probability: of the digit that it was read as before, in [0, 1].
        cost: what the piece gives: evidence with it less evidence without it, in logits.
    """

    piece: int
    pixels: Digit
    digit: int
    probability: float
    cost: float


def without_each(
    predictor: Predictor, pixels: Digit, target: int, against: int | None = None
) -> tuple[Without, ...]:
    """Each piece taken out alone, those that carry most evidence first.

    Args:
        predictor: the model.
        pixels: in MNIST's convention.
        target: the digit whose logit counts; of two classes its log-odds.
        against: less the logit of this one.
    """
    pieces = pieces_of(pixels)
    numbers = range(1, int(pieces.max()) + 1)
    pictures = np.stack([pixels, *(np.where(pieces == number, 0, pixels) for number in numbers)])
    outputs = predictor.run(pictures)
    evidence = _evidence(predictor, outputs.logits, target, against)
    now = int(outputs.logits[0].argmax())
    answers: Int64[np.ndarray, " n"] = np.array(predictor.classes)[outputs.logits.argmax(axis=1)]
    found = [
        Without(
            number,
            pictures[number],
            int(answers[number]),
            float(outputs.probabilities[number, now]),
            float(evidence[0] - evidence[number]),
        )
        for number in numbers
    ]
    return tuple(sorted(found, key=lambda one: -one.cost))


def _evidence(
    predictor: Predictor, logits: np.ndarray, target: int, against: int | None
) -> Float64[np.ndarray, " n"]:
    column = predictor.classes.index(target)
    found = logits[:, column].astype(np.float64)
    rival = 1 - column if len(predictor.classes) == 2 else None
    if against is not None and rival is None:
        rival = predictor.classes.index(against)
    return found if rival is None else found - logits[:, rival]
