"""The training digits on the device: distorted anew for every epoch, cut into shuffled batches."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from core.allographs import Allographs
from core.augmentation import Affine, Augmentation, Blots, Digits, Elastic, Thickness, between
from core.config import TrainConfig
from core.datasets import LabelledDigits
from core.drawn import drawn_copies
from core.errors import TrainingError

ALL = slice(None)
CHUNKS = {"cpu": 500}  # digits distorted at once: what fits into a core's cache
CHUNK = 16_384  # on other devices
APART = 1_000_003  # keeps the streams of two seeds apart, as long as they have fewer epochs
SHUFFLE = 500_009  # and the order of an epoch from its distortions

Pixels = UInt8[Tensor, "n 28 28"]
Teach = Callable[[int, Pixels], Float[Tensor, "n classes"]]


@dataclass(frozen=True, eq=False)
class Batch:
    """What one step learns from.

    Attributes:
        images: in [0, 1].
        targets: rows of the network's classes.
        taught: the teachers' logits of the same images; None without teachers.
    """

    images: Digits
    targets: Int64[Tensor, " batch"]
    taught: Float[Tensor, "batch classes"] | None

    def __len__(self) -> int:
        return len(self.targets)

    def share(self, rank: int, processes: int) -> "Batch":
        """Every `processes`-th digit, from `rank` on."""
        mine = slice(rank, None, processes)
        return Batch(
            self.images[mine], self.targets[mine], None if self.taught is None else self.taught[mine]
        )


class DeviceDigits:
    """A data set on the device as bytes, with rows of the network's classes as targets.

    Args:
        data: those outside the classes are left out.
        classes: the network's.
        device: where it shall lie.
        drawn: also each digit as if it had been drawn on the canvas (`core.drawn`).
    """

    def __init__(
        self, data: LabelledDigits, classes: tuple[int, ...], device: torch.device, *, drawn: bool = False
    ):
        known = data.only(classes)
        if not len(known):
            raise TrainingError(f"{data.name} has no digit of the classes {classes}.")
        self.images = torch.from_numpy(np.ascontiguousarray(known.images)).to(device)
        self.drawn = torch.from_numpy(drawn_copies(known)).to(device) if drawn else None
        self.targets = torch.from_numpy(np.searchsorted(classes, known.labels)).to(device)
        self.digits = torch.from_numpy(known.labels).to(device)

    def __len__(self) -> int:
        return len(self.targets)


class TrainingData:
    """The digits to learn from. Everything random in an epoch follows from the seed and its number.

    So a run that was killed goes on from an epoch's beginning as if nothing had been, and several
    processes see the same distorted digits, of which each takes its share.
    """

    def __init__(self, digits: DeviceDigits, config: TrainConfig, teach: Teach | None = None):
        self.digits, self.config, self.teach = digits, config, teach
        self.augment, self.allographs = augmentation(config)
        self.steps_per_epoch = -(-len(digits) // config.batch_size)

    def epoch(self, number: int) -> Iterator[Batch]:
        """The batches of one epoch, counted from 1."""
        device = self.digits.images.device
        if self.teach:  # all seeds share the views that the teachers have looked at, in another order
            view = (number + self.config.seed) % self.config.views
            images = self.distorted(_generator(device, 0, view))
            taught = self.teach(view, images)
        else:
            images, taught = self.distorted(_generator(device, self.config.seed, number)), None
        shuffle = _generator(device, self.config.seed, SHUFFLE + number)
        order = torch.randperm(len(images), generator=shuffle, device=device)
        for rows in torch.split(order, self.config.batch_size):
            soft = None if taught is None else taught[rows]
            yield Batch(as_floats(images[rows]), self.digits.targets[rows], soft)

    def distorted(self, generator: torch.Generator, rows: slice = ALL) -> Pixels:
        """The chosen digits once, in the data's order."""
        images, digits = self._taken(generator, rows), self.digits.digits[rows]
        if not (self.augment or self.allographs):
            return images
        size = CHUNKS.get(images.device.type, CHUNK)
        chunks = zip(torch.split(images, size), torch.split(digits, size), strict=True)
        return torch.cat([self._distorted(*chunk, generator) for chunk in chunks])

    def _taken(self, generator: torch.Generator, rows: slice) -> Pixels:
        """The chosen digits; of some the drawn copies."""
        images = self.digits.images[rows]
        if self.digits.drawn is None:
            return images
        drawn = between(0, 1, len(images), generator) < self.config.drawn
        return torch.where(drawn.view(-1, 1, 1), self.digits.drawn[rows], images)

    def _distorted(self, images: Pixels, digits: Tensor, generator: torch.Generator) -> Pixels:
        batch = as_floats(images)
        if self.allographs:
            batch = self.allographs(batch, digits, generator)
        if self.augment:
            batch = self.augment(batch, generator)
        return (batch[:, 0] * 255).round().to(torch.uint8)


def as_floats(images: Pixels) -> Digits:
    """Bytes to [0, 1], with a channel."""
    return images.unsqueeze(1).float() / 255


def augmentation(config: TrainConfig) -> tuple[Augmentation | None, Allographs | None]:
    """What a configuration asks for; None where that is nothing."""
    affine = None
    if any((config.rotation, config.translation, config.scale, config.shear, config.aspect)):
        affine = Affine(
            degrees=config.rotation,
            translate=config.translation,
            scale=(1 - config.scale, 1 + config.scale),
            shear=config.shear,
            aspect=config.aspect,
        )
    elastic = Elastic(config.elastic) if config.elastic else None
    thickness = Thickness(config.thinner, config.thicker) if config.thinner or config.thicker else None
    allographs = Allographs(config.upstroke, config.bar) if config.upstroke or config.bar else None
    blots = Blots(config.blots) if config.blots else None
    some = blots or affine or elastic or thickness
    return Augmentation(blots, affine, elastic, thickness) if some else None, allographs


def _generator(device: torch.device, seed: int, number: int) -> torch.Generator:
    return torch.Generator(device).manual_seed(seed * APART + number)
