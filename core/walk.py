"""One real digit led away from all digits, step by step, and what a model says on the way."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int64, UInt8

from core.errors import DistortionError
from core.noises import blurred
from core.predictor import Predictor
from core.readings import read
from core.warp import SIDE, shifts, turns, warped, zooms

FINE = 4  # fine pixels along a pixel: strokes grow by a quarter of a pixel

Digit = UInt8[np.ndarray, "28 28"]
Pictures = UInt8[np.ndarray, "steps 28 28"]
Values = Float64[np.ndarray, " steps"]


@dataclass(frozen=True)
class Path:
    """A way out.

    Attributes:
        label: its name for people.
        words: what a value means, with a place for the number.
        unit: of the values, as it follows the number.
        start: the value that leaves the digit unchanged.
        stop: the last value.
        step: between two values.
        lead: the digit and the values → one picture a value.
    """

    label: str
    words: str
    unit: str
    start: float
    stop: float
    step: float
    lead: Callable[[Digit, Values, int], Pictures]

    @property
    def values(self) -> Values:
        """Every step's value, the first one leaves the digit unchanged."""
        count = round((self.stop - self.start) / self.step) + 1
        return np.round(np.linspace(self.start, self.stop, count), 6)


@dataclass(frozen=True, eq=False)
class Walk:
    """A digit on its way out.

    Attributes:
        path: which way.
        values: in the path's unit, one a step.
        pictures: one a step; the first is the digit itself.
        classes: the digits that the model knows.
        probabilities: one a class, in [0, 1]; a row sums to 1.
        prediction: the most probable digit.
        confidence: its probability.
        unusualness: higher = more unusual; None where the model has no such score.
    """

    path: Path
    values: Values
    pictures: Pictures
    classes: tuple[int, ...]
    probabilities: Float32[np.ndarray, "steps k"]
    prediction: Int64[np.ndarray, " steps"]
    confidence: Float32[np.ndarray, " steps"]
    unusualness: Float32[np.ndarray, " steps"] | None

    def __len__(self) -> int:
        return len(self.values)

    @property
    def runs(self) -> tuple[tuple[int, int, int], ...]:
        """Where the answer stays the same: first step, last step, answer."""
        firsts = [0, *(np.flatnonzero(np.diff(self.prediction)) + 1).tolist()]
        lasts = [*(first - 1 for first in firsts[1:]), len(self) - 1]
        return tuple((a, b, int(self.prediction[a])) for a, b in zip(firsts, lasts, strict=True))


def walk(predictor: Predictor, digit: Digit, path: str, *, seed: int = 0) -> Walk:
    """Leads one digit along a path.

    Args:
        predictor: the model.
        digit: in MNIST's convention.
        path: one of `PATHS`.
        seed: of the noise; the other paths have nothing random.

    Raises:
        DistortionError: no such path.
    """
    chosen = path_of(path)
    pictures = chosen.lead(digit, chosen.values, seed)
    found = read(predictor, pictures)
    return Walk(
        chosen,
        chosen.values,
        pictures,
        predictor.classes,
        found.probabilities,
        found.prediction,
        found.confidence,
        found.unusualness,
    )


def path_of(name: str) -> Path:
    """The path of this name.

    Raises:
        DistortionError: there is none.
    """
    if name not in PATHS:
        raise DistortionError(f"No path {name!r}. Choose one of {', '.join(PATHS)}.")
    return PATHS[name]


def _rotation(digit: Digit, values: Values, seed: int) -> Pictures:
    return warped(_copies(digit, values), turns(values))


def _shift(digit: Digit, values: Values, seed: int) -> Pictures:
    return warped(_copies(digit, values), shifts(values, np.zeros(len(values))))


def _scale(digit: Digit, values: Values, seed: int) -> Pictures:
    return warped(_copies(digit, values), zooms(values / 100))


def _blur(digit: Digit, values: Values, seed: int) -> Pictures:
    return np.concatenate([blurred(digit[None], value) if value else digit[None] for value in values])


def _noise(digit: Digit, values: Values, seed: int) -> Pictures:
    """The same normal noise at every step, only stronger."""
    noise = np.random.default_rng(seed).standard_normal((SIDE, SIDE))
    return _bytes(digit + 2.55 * values[:, None, None] * noise)


def _thickness(digit: Digit, values: Values, seed: int) -> Pictures:
    """Brightness spreads on a grid four times as fine, by turns to four and to eight neighbours: a disc."""
    fine = np.kron(digit, np.ones((FINE, FINE), dtype=np.uint8))
    pictures = []
    for step in range(len(values)):
        if step:
            fine = _spread(fine, corners=step % 2 == 0)
        pictures.append(fine.reshape(SIDE, FINE, SIDE, FINE).mean(axis=(1, 3)))
    return _bytes(np.stack(pictures))


def _spread(fine: UInt8[np.ndarray, "h w"], *, corners: bool) -> UInt8[np.ndarray, "h w"]:
    framed = np.pad(fine, 1)
    beside = np.maximum(framed[1:-1, :-2], framed[1:-1, 2:])
    if corners:
        rows = np.maximum(np.maximum(framed[:-2], framed[1:-1]), framed[2:])
        return np.maximum(np.maximum(rows[:, :-2], rows[:, 1:-1]), rows[:, 2:])  # type: ignore[no-any-return]
    return np.maximum(np.maximum(np.maximum(framed[:-2, 1:-1], framed[2:, 1:-1]), beside), fine)  # type: ignore[no-any-return]


def _inversion(digit: Digit, values: Values, seed: int) -> Pictures:
    share = values[:, None, None] / 100
    return _bytes((1 - share) * digit + share * (255.0 - digit))


def _copies(digit: Digit, values: Values) -> Pictures:
    return np.repeat(digit[None], len(values), axis=0)


def _bytes(pictures: Float64[np.ndarray, "steps 28 28"]) -> Pictures:
    return np.rint(pictures).clip(0, 255).astype(np.uint8)  # type: ignore[no-any-return]


PATHS = {
    "rotation": Path("Rotate", "turned by {}", "°", 0, 180, 5, _rotation),
    "shift": Path("Shift", "moved {} to the right", " px", 0, 18, 0.5, _shift),
    "scale": Path("Shrink", "at {} of its size", " %", 100, 10, -2.5, _scale),
    "blur": Path("Blur", "blurred by {} (σ)", " px", 0, 3.6, 0.1, _blur),
    "noise": Path("Noise", "with {} noise (σ)", " %", 0, 90, 2.5, _noise),
    "thickness": Path("Thicken", "each stroke {} wider on either side", " px", 0, 6, 1 / FINE, _thickness),
    "inversion": Path("Invert", "{} of the way to its negative", " %", 0, 100, 2.5, _inversion),
}
