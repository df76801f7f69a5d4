"""Digits moved, turned, scaled and sheared: a batch under one affine map each."""

import numpy as np
from jaxtyping import Float, Float32, UInt8

SIDE = 28
MIDDLE = (SIDE - 1) / 2  # of the picture, in px: half-way between its two middle pixels


def warped(
    images: UInt8[np.ndarray, "n 28 28"], matrices: Float[np.ndarray, "n 2 3"]
) -> UInt8[np.ndarray, "n 28 28"]:
    """Bilinear sampling; what comes from beyond the picture is black.

    Args:
        images: 0 to 255.
        matrices: from each picture's (x, y, 1) to where its brightness comes from in the original, in px
            from the picture's middle, x to the right and y downwards.
    """
    return _rounded(sampled(images.astype(np.float32), matrices))


def sampled(
    images: Float32[np.ndarray, "n 28 28"], matrices: Float[np.ndarray, "n 2 3"]
) -> Float32[np.ndarray, "n 28 28"]:
    """The same of any brightness, not rounded."""
    places = np.indices((SIDE, SIDE), dtype=np.float64).reshape(2, -1) - MIDDLE  # (y, x)
    sources = matrices @ np.stack([places[1], places[0], np.ones(SIDE**2)])  # (n, 2, 784): x and y
    # One px of black all round: every place beyond it is as black as the frame.
    framed = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    x, y = (np.clip(sources[:, axis] + MIDDLE + 1, 0, SIDE + 1) for axis in (0, 1))
    left, top = (np.minimum(np.floor(along), SIDE).astype(np.int64) for along in (x, y))
    across, down = (x - left).astype(np.float32), (y - top).astype(np.float32)
    width = SIDE + 2
    first = np.arange(len(images))[:, None] * width**2 + top * width + left
    flat = framed.reshape(-1)
    upper = flat[first] * (1 - across) + flat[first + 1] * across
    lower = flat[first + width] * (1 - across) + flat[first + width + 1] * across
    return (upper * (1 - down) + lower * down).reshape(-1, SIDE, SIDE)  # type: ignore[no-any-return]


def turns(degrees: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n 2 3"]:
    """Rotations about the middle, clockwise, in degrees."""
    angle = np.radians(degrees)
    cos, sin, none = np.cos(angle), np.sin(angle), np.zeros(len(angle))
    return _rows((cos, sin, none), (-sin, cos, none))


def shifts(right: Float[np.ndarray, " n"], down: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n 2 3"]:
    """Shifts in px."""
    one, none = np.ones(len(right)), np.zeros(len(right))
    return _rows((one, none, -right), (none, one, -down))


def zooms(size: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n 2 3"]:
    """Sizes as shares of the original, over 0: 0.5 is half as wide and high, about the middle."""
    share, none = 1 / size, np.zeros(len(size))
    return _rows((share, none, none), (none, share, none))


def shears(slope: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n 2 3"]:
    """Horizontal shears about the middle: px to the left for each px upwards."""
    one, none = np.ones(len(slope)), np.zeros(len(slope))
    return _rows((one, -slope, none), (none, one, none))


def _rows(*rows: tuple[np.ndarray, ...]) -> Float[np.ndarray, "n 2 3"]:
    return np.stack([np.stack(row, axis=1) for row in rows], axis=1)


def _rounded(images: Float32[np.ndarray, "n 28 28"]) -> UInt8[np.ndarray, "n 28 28"]:
    return np.rint(images).clip(0, 255).astype(np.uint8)  # type: ignore[no-any-return]
