"""A drawing as strokes: what the canvas holds, what a link carries, what is drawn for the model."""

import base64
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw

from core.errors import PictureError

CANVAS_SIDE = 280
TRACED = 100  # of 255: the least brightness of a pixel that `trace` takes for ink
MAX_STROKES, MAX_POINTS = 200, 4_000  # of a drawing in a link: many times what a digit needs
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
    """A stroke from any points: rounded to whole px, those closer than 3 px left out, at most 4,000."""
    kept: list[Point] = []
    for position, (x, y) in enumerate(points):
        point = (_clamped(x), _clamped(y))
        far = not kept or max(abs(point[0] - kept[-1][0]), abs(point[1] - kept[-1][1])) >= LEAST_STEP
        if far or (position == len(points) - 1 and point != kept[-1]):
            kept.append(point)
    return Stroke(_thinned(tuple(kept), MAX_POINTS), max(1, min(CANVAS_SIDE, round(width))))


def _thinned(points: tuple[Point, ...], limit: int) -> tuple[Point, ...]:
    """At most `limit` (two or more) of the points, evenly along the stroke, with both ends."""
    if len(points) <= limit:
        return points
    return tuple(points[row] for row in np.linspace(0, len(points) - 1, limit).round().astype(int))


def _clamped(value: float) -> int:
    return max(-CANVAS_SIDE, min(2 * CANVAS_SIDE, round(value)))


def trace(pixels: UInt8[np.ndarray, "28 28"]) -> Drawing:
    """A digit's ink as strokes, a horizontal one for each run of its pixels: a start to draw on from."""
    side = CANVAS_SIDE // 28
    strokes = []
    for row, line in enumerate(pixels >= TRACED):
        edges = np.flatnonzero(np.diff(np.concatenate([[False], line, [False]])))
        y = row * side + side // 2
        for first, end in edges.reshape(-1, 2).tolist():
            left, right = first * side + side // 2, (end - 1) * side + side // 2
            strokes.append(Stroke(((left, y),) if left == right else ((left, y), (right, y)), side + 2))
    return tuple(strokes)


@lru_cache(maxsize=32)  # a page that is drawn anew for another reason finds it ready
def render(drawing: Drawing) -> UInt8[np.ndarray, "280 280"]:
    """White strokes with round ends on black, anti-aliased; read-only, as every caller gets the same."""
    canvas = Image.new("L", (CANVAS_SIDE * SUPERSAMPLING,) * 2)
    pen = ImageDraw.Draw(canvas)
    for line in (line for line in drawing if line.points):
        path = [(x * SUPERSAMPLING, y * SUPERSAMPLING) for x, y in line.points]
        radius = line.width * SUPERSAMPLING / 2
        pen.line(path, fill=255, width=line.width * SUPERSAMPLING, joint="curve")
        for x, y in (path[0], path[-1]):
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    pixels = np.asarray(canvas.reduce(SUPERSAMPLING))
    pixels.flags.writeable = False
    return pixels


def encode(drawing: Drawing) -> str:
    """A drawing as text that fits into a link; about 150 characters a digit.

    Of a drawing over the limits of `decode`, the first 200 strokes are kept, with fewer points.
    """
    parts = []
    for line in _within_limits(drawing):
        points = [(_clamped(x), _clamped(y)) for x, y in line.points]
        steps = np.diff(np.array([(0, 0), *points], dtype=np.int16), axis=0)
        head = struct.pack("<HH", max(1, min(CANVAS_SIDE, line.width)), len(points))
        parts.append(head + steps.astype("<i2").tobytes())
    return base64.urlsafe_b64encode(zlib.compress(b"".join(parts), 9)).decode().rstrip("=")


def _within_limits(drawing: Drawing) -> Drawing:
    kept = [line for line in drawing if line.points][:MAX_STROKES]
    total = sum(len(line.points) for line in kept)
    if total <= MAX_POINTS:
        return tuple(kept)
    share = (MAX_POINTS - 2 * len(kept)) / total
    return tuple(
        Stroke(_thinned(line.points, 2 + int(share * len(line.points))), line.width) for line in kept
    )


def decode(text: str) -> Drawing:
    """The drawing that `encode` made a text of; no strokes for an empty text.

    Raises:
        PictureError: the text is no drawing, or one of over 200 strokes or 4,000 points.
    """
    if not text:
        return ()
    try:
        unpacker = zlib.decompressobj()
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        content = unpacker.decompress(packed, 4 * (MAX_STROKES + MAX_POINTS))
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
        if len(strokes) > MAX_STROKES or sum(len(line.points) for line in strokes) > MAX_POINTS:
            raise ValueError(f"over {MAX_STROKES} strokes or {MAX_POINTS:,} points")
    except (ValueError, zlib.error, struct.error) as error:
        raise PictureError(f"The link's drawing can't be read ({error}). Draw it again.") from error
    return tuple(strokes)
