"""Random affine distortions of a whole batch at once, on the device where the batch lies."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Affine:
    """Uniform ranges of a random affine map about the image's centre.

    Attributes:
        degrees: rotation between -degrees and +degrees.
        translate: shift along each axis, as a share of the image's side.
        scale: smallest and largest zoom; above 1 the digit grows.
        shear: horizontal shear between -shear and +shear degrees.
    """

    degrees: float = 10.0
    translate: float = 0.1
    scale: tuple[float, float] = (0.9, 1.1)
    shear: float = 5.0

    def matrices(self, count: int, generator: torch.Generator) -> Float[Tensor, "batch 2 3"]:
        """Maps from output to input coordinates in [-1, 1], one an image."""

        def between(low: float, high: float) -> Tensor:
            uniform = torch.rand(count, generator=generator, device=generator.device)
            return low + (high - low) * uniform

        angle = between(-math.radians(self.degrees), math.radians(self.degrees))
        zoom = 1 / between(*self.scale)
        slope = torch.tan(between(-math.radians(self.shear), math.radians(self.shear)))
        shift_x = between(-2 * self.translate, 2 * self.translate)
        shift_y = between(-2 * self.translate, 2 * self.translate)
        cos, sin = torch.cos(angle) * zoom, torch.sin(angle) * zoom
        first = torch.stack([cos, slope * cos - sin, shift_x], dim=1)
        second = torch.stack([sin, slope * sin + cos, shift_y], dim=1)
        return torch.stack([first, second], dim=1)

    def __call__(
        self, images: Float[Tensor, "batch 1 28 28"], generator: torch.Generator
    ) -> Float[Tensor, "batch 1 28 28"]:
        """Distorts images in [0, 1] (0 = background) with bilinear sampling; the range stays."""
        matrices = self.matrices(len(images), generator)
        grid = F.affine_grid(matrices, list(images.shape), align_corners=False)
        return F.grid_sample(images, grid, align_corners=False)
