"""Letters as a pen would draw them on the canvas: for measurement alone."""

import numpy as np
from jaxtyping import UInt8

from core.errors import NothingDrawn
from core.letter_strokes import Letter
from core.pendigits import BRUSH, SIZES
from core.preprocess import prepare
from core.strokes import render, stroke

SLANT = 0.15  # standard deviation
CORNER = 25  # px


def pen_letters(letters: list[Letter], copies: int, *, seed: int = 0) -> UInt8[np.ndarray, "n 28 28"]:
    """Each letter in several sizes and slants, prepared.

    Args:
        letters: strokes, y downwards.
        copies: how often each is drawn.
        seed: of sizes and slants.
    """
    generator = np.random.default_rng(seed)
    found = [_drawn(lines, generator) for lines in letters for _ in range(copies)]
    return np.stack([pixels for pixels in found if pixels is not None])


def _drawn(lines: Letter, generator: np.random.Generator) -> UInt8[np.ndarray, "28 28"] | None:
    slant = np.array([[1, 0], [generator.normal(0, SLANT), 1]])
    leant = [line @ slant for line in lines]
    points = np.concatenate(leant)
    scale = int(generator.choice(list(SIZES.values()))) / max(1e-6, float(np.ptp(points, axis=0).max()))
    placed = (((line - points.min(axis=0)) * scale + CORNER).tolist() for line in leant)
    try:
        return prepare(render.__wrapped__(tuple(stroke(line, BRUSH) for line in placed))).pixels
    except NothingDrawn:
        return None
