"""Forms of a digit that MNIST's American writers seldom use, drawn onto the digits they wrote.

Elsewhere a 1 has an upstroke (and sometimes a foot), and a 7 a bar through its stem. MNIST has few of
them: a network trained on it takes such a 1 for a 7 and such a 7 for a 2.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from core.augmentation import SIDE, Digits, between

INKED = 0.5
WIDTHS = (1.6, 3.0)  # px, of an added stroke

Points = Float[Tensor, "batch 2"]


@dataclass(frozen=True)
class Allographs:
    """How often the forms are drawn.

    Attributes:
        upstroke: share of the 1s that get one, [0, 1]; a third of these get a foot too.
        bar: share of the 7s that get one, [0, 1].
    """

    upstroke: float
    bar: float

    def __call__(self, images: Digits, digits: Int64[Tensor, " batch"], generator: torch.Generator) -> Digits:
        """Draws onto images in [0, 1] of the given digits; the others, and the range, stay."""
        luck = between(0, 1, len(images), generator)
        ones = ((digits == 1) & (luck < self.upstroke)).nonzero()[:, 0]
        footed = ((digits == 1) & (luck < self.upstroke / 3)).nonzero()[:, 0]
        sevens = ((digits == 7) & (luck < self.bar)).nonzero()[:, 0]
        images = images.clone()
        images[ones] = _with_upstroke(images[ones], generator)
        images[footed] = _with_foot(images[footed], generator)
        images[sevens] = _with_bar(images[sevens], generator)
        return images


def _with_upstroke(ones: Digits, generator: torch.Generator) -> Digits:
    """A stroke from the upper end down to the left, steeper than a 7's roof."""
    top = _middle_of_row(ones, _inked_rows(ones)[0])
    slope = between(math.radians(25), math.radians(68), len(ones), generator)
    length = between(4, 15, len(ones), generator)
    end = top + torch.stack([-length * torch.cos(slope), length * torch.sin(slope)], dim=1)
    return _drawn(ones, top, end, between(*WIDTHS, len(ones), generator))


def _with_foot(ones: Digits, generator: torch.Generator) -> Digits:
    """A level stroke under the lower end."""
    bottom = _middle_of_row(ones, _inked_rows(ones)[1])
    left, right = between(2, 5.5, len(ones), generator), between(2, 5.5, len(ones), generator)
    level = torch.zeros_like(left)
    start, end = bottom + torch.stack([-left, level], dim=1), bottom + torch.stack([right, level], dim=1)
    return _drawn(ones, start, end, between(*WIDTHS, len(ones), generator))


def _with_bar(sevens: Digits, generator: torch.Generator) -> Digits:
    """A nearly level stroke across the stem, about half-way down."""
    top, bottom = _inked_rows(sevens)
    row = top + (bottom - top) * between(0.42, 0.72, len(sevens), generator)
    cross = _middle_of_row(sevens, row.round())
    slope = between(math.radians(-25), math.radians(12), len(sevens), generator)
    along = torch.stack([torch.cos(slope), torch.sin(slope)], dim=1)
    left = between(2, 6.5, len(sevens), generator)[:, None]
    right = between(2, 6.5, len(sevens), generator)[:, None]
    return _drawn(
        sevens, cross - left * along, cross + right * along, between(*WIDTHS, len(sevens), generator)
    )


def _inked_rows(images: Digits) -> tuple[Float[Tensor, " batch"], Float[Tensor, " batch"]]:
    """The first and the last row with ink."""
    inked = (images[:, 0].amax(dim=2) > INKED).float()
    return inked.argmax(dim=1).float(), SIDE - 1 - inked.flip(1).argmax(dim=1).float()


def _middle_of_row(images: Digits, row: Float[Tensor, " batch"]) -> Points:
    """The centre of the ink in one row of each image, (x, y), px; the image's middle where there is none."""
    ink = images[torch.arange(len(images), device=images.device), 0, row.long()] + 1e-6
    columns = torch.arange(SIDE, dtype=ink.dtype, device=ink.device)
    return torch.stack([(ink * columns).sum(dim=1) / ink.sum(dim=1), row], dim=1)


def _drawn(images: Digits, start: Points, end: Points, width: Float[Tensor, " batch"]) -> Digits:
    """Adds a round-ended straight stroke, anti-aliased over a pixel."""
    axis = torch.arange(SIDE, dtype=images.dtype, device=images.device)
    pixels = torch.cartesian_prod(axis, axis).flip(1)  # (784, 2), x and y
    along = (end - start)[:, None]
    offset = pixels - start[:, None]  # (batch, 784, 2)
    share = ((offset * along).sum(dim=2, keepdim=True) / along.square().sum(dim=2, keepdim=True)).clamp(0, 1)
    distance = (offset - share * along).norm(dim=2)
    ink = (width[:, None] / 2 - distance + 0.5).clamp(0, 1)
    return torch.maximum(images, ink.view(-1, 1, SIDE, SIDE))
