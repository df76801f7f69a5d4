"""Pictures of random strokes, which are no digits, and digits as if a pen had drawn them."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from jaxtyping import Float, UInt8

from core.errors import NothingDrawn
from core.preprocess import prepare
from core.strokes import render, stroke

Path = Float[np.ndarray, "_points 2"]
Pixels = UInt8[np.ndarray, "n 28 28"]
Progress = Callable[[int, int], None]
Strokes = Callable[[np.random.Generator], list[Path]]

SIZES = (100, 140, 200)  # px on the canvas
BRUSHES = (10, 14, 18, 22, 28)
COUNTS = {1: 0.15, 2: 0.3, 3: 0.3, 4: 0.15, 5: 0.1}  # how many a scrawl has, and how often
COLUMNS, ROWS = (0.0, 0.5, 1.0), (0.0, 1 / 3, 2 / 3, 1.0)
# Of a figure that is joined as writing is: its parts, how many, and how often.
FIGURES = {2: 0.4, 3: 0.4, 4: 0.2}
LINE = (0.0, 0.5, 1.0)
SPANS = ((0.0, 1.0), (0.0, 0.5), (0.5, 1.0))
TURNS = {0.5: 0.15, 1.0: 0.5, 1.5: 0.25, 2.0: 0.1}  # of a bowl, in half turns
JOINED = 0.05  # the most that two parts may lie apart, of the figure's side
TRIES = 40
UPRIGHT = (0.0, np.pi / 2, np.pi, -np.pi / 2)


def scrawls(n: int, *, seed: int, strokes: Strokes, progress: Progress | None = None) -> Pixels:
    """Random strokes drawn on the canvas.

    Args:
        n: how many pictures.
        seed: of the strokes.
        strokes: `lattice_strokes`, `free_strokes` or `joined_strokes`.
        progress: called with (done, total).
    """
    generator = np.random.default_rng(seed)
    found: list[np.ndarray] = []
    while len(found) < n:
        try:
            found.append(drawn(strokes(generator), generator))
        except NothingDrawn:
            continue
        if progress and (not len(found) % 200 or len(found) == n):
            progress(len(found), n)
    return np.stack(found) if found else np.zeros((0, 28, 28), np.uint8)


def lattice_strokes(generator: np.random.Generator) -> list[Path]:
    """Strokes between points of a lattice of 3 by 4: straight ones and bows."""
    points = np.array([(x, y) for x in COLUMNS for y in ROWS])
    points = points + generator.normal(0, 0.04, points.shape)
    paths = []
    for _ in range(_how_many(generator)):
        start, end = points[generator.choice(len(points), 2, replace=False)]
        along = np.linspace(0, 1, 20)[:, None]
        bow = generator.choice([0.0, generator.uniform(-0.6, 0.6)])
        across = np.array([start[1] - end[1], end[0] - start[0]]) * bow
        paths.append(start + (end - start) * along + across * 4 * along * (1 - along))
    return paths


def free_strokes(generator: np.random.Generator) -> list[Path]:
    """Lines, curves, corners, arcs and waves anywhere; half of them begin on an earlier one."""
    paths: list[Path] = []
    for _ in range(_how_many(generator)):
        start = generator.random(2)
        if paths and generator.random() < 0.5:
            earlier = paths[generator.integers(len(paths))]
            start = earlier[generator.integers(len(earlier))]
        kind = (_line, _curve, _corners, _arc, _wave)[generator.integers(5)]
        paths.append(kind(start, generator))
    return paths


def joined_strokes(generator: np.random.Generator) -> list[Path]:
    """Stems, bars, diagonals and bowls, each with an end or its middle on an earlier one."""
    paths = [_part(generator)]
    wanted = int(generator.choice(list(FIGURES), p=list(FIGURES.values())))
    for _ in range(TRIES):
        if len(paths) == wanted:
            break
        new, earlier = _part(generator), np.concatenate(paths)
        ends = new[[0, -1, len(new) // 2]]
        if np.linalg.norm(ends[:, None] - earlier[None], axis=2).min() < JOINED:
            paths.append(new)
    slant = np.array([[generator.uniform(0.55, 1.05), 0], [generator.normal(0, 0.12), 1]])
    return [path @ slant + generator.normal(0, 0.015, path.shape) for path in paths]


def _part(generator: np.random.Generator) -> Path:
    kind = generator.random()
    if kind < 0.75:
        start, end = generator.choice(LINE, (2, 2))
        if kind < 0.55:  # a stem or a bar
            low, high = SPANS[generator.choice(3, p=[0.6, 0.2, 0.2])]
            place = generator.choice(LINE)
            start, end = np.array([place, low]), np.array([place, high])
            if kind > 0.3:
                start, end = start[::-1], end[::-1]
        return np.linspace(start, end, 12)
    boxes = np.array([SPANS[row] for row in generator.choice(3, 2, p=[0.4, 0.3, 0.3])])
    first = generator.choice([0, 0.5, 1, 1.5]) * np.pi
    angles = first + np.linspace(0, np.pi * generator.choice(list(TURNS), p=list(TURNS.values())), 24)
    round_ = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return boxes.mean(axis=1) + round_ * np.ptp(boxes, axis=1) / 2  # type: ignore[no-any-return]


def _how_many(generator: np.random.Generator) -> int:
    return int(generator.choice(list(COUNTS), p=list(COUNTS.values())))


def _line(start: np.ndarray, generator: np.random.Generator) -> Path:
    upright = generator.choice(UPRIGHT) + generator.normal(0, 0.12)
    angle = upright if generator.random() < 0.7 else generator.uniform(0, 2 * np.pi)
    end = start + generator.uniform(0.3, 1) * np.array([np.cos(angle), np.sin(angle)])
    return np.linspace(start, end, 12)


def _curve(start: np.ndarray, generator: np.random.Generator) -> Path:
    first, second, third = generator.random((3, 2))
    t = np.linspace(0, 1, 20)[:, None]
    return (1 - t) ** 3 * start + 3 * (1 - t) ** 2 * t * first + 3 * (1 - t) * t**2 * second + t**3 * third  # type: ignore[no-any-return]


def _corners(start: np.ndarray, generator: np.random.Generator) -> Path:
    points = np.stack([start, *generator.random((generator.integers(2, 4), 2))])
    legs = [np.linspace(a, b, 8) for a, b in pairwise(points)]
    return np.concatenate(legs)


def _arc(start: np.ndarray, generator: np.random.Generator) -> Path:
    first = generator.uniform(0, 2 * np.pi)
    turn = generator.uniform(0.7, 2) * np.pi * generator.choice([-1, 1])
    angles = np.linspace(first, first + turn, 24)
    radii = generator.uniform(0.12, 0.5) * np.array([1, generator.uniform(0.6, 1.4)])
    path = np.stack([np.cos(angles), np.sin(angles)], axis=1) * radii
    return path + start - path[0]  # type: ignore[no-any-return]


def _wave(start: np.ndarray, generator: np.random.Generator) -> Path:
    t = np.linspace(0, 1, 30)
    phase, waves = generator.uniform(0, 2 * np.pi), generator.uniform(2, 5)
    path = np.stack([t * generator.uniform(0.4, 1), 0.15 * np.sin(t * np.pi * waves + phase)], axis=1)
    angle = generator.uniform(0, 2 * np.pi)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return path @ turn + start  # type: ignore[no-any-return]


def drawn(paths: list[Path], generator: np.random.Generator) -> UInt8[np.ndarray, "28 28"]:
    """As the canvas draws them and `prepare` reads them."""
    points = np.concatenate(paths)
    scale = generator.choice(SIZES) / max(1e-6, float(np.ptp(points, axis=0).max()))
    brush, low = int(generator.choice(BRUSHES)), points.min(axis=0)
    lines = tuple(stroke(((path - low) * scale + 30).tolist(), brush) for path in paths)
    return prepare(render.__wrapped__(lines)).pixels  # not into the cache, which others need


def redrawn(images: Pixels, *, progress: Progress | None = None) -> Pixels:
    """The same digits as if a pen had drawn them large: enlarged tenfold, and prepared again."""
    found = np.empty_like(images)
    for row, picture in enumerate(images):
        found[row] = prepare(np.kron(picture, np.ones((10, 10), np.uint8))).pixels
        if progress and (not row % 200 or row == len(images) - 1):
            progress(row + 1, len(images))
    return found
