"""Marks over a digit, and the digit as its own outline: stripes, fog, mud, lines, edges."""

from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Float32, UInt8
from scipy import ndimage
from scipy.special import ndtri

from core.warp import SIDE

Digits = UInt8[np.ndarray, "n 28 28"]
Light = Float32[np.ndarray, "n 28 28"]

# By severity, 1 to 5. Ours are those that MNIST-C has at one severity only, and spatter's, as MNIST-C's
# five are two kinds of it (water, mud) that do not grow.
STRIPE = (3, 5, 7, 9, 11)  # columns at either edge; MNIST-C: 7
FOG = ((1.5, 2.0), (2.0, 2.0), (2.5, 1.7), (2.5, 1.5), (3.0, 1.4))  # thickness, fading; MNIST-C's
MUD = (0.05, 0.1, 0.2, 0.3, 0.4)  # share of the picture under mud
LINES = (1, 2, 3, 4, 5)  # dotted lines, zigzags; MNIST-C: 1
EDGES = (0.2, 0.4, 0.6, 0.8, 1.0)  # share of the outline, the rest is the digit; MNIST-C: 1
MUD_LIGHT, MUD_GRAIN = 63, 1.5  # brightness of 255; px
DOT = 2.0  # px that a dot is long, and the gap after it
ZIGZAG = 2.0  # px from a zigzag's middle to its tip
EDGE_BLUR, EDGE_LOW, EDGE_HIGH = 1.0, 0.1, 0.2  # px; of full brightness, as scikit-image's defaults


def stripe(images: Digits, severity: int, generator: np.random.Generator) -> Digits:
    """The `STRIPE` outermost columns on either side as their negative."""
    width = STRIPE[severity - 1]
    striped = images.copy()
    for columns in (slice(None, width), slice(SIDE - width, None)):
        striped[:, :, columns] = 255 - striped[:, :, columns]
    return striped


def fog(images: Digits, severity: int, generator: np.random.Generator) -> Digits:
    """Clouds laid over the digit, which pales as if the camera adapted: (x + t·cloud) / (1 + t)."""
    thickness, fading = FOG[severity - 1]
    veiled = images / np.float32(255) + thickness * _clouds(len(images), fading, generator)
    return _bytes(veiled * np.float32(255 / (1 + thickness)))


def _clouds(count: int, fading: float, generator: np.random.Generator) -> Light:
    """Fractal noise in [0, 1]: random nodes 32, 16, 8, 4 and 2 px apart, each finer layer `fading` weaker."""
    cloud = np.zeros((count, SIDE, SIDE), dtype=np.float32)
    for layer, spacing in enumerate((32, 16, 8, 4, 2)):
        nodes = 32 // spacing + 1
        place = np.arange(SIDE) / spacing
        basis = np.maximum(0, 1 - np.abs(place[:, None] - np.arange(nodes))).astype(np.float32)  # linear
        heights = generator.uniform(-1, 1, (count, nodes, nodes)).astype(np.float32)
        cloud += basis @ heights @ basis.T / np.float32(fading**layer)
    low, high = cloud.min(axis=(1, 2), keepdims=True), cloud.max(axis=(1, 2), keepdims=True)
    return np.asarray((cloud - low) / (high - low), dtype=np.float32)


def spatter(images: Digits, severity: int, generator: np.random.Generator) -> Digits:
    """Blots of dark grey mud over a share `MUD` of the picture, on average."""
    noise = generator.standard_normal(images.shape, dtype=np.float32)
    layer = ndimage.gaussian_filter(noise, (0, MUD_GRAIN, MUD_GRAIN), mode="wrap")
    height = layer * (2 * np.sqrt(np.pi) * MUD_GRAIN)  # the blur left so much of the noise's deviation
    # An edge over two tenths of a deviation: blots have one, not a staircase.
    cover = np.clip((height + ndtri(MUD[severity - 1])) / 0.2 + 0.5, 0, 1).astype(np.float32)
    return _bytes(images * (1 - cover) + MUD_LIGHT * cover)


def dotted_line(images: Digits, severity: int, generator: np.random.Generator) -> Digits:
    """White dotted lines from the left edge to the right, each at a random slant."""
    lines = np.zeros(images.shape, dtype=np.float32)
    for along, across, _ in _slants(len(images), 0, SIDE, 0, generator)[: LINES[severity - 1]]:
        dots = along % (2 * DOT) >= DOT
        lines = np.maximum(lines, _ink(across) * dots)
    return _bytes(images + 255 * lines)


def zigzag(images: Digits, severity: int, generator: np.random.Generator) -> Digits:
    """White zigzags across the picture, each at a slight random slant."""
    lines = np.zeros(images.shape, dtype=np.float32)
    for along, across, length in _slants(len(images), 2, 5, 2, generator)[: LINES[severity - 1]]:
        # A triangular wave between -ZIGZAG and ZIGZAG, as steep up as down: 45°.
        wave = np.abs((along + ZIGZAG) % (4 * ZIGZAG) - 2 * ZIGZAG) - ZIGZAG
        distance = np.abs(across - wave) / np.sqrt(np.float32(2))
        lines = np.maximum(lines, _ink(distance) * (along >= 0) * (along <= length))
    return _bytes(images + 255 * lines)


def _slants(
    count: int, margin: int, drop: int, ends: int, generator: np.random.Generator
) -> list[tuple[Any, ...]]:
    """As many random lines a picture as the worst severity has.

    Args:
        count: pictures.
        margin: px from the left and the right edge to the ends of a line.
        drop: px at most that the right end is lower or higher than the left one, where it is inside.
        ends: px from the upper and the lower edge that the left ends keep.
        generator: of the heights.

    Returns:
        For each line the place along it and the place across it of every pixel, px, float32
        (count, 28, 28), and the lengths (count, 1, 1).
    """
    y, x = np.indices((SIDE, SIDE), dtype=np.float32)
    lines = []
    for _ in range(max(LINES)):
        left = generator.uniform(ends, SIDE - 1 - ends, (count, 1, 1))
        right = generator.uniform(np.maximum(left - drop, 0), np.minimum(left + drop, SIDE - 1))
        width = SIDE - 1 - 2 * margin
        length = np.hypot(width, right - left)
        cos, sin = (np.float32(1) * (side / length) for side in (width, right - left))
        along = ((x - margin) * cos + (y - left) * sin).astype(np.float32)
        across = ((y - left) * cos - (x - margin) * sin).astype(np.float32)
        lines.append((along, across, length.astype(np.float32)))
    return lines


def _ink(distance: Float32[np.ndarray, "n 28 28"]) -> Light:
    """A line's brightness at a distance from its middle, px: white to 0.5, gone at 1.5."""
    return np.clip(1.5 - np.abs(distance), 0, 1).astype(np.float32)  # type: ignore[no-any-return]


def canny_edges(images: Digits, severity: int, generator: np.random.Generator) -> Digits:
    """The digit faded into its outline by Canny's detector (1986), a white px wide."""
    share = np.float32(EDGES[severity - 1])
    return _bytes(images * (1 - share) + outlines(images) * (255 * share))


def outlines(images: Digits) -> Bool[np.ndarray, "n 28 28"]:
    """Canny's edges: smoothed, the steepest places across the slope, those kept that hang on a strong one."""
    smooth = ndimage.gaussian_filter(
        images / np.float32(255), (0, EDGE_BLUR, EDGE_BLUR), mode="constant", output=np.float32
    )
    right, down = _slope(smooth, 2, 1), _slope(smooth, 1, 2)
    steep = np.hypot(right, down)
    ridge = _ridges(steep, right, down) & (steep >= EDGE_LOW)
    within = np.zeros((3, 3, 3), dtype=bool)
    within[1] = True  # neighbours in the same picture alone
    pieces, count = ndimage.label(ridge, within)
    strong = np.zeros(count + 1, dtype=bool)
    strong[pieces[ridge & (steep >= EDGE_HIGH)]] = True
    return np.asarray(strong[pieces] & ridge)


def _slope(smooth: Light, along: int, beside: int) -> Light:
    """Sobel's; SciPy's own would smooth over the batch, too."""
    difference = ndimage.correlate1d(smooth, [-1, 0, 1], axis=along, mode="constant")
    return np.asarray(ndimage.correlate1d(difference, [1, 2, 1], axis=beside, mode="constant"))


def _ridges(
    steep: Float[np.ndarray, "n 28 28"],
    right: Float[np.ndarray, "n 28 28"],
    down: Float[np.ndarray, "n 28 28"],
) -> Bool[np.ndarray, "n 28 28"]:
    """Where the slope is not less than at either neighbour in its own direction, of four directions."""
    framed = np.pad(steep, ((0, 0), (1, 1), (1, 1)))
    direction = np.rint(np.arctan2(down, right) / (np.pi / 4)).astype(int) % 4
    found = np.zeros(steep.shape, dtype=bool)
    for which, (dy, dx) in enumerate(((0, 1), (1, 1), (1, 0), (1, -1))):
        ahead, behind = (
            framed[:, 1 + sign * dy : SIDE + 1 + sign * dy, 1 + sign * dx : SIDE + 1 + sign * dx]
            for sign in (1, -1)
        )
        # Of two as steep ones the first alone, or an edge would be two px wide.
        found |= (direction == which) & (steep >= ahead) & (steep > behind)
    return found


def _bytes(images: Float[np.ndarray, "n 28 28"]) -> Digits:
    return np.rint(images).clip(0, 255).astype(np.uint8)  # type: ignore[no-any-return]
