"""Letters as a pen would draw them on the canvas, from vector fonts: for measurement alone.

The strokes are A. V. Hershey's (1967), by the package hershey-fonts, which only the measurement needs.
"""

import numpy as np
from jaxtyping import UInt8

from core.errors import NothingDrawn
from core.glyphs import LETTERS, LOOK_ALIKES
from core.pendigits import BRUSH, SIZES
from core.preprocess import prepare
from core.strokes import render, stroke

# Their letters are single lines, as a pen's: Latin, script, Greek, Cyrillic.
FONTS = ("futural", "rowmans", "cursive", "scripts", "greeks", "cyrilc_1")
COPIES = 6  # of each, at different sizes and slants
SLANT = 0.15  # standard deviation
CORNER = 25  # px

Strokes = list[np.ndarray]


def pen_letters(*, seed: int = 0) -> UInt8[np.ndarray, "n 28 28"] | None:
    """Every letter of every font in several sizes and slants, prepared; None without the package.

    Letters that look like a digit are left out, as among the rendered ones.

    Args:
        seed: of sizes and slants.
    """
    try:
        from HersheyFonts import HersheyFonts
    except ImportError:
        return None
    generator, found = np.random.default_rng(seed), []
    wanted = [letter for letter in LETTERS if letter.lower() not in LOOK_ALIKES]
    for name in FONTS:
        font = HersheyFonts()
        font.load_default_font(name)
        for letter in wanted:
            lines = [np.array(line, dtype=float) for line in font.strokes_for_text(letter)]
            if lines:
                found += [_drawn(lines, generator) for _ in range(COPIES)]
    return np.stack([pixels for pixels in found if pixels is not None])


def _drawn(lines: Strokes, generator: np.random.Generator) -> UInt8[np.ndarray, "28 28"] | None:
    slant = np.array([[1, 0], [generator.normal(0, SLANT), 1]])
    leant = [line @ slant for line in lines]
    points = np.concatenate(leant)
    scale = int(generator.choice(list(SIZES.values()))) / max(1e-6, float(np.ptp(points, axis=0).max()))
    placed = (((line - points.min(axis=0)) * scale + CORNER).tolist() for line in leant)
    try:
        return prepare(render.__wrapped__(tuple(stroke(line, BRUSH) for line in placed))).pixels
    except NothingDrawn:
        return None
