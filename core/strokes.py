"""A drawing as strokes: what the canvas holds, what a link carries, what is drawn for the model."""

import base64
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw

from core.errors import PictureError

CANVAS_SIDE = 280
MAX_POINTS = 20_000
SUPERSAMPLING = 2
LEAST_STEP = 3  # px between two kept points: closer ones change nothing that a brush would show

Point = tuple[int, int]


@dataclass(frozen=True)
class Stroke:
    """One movement of the pen: points in px on the 280×280 canvas, y downwards, and its width in px."""

    points: tuple[Point, ...]
    width: int


Drawing = tuple[Stroke, ...]


def stroke(points: Sequence[Sequence[float]], width: float) -> Stroke:
    """A stroke from any points: rounded to whole px, those closer than 3 px left out."""
    kept: list[Point] = []
    for position, (x, y) in enumerate(points):
        point = (_clamped(x), _clamped(y))
        far = not kept or max(abs(point[0] - kept[-1][0]), abs(point[1] - kept[-1][1])) >= LEAST_STEP
        if far or (position == len(points) - 1 and point != kept[-1]):
            kept.append(point)
    return Stroke(tuple(kept), max(1, min(CANVAS_SIDE, round(width))))


def _clamped(value: float) -> int:
    return max(-CANVAS_SIDE, min(2 * CANVAS_SIDE, round(value)))


def render(drawing: Drawing) -> UInt8[np.ndarray, "280 280"]:
    """White strokes with round ends on black, anti-aliased."""
    canvas = Image.new("L", (CANVAS_SIDE * SUPERSAMPLING,) * 2)
    pen = ImageDraw.Draw(canvas)
    for line in drawing:
        path = [(x * SUPERSAMPLING, y * SUPERSAMPLING) for x, y in line.points]
        radius = line.width * SUPERSAMPLING / 2
        pen.line(path, fill=255, width=line.width * SUPERSAMPLING, joint="curve")
        for x, y in (path[0], path[-1]):
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    return np.asarray(canvas.reduce(SUPERSAMPLING))


def encode(drawing: Drawing) -> str:
    """A drawing as text that fits into a link; about 150 characters a digit."""
    parts = [struct.pack("<HH", line.width, len(line.points)) for line in drawing]
    for position, line in enumerate(drawing):
        steps = np.diff(np.array([(0, 0), *line.points], dtype=np.int16), axis=0)
        parts[position] += steps.astype("<i2").tobytes()
    return base64.urlsafe_b64encode(zlib.compress(b"".join(parts), 9)).decode().rstrip("=")


def decode(text: str) -> Drawing:
    """The drawing that `encode` made a text of; no strokes for an empty text.

    Raises:
        PictureError: the text is no drawing.
    """
    if not text:
        return ()
    try:
        unpacker = zlib.decompressobj()
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        content = unpacker.decompress(packed, 4 * MAX_POINTS)
        if not unpacker.eof:
            raise ValueError("cut off or too long")
        strokes, offset = [], 0
        while offset < len(content):
            width, count = struct.unpack_from("<HH", content, offset)
            steps = np.frombuffer(content, "<i2", 2 * count, offset + 4).reshape(-1, 2)
            offset += 4 + 4 * count
            points = steps.astype(np.int64).cumsum(axis=0)
            strokes.append(Stroke(tuple((_clamped(x), _clamped(y)) for x, y in points.tolist()), width))
        if any(not line.points or not 1 <= line.width <= CANVAS_SIDE for line in strokes):
            raise ValueError("empty stroke or odd width")
    except (ValueError, zlib.error, struct.error) as error:
        raise PictureError(f"The link's drawing can't be read ({error}). Draw it again.") from error
    return tuple(strokes)
