"""Pictures that are no digits and no lines of a pen: areas, clouds, tiles, digits over each other, outlines.

No detector is fitted to them: they say how it takes what it has never met.
"""

import numpy as np
from jaxtyping import Int64, UInt8
from PIL import Image, ImageDraw
from scipy import ndimage

from core.preprocess import prepare

SIDE, CANVAS = 28, 280
CORNERS = (3, 8)  # of an area: at least, and less than
SMOOTH = (1.0, 4.0)  # px, of a cloud's grain
TILE = 7  # px, of a mosaic

Pixels = UInt8[np.ndarray, "n 28 28"]
Labels = Int64[np.ndarray, " n"]
Made = UInt8[np.ndarray, "count 28 28"]


def areas(_images: Pixels, _labels: Labels, count: int, *, seed: int) -> Made:
    """A filled polygon each, in MNIST's convention."""
    generator = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        canvas = Image.new("L", (CANVAS, CANVAS))
        corners = generator.uniform(30, 250, (generator.integers(*CORNERS), 2))
        ImageDraw.Draw(canvas).polygon([tuple(corner) for corner in corners.tolist()], fill=255, outline=255)
        found.append(prepare(np.asarray(canvas)).pixels)
    return np.stack(found)


def clouds(_images: Pixels, _labels: Labels, count: int, *, seed: int) -> Made:
    """Smooth random light, in soft patches from black to white."""
    generator = np.random.default_rng(seed)
    grain = generator.uniform(*SMOOTH, count)
    found = np.stack(
        [
            ndimage.gaussian_filter(generator.standard_normal((SIDE, SIDE)), each, mode="wrap")
            for each in grain
        ]
    )
    low, high = (part(axis=(1, 2), keepdims=True) for part in (found.min, found.max))
    return (255 * (found - low) / (high - low)).round().astype(np.uint8)  # type: ignore[no-any-return]


def mosaics(images: Pixels, _labels: Labels, count: int, *, seed: int) -> Made:
    """Digits cut into 4 × 4 tiles that lie in any order."""
    generator = np.random.default_rng(seed)
    rows = generator.integers(0, len(images), count)
    tiles = SIDE // TILE
    cut = images[rows].reshape(count, tiles, TILE, tiles, TILE).swapaxes(2, 3)
    order = np.argsort(generator.random((count, tiles * tiles)), axis=1)
    mixed = np.take_along_axis(cut.reshape(count, tiles * tiles, TILE, TILE), order[:, :, None, None], axis=1)
    return mixed.reshape(count, tiles, tiles, TILE, TILE).swapaxes(2, 3).reshape(count, SIDE, SIDE)


def overlays(images: Pixels, labels: Labels, count: int, *, seed: int) -> Made:
    """Two digits of different classes over each other."""
    generator = np.random.default_rng(seed)
    one, other = generator.integers(0, len(images), (2, 4 * count))
    apart = np.flatnonzero(labels[one] != labels[other])[:count]
    return np.maximum(images[one[apart]], images[other[apart]])  # type: ignore[no-any-return]


def outlines(images: Pixels, _labels: Labels, count: int, *, seed: int) -> Made:
    """The edges of a digit's strokes."""
    generator = np.random.default_rng(seed)
    chosen = images[generator.integers(0, len(images), count)]
    edges = ndimage.morphological_gradient(chosen, size=(1, 3, 3))
    return np.where(ndimage.grey_erosion(chosen, size=(1, 3, 3)) > 60, 0, edges).astype(np.uint8)
