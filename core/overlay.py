"""A map of evidence as colours: laid over its digit, or alone with the digit's contour."""

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image
from scipy import ndimage

from core.explanation import Explanation
from core.palette import diverging

if TYPE_CHECKING:
    from matplotlib.colors import Colormap

SEQUENTIAL, DIVERGING = "cividis", "PuOr"  # both are told apart by colour-blind people
OUTLINED = 100  # of 255: the least brightness inside the contour


def heat(explanation: Explanation, *, top: float | None = None) -> UInt8[np.ndarray, "28 28 4"]:
    """The map as RGBA: colour by value, opacity by strength, so that nothing hides where nothing is.

    Unsigned maps run from 0 to `top`, signed ones from -top to +top.

    Args:
        explanation: the map.
        top: the end of the scale; by default the map's own maximum. One for several makes them comparable.
    """
    top = explanation.strength if top is None else top
    relative = explanation.map / top if top else np.zeros_like(explanation.map)
    palette = _palette(DIVERGING if explanation.signed else SEQUENTIAL)
    colours = palette((relative + 1) / 2 if explanation.signed else relative)
    colours[..., 3] = np.abs(relative) ** 0.5
    return (colours * 255).round().astype(np.uint8)


@cache
def _palette(name: str) -> "Colormap":
    """Kept, as matplotlib hands out a copy each time, which works out its colours anew."""
    from matplotlib import colormaps  # a quarter of a second: only when a map is drawn

    palette = colormaps[name]
    palette(0.0)  # works them out here, before threads share it
    return palette


def overlay(
    pixels: UInt8[np.ndarray, "28 28"],
    explanation: Explanation,
    *,
    opacity: float = 0.7,
    side: int = 280,
    top: float | None = None,
) -> Image.Image:
    """The digit in grey with the map over it.

    Args:
        pixels: what the model saw.
        explanation: of the same picture.
        opacity: of the map where it is strongest, in [0, 1].
        side: of the square picture, px; pixels stay sharp.
        top: the end of the scale, as for `heat`.
    """
    layer = heat(explanation, top=top)
    alpha: Float32[np.ndarray, "28 28 1"] = layer[..., 3:].astype(np.float32) / 255 * opacity
    mixed = pixels[..., None] * (1 - alpha) + layer[..., :3] * alpha
    return Image.fromarray(mixed.round().astype(np.uint8)).resize((side, side), Image.Resampling.NEAREST)


def chart(explanation: Explanation, *, top: float) -> UInt8[np.ndarray, "28 28 3"]:
    """The map alone: purple above 0 and orange below where it is signed, else cividis from 0 to `top`.

    Args:
        explanation: the map.
        top: the end of the scale; 0 for a map without any evidence.
    """
    if explanation.signed:
        return diverging(explanation.map.astype(np.float64), top=top)
    relative = explanation.map / top if top else np.zeros_like(explanation.map)
    colours: UInt8[np.ndarray, "28 28 3"] = (
        (_palette(SEQUENTIAL)(relative)[..., :3] * 255).round().astype(np.uint8)
    )
    return colours


def outline(pixels: UInt8[np.ndarray, "28 28"], *, light: bool) -> UInt8[np.ndarray, "112 112 4"]:
    """The digit's contour, to lay over a map of it: light or dark, clear elsewhere."""
    ink = np.kron(pixels >= OUTLINED, np.ones((4, 4), dtype=bool))
    edge = ink & ~ndimage.binary_erosion(ink)
    drawn = np.zeros((112, 112, 4), dtype=np.uint8)
    drawn[edge] = (255, 255, 255, 230) if light else (30, 30, 30, 230)
    return drawn
