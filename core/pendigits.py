"""Digits as pen trajectories (UNIPEN), drawn as the Draw page's canvas draws them.

The real input of the Draw page, for measurement: UCI Pen-Based Recognition of Handwritten Digits
(Alpaydin, Alimoglu 1998; CC BY 4.0).
"""

import gzip
import re
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32, UInt8

from core.errors import DatasetError
from core.strokes import CANVAS_SIDE, render, stroke

BRUSH = 18
SIZES = {"small": 70, "middle": 140, "large": 230}  # the digit's longer side on the canvas, px
UPWARDS = np.array([1, -1], dtype=np.float32)  # UNIPEN's y axis points up

Trajectory = Float32[np.ndarray, "_points 2"]


@dataclass(frozen=True, eq=False)
class PenDigit:
    """One written digit: its strokes in px, y downwards, and its label."""

    label: int
    strokes: tuple[Trajectory, ...]


def read_unipen(path: Path) -> list[PenDigit]:
    """Reads `.SEGMENT DIGIT … "label"`, `.PEN_DOWN`, `.PEN_UP` and points, gzipped or not.

    Raises:
        DatasetError: no such file, or no digit in it.
    """
    try:
        content = path.read_bytes()
        text = (gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content).decode("latin-1")
    except (OSError, EOFError, zlib.error) as error:
        raise DatasetError(f"{path}: can't be read ({error}). Fetch the file again.") from error
    digits = []
    for segment in text.split(".SEGMENT DIGIT")[1:]:
        label = re.search(r'"(\d)"', segment)
        strokes = []
        for drawn in segment.split(".PEN_DOWN")[1:]:
            points = re.findall(r"^\s*(-?\d+)\s+(-?\d+)\s*$", drawn.split(".PEN_UP")[0], re.MULTILINE)
            if points:
                strokes.append(np.array(points, dtype=np.float32) * UPWARDS)
        if label and strokes:
            digits.append(PenDigit(int(label[1]), tuple(strokes)))
    if not digits:
        raise DatasetError(f"{path}: no digit found. Give a UNIPEN file with `.SEGMENT DIGIT` lines.")
    return digits


def draw(
    digit: PenDigit, *, size: int, brush: int = BRUSH, generator: np.random.Generator
) -> UInt8[np.ndarray, "280 280"]:
    """Draws a digit with round white strokes on the black canvas, at a random place.

    Args:
        digit: the trajectory.
        size: the longer side of the trajectory on the canvas, px.
        brush: the stroke's width, px.
        generator: where it lies on the canvas.
    """
    points = np.concatenate(digit.strokes)
    low, extent = points.min(axis=0), float(max(1e-6, np.ptp(points, axis=0).max()))
    scale = size / extent
    margin = brush / 2 + 1
    room = CANVAS_SIDE - 2 * margin - np.ptp(points, axis=0) * scale
    corner = margin + generator.random(2) * room
    placed = [(trajectory - low) * scale + corner for trajectory in digit.strokes]
    return render(tuple(stroke(path.tolist(), brush) for path in placed))
