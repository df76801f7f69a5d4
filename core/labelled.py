"""Labelled digits: what a data set is once it is loaded, wherever it came from."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Int, Int64, UInt8

Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)  # arrays have no single answer to ==
class LabelledDigits:
    """Pictures in MNIST's convention with the digits that people say they show.

    Attributes:
        name: what `core.datasets.load_dataset` was given.
        images: white ink on black, 0 to 255.
        labels: the digits, 0 to 9.
        source: where the set comes from, for people to read.
        skipped: files that could not be used, with the reason.
        names: each picture's file, relative to the folder or the archive; empty for arrays.
    """

    name: str
    images: UInt8[np.ndarray, "n 28 28"]
    labels: Int64[np.ndarray, " n"]
    source: str
    skipped: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over images, labels and names, in hexadecimal: the same for the same digits alone."""
        found = hashlib.sha256(np.ascontiguousarray(self.images).data)
        found.update(np.ascontiguousarray(self.labels, dtype="<i8").data)
        found.update(json.dumps(self.names).encode())
        return found.hexdigest()

    @cached_property
    def told(self) -> str:
        """SHA-256 over the name, the source and what was skipped: all that `digest` leaves out."""
        return hashlib.sha256(json.dumps([self.name, self.source, self.skipped]).encode()).hexdigest()

    def only(self, classes: Sequence[int]) -> "LabelledDigits":
        """The digits whose label is among `classes`."""
        return self.take(np.isin(self.labels, classes))

    def take(self, rows: Bool[np.ndarray, " n"] | Int[np.ndarray, " m"]) -> "LabelledDigits":
        """The digits of these rows, in their order; a mask or indices."""
        chosen = np.arange(len(self))[rows]
        names = tuple(self.names[row] for row in chosen) if self.names else ()
        return replace(self, images=self.images[chosen], labels=self.labels[chosen], names=names)
