"""Inputs that are no digits, made here without any download; none of them is used to fit a detector."""

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from core.array_cache import ArrayCache
from core.glyphs import Glyph, letters, rendered, symbols
from core.labelled import LabelledDigits
from core.paths import data_folder
from core.preprocess import VERSION as PREPARED
from core.preprocess import prepared_pixels
from core.strokes import render, stroke

SIDE = 28
KEPT = 48  # files of under 1 MB
VERSION = 1  # to be raised when a set is made in another way
MADE = f"{VERSION}-{PREPARED}"
POINT_SYMMETRIC = (0, 1, 2, 5, 6, 8, 9)  # still a digit, or nearly, when turned by 180°
MIRROR_SYMMETRIC = (0, 1, 8)
TURN_SYMMETRIC = (0,)  # by 90°
BRUSHES = (12, 16, 20)  # px on the canvas

Pixels = UInt8[np.ndarray, "_n 28 28"]
Make = Callable[[LabelledDigits, int, np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class Recipe:
    """How one set is made.

    Attributes:
        name: for people, what one picture of it shows.
        make: digits, how many, a generator → at most so many pictures.
        of_digits: whether it is made of digits, so that other digits give another set.
        glyphs: the characters that it is rendered of, so that other fonts give another set.
    """

    name: str
    make: Make
    of_digits: bool = False
    glyphs: Callable[[], list[Glyph]] | None = None


def made(key: str, digits: LabelledDigits, n: int, *, seed: int = 0) -> Pixels:
    """A generated set: made once, then read from `<data>/generated-inputs/`.

    Args:
        key: one of `RECIPES`.
        digits: what sets of digits are made of, in MNIST's convention.
        n: how many pictures, at most.
        seed: of everything random.
    """
    recipe = RECIPES[key]
    made_of = repr((digits.digest if recipe.of_digits else "", recipe.glyphs() if recipe.glyphs else ""))
    name = f"{key}-{n}-{seed}-{hashlib.sha256(made_of.encode()).hexdigest()[:12]}-{MADE}"
    cache = _cache()
    found = cache.read(name, shape=(None, SIDE, SIDE), kind="u")
    if found is None:
        found = recipe.make(digits, n, np.random.default_rng(seed))
        cache.write(name, found)
    return np.asarray(found)


def keep(keys: tuple[str, ...], n: int, seed: int, data: str) -> Iterator[str]:
    """Makes and keeps sets, one by one: the work of a process of its own (`core.ahead`).

    Args:
        keys: of sets that are made of no digits.
        n: pictures of a set.
        seed: of everything random.
        data: the data folder.

    Yields:
        The key of each set when it is there.
    """
    os.environ["DIGITSCOPE_DATA"] = data
    none = LabelledDigits("", np.zeros((0, 28, 28), np.uint8), np.zeros(0, np.int64), "")
    for key in keys:
        made(key, none, n, seed=seed)
        yield key


def is_kept(key: str, n: int, *, seed: int = 0) -> bool:
    """Whether such a set was made before, of whatever fonts and digits: a quick look."""
    return any(_cache().folder.glob(f"{key}-{n}-{seed}-*-{MADE}.npy"))


def _cache() -> ArrayCache:
    return ArrayCache(data_folder() / "generated-inputs", limit=KEPT)


def _blank(_digits: LabelledDigits, n: int, _generator: np.random.Generator) -> Pixels:
    """Even pictures, from black to white."""
    levels = np.unique(np.linspace(0, 255, min(n, 256)).round()).astype(np.uint8)
    return np.broadcast_to(levels[:, None, None], (len(levels), SIDE, SIDE)).copy()


def _uniform(_digits: LabelledDigits, n: int, generator: np.random.Generator) -> Pixels:
    return generator.integers(0, 256, (n, SIDE, SIDE), dtype=np.uint8)


def _gaussian(_digits: LabelledDigits, n: int, generator: np.random.Generator) -> Pixels:
    """Mean and standard deviation between 40 and 200, and 20 and 90."""
    middle, spread = generator.uniform(40, 200, (n, 1, 1)), generator.uniform(20, 90, (n, 1, 1))
    return _bytes(middle + spread * generator.standard_normal((n, SIDE, SIDE)))


def _stripes(_digits: LabelledDigits, n: int, generator: np.random.Generator) -> Pixels:
    """At any angle, 3 to 14 px from one to the next; sharp or soft."""
    y, x = np.mgrid[:SIDE, :SIDE]
    angle, period, phase, sharp = (
        generator.uniform(low, high, (n, 1, 1))
        for low, high in ((0, np.pi), (3, 14), (0, 2 * np.pi), (1, 12))
    )
    along = x * np.cos(angle) + y * np.sin(angle)
    waves = np.tanh(sharp * np.sin(2 * np.pi * along / period + phase))
    return _bytes(127.5 * (1 + waves / np.abs(waves).max(axis=(1, 2), keepdims=True)))


def _inverted(digits: LabelledDigits, n: int, generator: np.random.Generator) -> Pixels:
    return 255 - _some(digits, n, generator)


def _turned(quarters: int, without: tuple[int, ...]) -> Make:
    def make(digits: LabelledDigits, n: int, generator: np.random.Generator) -> np.ndarray:
        return np.rot90(_some(digits, n, generator, without), quarters, axes=(1, 2)).copy()

    return make


def _mirrored(digits: LabelledDigits, n: int, generator: np.random.Generator) -> Pixels:
    return _some(digits, n, generator, MIRROR_SYMMETRIC)[:, :, ::-1].copy()


def _pairs(digits: LabelledDigits, n: int, generator: np.random.Generator) -> Pixels:
    """Two digits beside each other, as large as the convention lets them be."""
    left, right = _some(digits, n, generator), _some(digits, n, generator)
    both = [np.concatenate(pair, axis=1) for pair in zip(left[:, :, 3:25], right[:, :, 3:25], strict=False)]
    return np.stack([prepared_pixels(np.kron(pair, np.ones((4, 4), np.uint8))) for pair in both])


def _scribbles(_digits: LabelledDigits, n: int, generator: np.random.Generator) -> Pixels:
    """One line of a pen that wanders: its direction drifts, now fast, now slowly."""
    return np.stack([_scribble(generator) for _ in range(n)])


def _scribble(generator: np.random.Generator) -> UInt8[np.ndarray, "28 28"]:
    steps = int(generator.integers(120, 320))
    bend = generator.normal(0, generator.uniform(0.12, 0.4), steps)
    turn = np.cumsum(np.cumsum(bend) * 0.12 + bend)
    path = np.cumsum(np.stack([np.cos(turn), np.sin(turn)], axis=1), axis=0)
    scale = generator.uniform(120, 220) / max(1e-6, float(np.ptp(path, axis=0).max()))
    line = stroke(((path - path.min(axis=0)) * scale + 25).tolist(), int(generator.choice(BRUSHES)))
    return prepared_pixels(render.__wrapped__((line,)))  # not into the cache, which others need


def _glyphs(known: Callable[[], list[Glyph]]) -> Make:
    def make(_digits: LabelledDigits, n: int, generator: np.random.Generator) -> np.ndarray:
        every = known()
        return rendered([every[row] for row in np.sort(generator.permutation(len(every))[:n])])

    return make


def _some(
    digits: LabelledDigits, n: int, generator: np.random.Generator, without: tuple[int, ...] = ()
) -> np.ndarray:
    rows = np.flatnonzero(~np.isin(digits.labels, without))
    return digits.images[np.sort(generator.permutation(rows)[:n])]  # type: ignore[no-any-return]


def _bytes(values: np.ndarray) -> np.ndarray:
    return values.round().clip(0, 255).astype(np.uint8)


RECIPES = {
    "letters": Recipe("Rendered letters", _glyphs(letters), glyphs=letters),
    "symbols": Recipe("Rendered symbols", _glyphs(symbols), glyphs=symbols),
    "scribbles": Recipe("Scribbles", _scribbles),
    "two-digits": Recipe("Two digits", _pairs, of_digits=True),
    "mirrored": Recipe("Mirrored digits", _mirrored, of_digits=True),
    "upside-down": Recipe("Digits at 180°", _turned(2, POINT_SYMMETRIC), of_digits=True),
    "on-the-side": Recipe("Digits at 90°", _turned(1, TURN_SYMMETRIC), of_digits=True),
    "inverted": Recipe("Inverted digits", _inverted, of_digits=True),
    "stripes": Recipe("Stripes", _stripes),
    "uniform-noise": Recipe("Uniform noise", _uniform),
    "gaussian-noise": Recipe("Gaussian noise", _gaussian),
    "blank": Recipe("Even pictures", _blank),
}
