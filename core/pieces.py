"""A digit's ink in pieces: its strokes between crossings and ends, the long ones cut."""

import numpy as np
from jaxtyping import Bool, Int64, UInt8
from scipy import ndimage

INKED = 80  # of 255: the least brightness that has a say in where strokes run
LONGEST, SHORTEST = 11, 3  # px along a piece's middle line
AROUND = np.ones((3, 3), dtype=bool)

Labels = Int64[np.ndarray, "28 28"]
Line = Bool[np.ndarray, "28 28"]


def pieces_of(pixels: UInt8[np.ndarray, "28 28"]) -> Labels:
    """The number of the piece that each pixel of ink belongs to, from 1; 0 for paper.

    The middle lines of the strokes (Zhang and Suen's thinning, doi:10.1145/357994.358023) are cut where they
    cross and every `LONGEST` px; a pixel belongs to the nearest of them.
    A blot that has no line is one piece.

    Args:
        pixels: in MNIST's convention.
    """
    ink = pixels > 0
    lines = np.zeros(pixels.shape, dtype=np.int64)
    blots, count = ndimage.label(pixels >= INKED, AROUND)
    for blot in range(1, count + 1):
        for line in _lines(blots == blot):
            lines[line] = lines.max() + 1
    if not lines.any():
        return ink.astype(np.int64)
    nearest = ndimage.distance_transform_edt(lines == 0, return_distances=False, return_indices=True)
    return np.where(ink, lines[tuple(nearest)], 0)


def _lines(blot: Line) -> list[Line]:
    """The middle lines of connected ink, cut; the blot itself where they are all too short."""
    from skimage.morphology import skeletonize  # 0.2 s to import

    skeleton = np.asarray(skeletonize(blot))  # type: ignore[no-untyped-call]
    beside = ndimage.convolve(skeleton.astype(np.int64), AROUND.astype(np.int64), mode="constant") - 1
    crossings = skeleton & (beside >= 3)
    branches, count = ndimage.label(skeleton & ~crossings, AROUND)
    found = [part for number in range(1, count + 1) for part in _cut(branches == number)]
    return found or [blot]


def _cut(branch: Line) -> list[Line]:
    path = _path(branch)
    if len(path) < SHORTEST:
        return []
    parts = np.array_split(np.array(path), -(-len(path) // LONGEST))
    lines = []
    for part in parts:
        line = np.zeros(branch.shape, dtype=bool)
        line[part[:, 0], part[:, 1]] = True
        lines.append(line)
    return lines


def _path(branch: Line) -> list[tuple[int, int]]:
    """The pixels of a line without crossings from one end to the other; of a loop, all the way round."""
    left = {(int(y), int(x)) for y, x in np.argwhere(branch)}
    here = min(left, key=lambda place: (len(_beside(place, left)), place))  # an end has one neighbour
    path = []
    while True:
        left.discard(here)
        path.append(here)
        ways = _beside(here, left)
        if not ways:
            return path
        here = min(ways, key=lambda place: abs(place[0] - here[0]) + abs(place[1] - here[1]))


def _beside(place: tuple[int, int], among: set[tuple[int, int]]) -> list[tuple[int, int]]:
    y, x = place
    around = [(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dy or dx]
    return [each for each in around if each in among]
