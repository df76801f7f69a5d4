"""Pictures that are no digits, made of parts of digits."""

import numpy as np
from jaxtyping import Int64, UInt8

from core.outliers import BRUSHES, free_strokes
from core.preprocess import prepare
from core.strokes import render, stroke

CUTS = (10, 19)  # rows or columns between which digits are cut
SYMMETRIC = (0, 1, 8)  # still a digit when a half is replaced by the other's mirror image
SYMMETRIC_UPRIGHT = (0, 1, 3, 8)  # the same for the upper and the lower half
ENLARGED = 10  # times: to the canvas
INKED = 128  # of 255
ADDED = 0.25  # the least ink that a stroke adds, as a share of the digit's

Pixels = UInt8[np.ndarray, "n 28 28"]
Labels = Int64[np.ndarray, " n"]


def cut_digits(images: Pixels, labels: Labels, count: int, *, seed: int) -> UInt8[np.ndarray, "count 28 28"]:
    """Digits of two classes in one picture: the upper half of one, or the left one, with the rest of another.

    Args:
        images: digits to cut.
        labels: theirs.
        count: how many pictures to make.
        seed: of the choice.

    Returns:
        Pictures with their centre of mass in the middle, as MNIST has it.
    """
    generator = np.random.default_rng(seed)
    one, other = generator.integers(0, len(images), (2, 3 * count))
    apart = np.flatnonzero(labels[one] != labels[other])[:count]
    pixels, rest = images[one[apart]].copy(), images[other[apart]]
    places = generator.integers(*CUTS, len(apart))
    for row, (place, across) in enumerate(zip(places, generator.random(len(apart)) < 0.5, strict=True)):
        cut = np.s_[place:] if across else np.s_[:, place:]
        pixels[row][cut] = rest[row][cut]
        pixels[row] = _centred(pixels[row])
    return pixels  # type: ignore[no-any-return]


def pieces(images: Pixels, _labels: Labels, count: int, *, seed: int) -> UInt8[np.ndarray, "count 28 28"]:
    """Digits of which a part is missing: what lies beyond one row or column.

    Args:
        images: digits to cut.
        count: how many pictures to make.
        seed: of the choice.

    Returns:
        Pictures with their centre of mass in the middle, as MNIST has it.
    """
    generator = np.random.default_rng(seed)
    pixels = images[generator.integers(0, len(images), count)].copy()
    sides, places = generator.integers(0, 4, count), generator.integers(*CUTS, count)
    for row, (side, place) in enumerate(zip(sides, places, strict=True)):
        pixels[row][(np.s_[:place], np.s_[place:], np.s_[:, :place], np.s_[:, place:])[side]] = 0
        pixels[row] = _centred(pixels[row])
    return pixels


def _centred(pixels: UInt8[np.ndarray, "28 28"]) -> UInt8[np.ndarray, "28 28"]:
    total = max(1, int(pixels.sum()))
    rows, columns = pixels.sum(axis=1) @ np.arange(28) / total, pixels.sum(axis=0) @ np.arange(28) / total
    return np.roll(pixels, (round(14 - rows), round(14 - columns)), axis=(0, 1))


def mirrored_halves(
    images: Pixels, labels: Labels, count: int, *, seed: int
) -> UInt8[np.ndarray, "count 28 28"]:
    """One half of a digit and its mirror image: left and right, or above and below.

    Args:
        images: digits to cut; those that would look like a digit again are not taken.
        labels: theirs.
        count: how many pictures to make.
        seed: of the choice.
    """
    generator = np.random.default_rng(seed)
    found: list[np.ndarray] = []
    for upright, without in ((False, SYMMETRIC), (True, SYMMETRIC_UPRIGHT)):
        usable = np.flatnonzero(~np.isin(labels, without))
        number = count - len(found) if upright else count // 2
        for row in usable[generator.integers(0, len(usable), number)] if len(usable) else ():
            picture = images[row].T if upright else images[row]
            picture = picture[:, ::-1] if generator.random() < 0.5 else picture
            whole = np.concatenate([picture[:, :14], picture[:, 13::-1]], axis=1)
            found.append(_centred(whole.T if upright else whole))
    return np.stack(found) if found else np.zeros((0, 28, 28), np.uint8)


def a_stroke_more(
    images: Pixels, _labels: Labels, count: int, *, seed: int
) -> UInt8[np.ndarray, "count 28 28"]:
    """Digits drawn on the canvas with a random stroke over or beside them.

    Args:
        images: the digits.
        count: how many pictures to make.
        seed: of the choice and of the strokes.
    """
    generator = np.random.default_rng(seed)
    found: list[np.ndarray] = []
    while len(found) < count:
        digit = np.kron(images[generator.integers(len(images))], np.ones((ENLARGED,) * 2, np.uint8))
        path = free_strokes(generator)[0] * generator.uniform(120, 200) + generator.uniform(20, 80, 2)
        line = stroke(path.tolist(), int(generator.choice(BRUSHES)))
        added = render.__wrapped__((line,))
        if (added[digit < INKED] >= INKED).sum() >= ADDED * (digit >= INKED).sum():
            found.append(prepare(np.maximum(digit, added)).pixels)
    return np.stack(found) if found else np.zeros((0, 28, 28), np.uint8)
