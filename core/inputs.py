"""Sets of inputs that are no digits: made here, fetched, or found in the data folder."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import UInt8

from core.errors import DatasetError
from core.found_inputs import found_folders, read_found
from core.generated_inputs import RECIPES, made
from core.labelled import LabelledDigits, Progress

SAMPLE = 1000  # pictures of a set, at most
OTHER_DIGITS = "other-digits"
FOUND = "found/"  # the keys of those in the data folder begin with it


@dataclass(frozen=True, eq=False)
class InputSet:
    """Pictures that a model has no answer for.

    Attributes:
        key: for links and caches.
        name: what they show, for people.
        images: as the network gets them.
        n: how many there are, of which `images` may be a sample.
        skipped: files that could not be used, with the reason.
    """

    key: str
    name: str
    images: UInt8[np.ndarray, "n 28 28"]
    n: int
    skipped: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.images)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the images, in hexadecimal."""
        return hashlib.sha256(np.ascontiguousarray(self.images).data).hexdigest()


def set_names(classes: tuple[int, ...]) -> dict[str, str]:
    """The sets at hand, by key: those of one's own first, then the made ones.

    Args:
        classes: the digits that the model knows; to a model of fewer than ten the others are unusual too.
    """
    own = {FOUND + name: name for name in found_folders()}
    others = {OTHER_DIGITS: "The other digits"} if len(classes) < 10 else {}
    return own | others | {key: recipe.name for key, recipe in RECIPES.items()}


def load_set(
    key: str,
    digits: LabelledDigits,
    classes: tuple[int, ...],
    *,
    n: int = SAMPLE,
    seed: int = 0,
    progress: Progress | None = None,
) -> InputSet:
    """One set.

    Args:
        key: of `set_names`.
        digits: what sets of digits are made of.
        classes: the digits that the model knows.
        n: how many pictures, at most.
        seed: of the sample and of everything random.
        progress: called with (done, total) while pictures of a folder are prepared.

    Raises:
        DatasetError: no such set, or one that can't be read.
    """
    names = set_names(classes)
    if key not in names:
        raise DatasetError(f"No set {key!r}. There are {', '.join(names)}.")
    if key.startswith(FOUND):
        found = read_found(found_folders()[names[key]], n, seed=seed, progress=progress)
        return InputSet(key, names[key], found.images, found.n, found.skipped)
    if key == OTHER_DIGITS:
        rows = np.flatnonzero(~np.isin(digits.labels, classes))
        images = digits.images[np.sort(np.random.default_rng(seed).permutation(rows)[:n])]
        return InputSet(key, names[key], images, len(rows))
    images = made(key, digits.only(classes), n, seed=seed)
    return InputSet(key, names[key], images, len(images))
