"""Pictures that tests draw: digits as strokes, and photos of them on paper."""

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

SEVEN = ((0.25, 0.2), (0.75, 0.2), (0.45, 0.8))
TWO = ((0.3, 0.35), (0.4, 0.2), (0.6, 0.2), (0.7, 0.35), (0.65, 0.5), (0.3, 0.8), (0.72, 0.8))


def drawn(shape=SEVEN, *, side: int = 280, width: float = 18, scale: float = 1.0, shift=(0, 0)) -> np.ndarray:
    """A digit in white on black, at any size, thickness and place, anti-aliased."""
    canvas = Image.new("L", (side * 4, side * 4))
    pen = ImageDraw.Draw(canvas)
    centred = [((x - 0.5) * scale + 0.5, (y - 0.5) * scale + 0.5) for x, y in shape]
    path = [(4 * (x * side + shift[0]), 4 * (y * side + shift[1])) for x, y in centred]
    pen.line(path, fill=255, width=round(4 * width), joint="curve")
    for x, y in path:
        pen.ellipse((x - 2 * width, y - 2 * width, x + 2 * width, y + 2 * width), fill=255)
    return np.asarray(canvas.reduce(4))


def paper(height: int = 480, width: int = 400, *, seed: int = 0) -> np.ndarray:
    """A sheet in uneven light: brighter at one corner, with the noise of a camera."""
    y, x = np.mgrid[:height, :width]
    light = 0.62 + 0.22 * x / width + 0.1 * y / height
    return light + np.random.default_rng(seed).normal(0, 0.012, (height, width))


def photo(ink: np.ndarray, *, shadow: bool = True, seed: int = 0) -> np.ndarray:
    """Ink in dark pen on that sheet, with the hard-edged shadow of a hand across it."""
    light = paper(*ink.shape, seed=seed)
    if shadow:
        y, x = np.mgrid[: ink.shape[0], : ink.shape[1]]
        light = np.where(x + 0.4 * y > 0.75 * ink.shape[1], light, light * 0.7)
    pen = ndimage.gaussian_filter(ink / 255, 1.0)
    return ((light * (1 - 0.75 * pen)).clip(0, 1) * 255).astype(np.uint8)


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    """The correlation of two pictures, 1 = the same; a pixel's shift either way is forgiven."""
    shifts = [np.roll(other, (dy, dx), (0, 1)) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
    return max(float(np.corrcoef(one.ravel(), shifted.ravel())[0, 1]) for shifted in shifts)
