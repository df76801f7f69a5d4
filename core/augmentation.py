"""Random distortions of a whole batch of digits at once, on the device where the batch lies."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

Digits = Float[Tensor, "batch 1 28 28"]
Frames = Float[Tensor, "batch 1 height width"]
Grid = Float[Tensor, "batch 28 28 2"]

SIDE = 28


def between(low: float, high: float, count: int, generator: torch.Generator) -> Float[Tensor, " batch"]:
    """Uniform numbers, one a digit."""
    return low + (high - low) * torch.rand(count, generator=generator, device=generator.device)


@dataclass(frozen=True)
class Affine:
    """Uniform ranges of a random affine map about the image's centre.

    Attributes:
        degrees: rotation between -degrees and +degrees.
        translate: shift along each axis, as a share of the image's side.
        scale: smallest and largest zoom; above 1 the digit grows.
        shear: horizontal shear between -shear and +shear degrees.
        aspect: width over height between 1 / (1 + aspect) and 1 + aspect, at the same area.
    """

    degrees: float = 10.0
    translate: float = 0.1
    scale: tuple[float, float] = (0.9, 1.1)
    shear: float = 5.0
    aspect: float = 0.0

    def matrices(self, count: int, generator: torch.Generator) -> Float[Tensor, "batch 2 3"]:
        """Maps from output to input coordinates in [-1, 1], one an image."""
        turn, lean = math.radians(self.degrees), math.radians(self.shear)
        angle = between(-turn, turn, count, generator)
        zoom = 1 / between(*self.scale, count, generator)
        slope = torch.tan(between(-lean, lean, count, generator))
        shift_x = between(-2 * self.translate, 2 * self.translate, count, generator)
        shift_y = between(-2 * self.translate, 2 * self.translate, count, generator)
        stretch = torch.ones_like(zoom)
        if self.aspect:
            most = math.log1p(self.aspect) / 2
            stretch = torch.exp(between(-most, most, count, generator))
        cos, sin = torch.cos(angle) * zoom, torch.sin(angle) * zoom
        first = torch.stack([cos / stretch, (slope * cos - sin) * stretch, shift_x], dim=1)
        second = torch.stack([sin / stretch, (slope * sin + cos) * stretch, shift_y], dim=1)
        return torch.stack([first, second], dim=1)

    def __call__(self, images: Digits, generator: torch.Generator) -> Digits:
        """Distorts images in [0, 1] (0 = background) with bilinear sampling; the range stays."""
        return _sampled(images, self.grid(len(images), generator))

    def grid(self, count: int, generator: torch.Generator) -> Grid:
        """Where each output pixel comes from, (x, y) in [-1, 1]."""
        points = _pixel_centres(generator.device)  # (784, 3)
        flat = points @ self.matrices(count, generator).transpose(1, 2)  # (batch, 784, 2)
        return flat.view(count, SIDE, SIDE, 2)


@dataclass(frozen=True)
class Elastic:
    """A smooth random displacement, as of a hand that is not steady.

    After Simard, Steinkraus, Platt, "Best practices for convolutional neural networks" (2003), with
    normal noise on a coarse grid of nodes and bicubic interpolation in place of a blurred field.

    Attributes:
        amplitude: standard deviation of the displacement at a node, along each axis, px.
        nodes: of the grid, along each side.
    """

    amplitude: float
    nodes: int = 6

    def field(self, count: int, generator: torch.Generator) -> Grid:
        """The displacement of each pixel, (x, y), in units of half the image's side."""
        noise = torch.randn(count, 2, self.nodes**2, generator=generator, device=generator.device)
        basis = _bicubic(self.nodes, generator.device)  # (nodes², 784)
        smooth = (noise @ basis).view(count, 2, SIDE, SIDE) * (2 * self.amplitude / SIDE)
        return smooth.permute(0, 2, 3, 1)


@dataclass(frozen=True)
class Thickness:
    """Strokes made thinner or thicker, as by another pen: mostly by little, now and then by much.

    The amount is the cube of a uniform number: half of the digits change by less than an eighth of
    the largest amount. As many thin as usual ones would cost accuracy on the usual ones.

    Attributes:
        thinner: largest loss on each side of a stroke, px in [0, 1].
        thicker: largest growth on each side of a stroke, px in [0, 1].
    """

    thinner: float
    thicker: float

    def __call__(self, images: Digits, generator: torch.Generator) -> Digits:
        """Blends each image with its 3×3 minimum or maximum; the range [0, 1] stays."""
        amount = between(-1, 1, len(images), generator).pow(3).view(-1, 1, 1, 1)
        grown, shrunk = (_over_neighbours(images, extreme) for extreme in (torch.maximum, torch.minimum))
        thicker, thinner = self.thicker * amount.clamp(min=0), self.thinner * amount.clamp(max=0)
        return images + thicker * (grown - images) + thinner * (images - shrunk)


@dataclass(frozen=True)
class Blots:
    """Small loops filled with ink, as by a brush too broad for a small digit.

    Attributes:
        share: of the digits that this befalls, [0, 1].
    """

    share: float

    def __call__(self, images: Digits, generator: torch.Generator) -> Digits:
        """Closes gaps of up to four pixels (a morphological closing); the range [0, 1] stays."""
        chosen = (between(0, 1, len(images), generator) < self.share).nonzero()[:, 0]
        closed = F.pad(images[chosen], (2, 2, 2, 2))  # or ink would grow from the picture's edge
        for extreme in (torch.maximum, torch.maximum, torch.minimum, torch.minimum):
            closed = _over_neighbours(closed, extreme)
        images = images.clone()
        images[chosen] = closed[..., 2:-2, 2:-2]
        return images


@dataclass(frozen=True)
class Augmentation:
    """What a training digit goes through: blots, an affine map with an elastic displacement, another pen.

    Attributes:
        blots, affine, elastic, thickness: None where there is no such distortion.
    """

    blots: Blots | None = None
    affine: Affine | None = None
    elastic: Elastic | None = None
    thickness: Thickness | None = None

    def __call__(self, images: Digits, generator: torch.Generator) -> Digits:
        """Distorts images in [0, 1]; the image is sampled once, however many maps there are."""
        if self.blots:
            images = self.blots(images, generator)
        if self.affine or self.elastic:
            grid = (self.affine or _STILL).grid(len(images), generator)
            if self.elastic:
                grid = grid + self.elastic.field(len(images), generator)
            images = _sampled(images, grid)
        return self.thickness(images, generator) if self.thickness else images


_STILL = Affine(degrees=0, translate=0, scale=(1, 1), shear=0)


def _sampled(images: Digits, grid: Grid) -> Digits:
    return F.grid_sample(images, grid, align_corners=False)


def _over_neighbours(images: Frames, extreme: Callable[[Tensor, Tensor], Tensor]) -> Frames:
    """The extreme of each 3×3 neighbourhood; several times as fast on a CPU as pooling one channel."""
    framed = F.pad(images, (1, 1, 1, 1))
    rows = extreme(extreme(framed[..., :-2], framed[..., 1:-1]), framed[..., 2:])
    return extreme(extreme(rows[..., :-2, :], rows[..., 1:-1, :]), rows[..., 2:, :])


@cache
def _pixel_centres(device: torch.device) -> Float[Tensor, "pixels 3"]:
    """(x, y, 1) of each pixel, row by row."""
    identity = torch.tensor([[[1.0, 0, 0], [0, 1, 0]]], device=device)
    centres = F.affine_grid(identity, [1, 1, SIDE, SIDE], align_corners=False).view(-1, 2)
    return torch.cat([centres, torch.ones_like(centres[:, :1])], dim=1)


@cache
def _bicubic(nodes: int, device: torch.device) -> Float[Tensor, "nodes pixels"]:
    """What each node adds to each pixel: bicubic interpolation is linear in the nodes."""
    one_each = torch.eye(nodes**2, device=device).view(1, nodes**2, nodes, nodes)
    return F.interpolate(one_each, SIDE, mode="bicubic", align_corners=True).view(nodes**2, -1)
