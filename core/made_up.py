"""Kinds of pictures that are no digits and that no data set gives: made up, or made of training digits.

Hendrycks et al. 2019 (arXiv:1812.04606) let a detector learn from other data sets ("outlier exposure"); none
is needed here. No kind is among the sets that detectors are measured on.
"""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Int64, UInt8

from core.chimeras import a_stroke_more, cut_digits, mirrored_halves, pieces
from core.masses import bars, grain, gratings, shapes, surfaces, thick_outlines
from core.outliers import Strokes, free_strokes, joined_strokes, lattice_strokes, scrawls
from core.textures import areas, clouds, mosaics, outlines, overlays

Pixels = UInt8[np.ndarray, "_n 28 28"]
Labels = Int64[np.ndarray, " _n"]


@runtime_checkable
class Make(Protocol):
    """Makes so many pictures; digits and their labels are what some kinds are made of."""

    def __call__(self, images: Pixels, labels: Labels, count: int, /, *, seed: int) -> Pixels: ...


@dataclass(frozen=True)
class Kind:
    """One kind.

    Attributes:
        make: its pictures.
        fitted: how many of them a detector is fitted to; 0: it never meets them.
    """

    make: Make
    fitted: int = 0


def _scrawls(strokes: Strokes) -> Make:
    def make(_images: Pixels, _labels: Labels, count: int, /, *, seed: int) -> Pixels:
        return scrawls(count, seed=seed, strokes=strokes)

    return make


KINDS = {
    "strokes on a lattice": Kind(_scrawls(lattice_strokes), 12_000),
    "strokes anywhere": Kind(_scrawls(free_strokes), 12_000),
    "joined strokes": Kind(_scrawls(joined_strokes), 12_000),
    "cut digits": Kind(cut_digits, 20_000),
    "digits lacking a part": Kind(pieces, 10_000),
    "halves and their mirror images": Kind(mirrored_halves, 10_000),
    "digits with a stroke more": Kind(a_stroke_more, 10_000),
    "areas": Kind(areas),
    "clouds": Kind(clouds),
    "mosaics of digits": Kind(mosaics),
    "digits over each other": Kind(overlays),
    "outlines of digits": Kind(outlines),
    "filled shapes": Kind(shapes),
    "thick outlines": Kind(thick_outlines),
    "heavy bars": Kind(bars),
    "grain": Kind(grain),
    "gratings and checks": Kind(gratings),
    "shaded surfaces": Kind(surfaces),
}
FITTED = tuple(name for name, kind in KINDS.items() if kind.fitted)
