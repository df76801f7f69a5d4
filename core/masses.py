"""Masses and textures at a digit's size: shapes, thick outlines, bars, grain, gratings, shaded surfaces.

No detector is fitted to them: they say how it takes what is made of no strokes. Unlike an upload, their heavy
lines are not brought to a pen's width.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float64, Int64, UInt8
from PIL import Image, ImageDraw
from scipy import ndimage

SIDE, DIGIT_SIDE, FINE = 28, 20, 4  # px; drawn so many times as large, and averaged
CANVAS = FINE * SIDE
SHARP = 2 * DIGIT_SIDE  # px: what is smaller on the canvas would have ragged edges
SLIVER = 0.15  # of its length: what is narrower may well be a 1
MIDDLE = (0.25 * CANVAS, 0.75 * CANVAS)  # of a shape, on the canvas

Pixels = UInt8[np.ndarray, "_n 28 28"]
Labels = Int64[np.ndarray, " _n"]
Made = UInt8[np.ndarray, "count 28 28"]
Picture = UInt8[np.ndarray, "28 28"]
Field = Float64[np.ndarray, "112 112"]
Path = list[tuple[float, float]]
Draw = Callable[[ImageDraw.ImageDraw, np.random.Generator], None]


def shapes(_images: Pixels, _labels: Labels, count: int, *, seed: int) -> Made:
    """One to five filled polygons and blobs of any size."""

    def draw(pen: ImageDraw.ImageDraw, generator: np.random.Generator) -> None:
        for _ in range(generator.integers(1, 6)):
            pen.polygon(_outline(generator, 0.1, 0.5), fill=255)

    return _drawn(draw, count, seed)


def thick_outlines(_images: Pixels, _labels: Labels, count: int, *, seed: int) -> Made:
    """The outlines of two or three polygons and blobs, in a line of about 2 to 5 px."""

    def draw(pen: ImageDraw.ImageDraw, generator: np.random.Generator) -> None:
        width = round(generator.uniform(0.07, 0.18) * CANVAS)
        for _ in range(generator.integers(2, 4)):
            path = _outline(generator, 0.2, 0.5)
            pen.line([*path, *path[:2]], fill=255, width=width, joint="curve")

    return _drawn(draw, count, seed)


def bars(_images: Pixels, _labels: Labels, count: int, *, seed: int) -> Made:
    """Two to four heavy bars at any angle."""

    def draw(pen: ImageDraw.ImageDraw, generator: np.random.Generator) -> None:
        for _ in range(generator.integers(2, 5)):
            middle, angle = generator.uniform(*MIDDLE, 2), generator.uniform(0, np.pi)
            reach = generator.uniform(0.15, 0.5) * CANVAS * np.array([np.cos(angle), np.sin(angle)])
            ends = [tuple(middle - reach), tuple(middle + reach)]
            pen.line(ends, fill=255, width=round(generator.uniform(0.12, 0.35) * CANVAS))

    return _drawn(draw, count, seed)


def grain(_images: Pixels, _labels: Labels, count: int, *, seed: int) -> Made:
    """Noise smoothed at one to four scales from 1 to 8 px; half of it black and white."""
    generator = np.random.default_rng(seed)

    def field() -> Field:
        found = np.zeros((CANVAS, CANVAS))
        for _ in range(generator.integers(1, 5)):
            scale = FINE * np.exp(generator.uniform(0, np.log(8)))
            layer = ndimage.gaussian_filter(generator.standard_normal(found.shape), scale, mode="wrap")
            found += generator.uniform(0.2, 1) * layer / layer.std()
        white = generator.uniform(0.3, 0.7)
        return (found > np.quantile(found, white)).astype(float) if generator.random() < 0.5 else found

    return np.stack([_cut(field(), generator) for _ in range(count)])


def gratings(_images: Pixels, _labels: Labels, count: int, *, seed: int) -> Made:
    """Bands or checks with sharp edges, 3 to 12 px from one to the next, at any angle."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[:CANVAS, :CANVAS] / FINE

    def bands(angle: float) -> Bool[np.ndarray, "112 112"]:
        period, phase, bright = generator.uniform(3, 12), generator.random(), generator.uniform(0.3, 0.7)
        return ((x * np.cos(angle) + y * np.sin(angle)) / period + phase) % 1 < bright  # type: ignore[no-any-return]

    def field() -> Field:
        angle = generator.uniform(0, np.pi)
        found = bands(angle)
        if generator.random() < 0.5:
            found = found ^ bands(angle + np.pi / 2)
        return found.astype(float)

    return np.stack([_cut(field(), generator) for _ in range(count)])


def surfaces(_images: Pixels, _labels: Labels, count: int, *, seed: int) -> Made:
    """Shaded surfaces in front of each other, as in photographs.

    After the dead leaves of Lee, Mumford, Huang 2001 (doi:10.1023/A:1011109015675), each shaded evenly.
    """
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[:CANVAS, :CANVAS] / CANVAS - 0.5

    def shading() -> Field:
        angle, slope = generator.uniform(0, 2 * np.pi), generator.uniform(0, 1)
        return generator.random() + slope * (x * np.cos(angle) + y * np.sin(angle))  # type: ignore[no-any-return]

    def field() -> Field:
        found = shading()
        for _ in range(generator.integers(2, 13)):
            leaf = Image.new("1", (CANVAS, CANVAS))
            ImageDraw.Draw(leaf).polygon(_outline(generator, 0.1, 0.6), fill=1)
            found = np.where(np.asarray(leaf), shading(), found)
        return found

    return np.stack([_cut(field(), generator) for _ in range(count)])


def _outline(generator: np.random.Generator, least: float, most: float) -> Path:
    """A polygon of three to eight corners or a smooth blob; its radius in sides of the canvas."""
    radius, turn = generator.uniform(least, most) * CANVAS, generator.uniform(0, 2 * np.pi)
    if generator.random() < 0.5:
        angles = np.sort(generator.uniform(0, 2 * np.pi, generator.integers(3, 9)))
        radii = radius * generator.uniform(0.4, 1, len(angles))
    else:
        angles = np.linspace(0, 2 * np.pi, 64, endpoint=False)
        waves = [
            generator.uniform(0, 0.5 / wave) * np.cos(wave * angles + generator.uniform(0, 2 * np.pi))
            for wave in range(2, 6)
        ]
        radii = radius * (0.7 + 0.6 * np.sum(waves, axis=0)).clip(0.2)
    middle = generator.uniform(*MIDDLE, 2)
    around = np.stack([np.cos(angles + turn), np.sin(angles + turn)], axis=1) * radii[:, None]
    return [(float(px), float(py)) for px, py in middle + around]


def _drawn(draw: Draw, count: int, seed: int) -> Made:
    generator = np.random.default_rng(seed)
    found: list[Picture] = []
    while len(found) < count:
        canvas = Image.new("L", (CANVAS, CANVAS))
        draw(ImageDraw.Draw(canvas), generator)
        box = canvas.getbbox() or (0, 0, 0, 0)
        shorter, longer = sorted((box[2] - box[0], box[3] - box[1]))
        if longer >= SHARP and shorter >= SLIVER * longer:
            found.append(_centred(canvas.crop(box)))
    return np.stack(found)


def _centred(ink: Image.Image) -> Picture:
    """Its longer side as long as a digit's, its centre of mass in the middle as far as it fits."""
    share = DIGIT_SIDE / max(ink.size)
    width, height = (max(1, round(share * each)) for each in ink.size)
    small = np.asarray(ink.resize((width, height), Image.Resampling.BOX))
    total = max(1, int(small.sum()))
    top = round(SIDE / 2 - float(small.sum(axis=1) @ np.arange(height)) / total)
    left = round(SIDE / 2 - float(small.sum(axis=0) @ np.arange(width)) / total)
    top, left = min(max(0, top), SIDE - height), min(max(0, left), SIDE - width)
    found = np.zeros((SIDE, SIDE), np.uint8)
    found[top : top + height, left : left + width] = small
    return found


def _cut(field: Field, generator: np.random.Generator) -> Picture:
    """A square or a disc of it, as large as a digit, from black to white."""
    y, x = np.abs(np.mgrid[:CANVAS, :CANVAS] + 0.5 - CANVAS / 2)
    seen = (np.hypot(x, y) if generator.random() < 0.5 else np.maximum(x, y)) <= FINE * DIGIT_SIDE / 2
    low, high = field[seen].min(), field[seen].max()
    light = np.where(seen, (field - low) / max(high - low, 1e-9), 0)
    averaged = light.reshape(SIDE, FINE, SIDE, FINE).mean(axis=(1, 3))
    return (255 * averaged).round().astype(np.uint8)  # type: ignore[no-any-return]
