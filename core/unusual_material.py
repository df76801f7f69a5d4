"""The pictures that a detector of unusual inputs is fitted to: training digits, and made-up ones."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Int64, UInt8

from core.allographs import Allographs
from core.augmentation import Affine, Augmentation, Elastic, Thickness
from core.datasets import LabelledDigits
from core.errors import DatasetError
from core.made_up import FITTED, KINDS
from core.outliers import redrawn
from core.predictor import Predictor

SEED = 23
BANK_PLAIN, BANK_REDRAWN = 2500, 1500  # digits in the bank, as they are and as a pen would draw them
LEAST_BANK = 20
PLAIN, REDRAWN, VARIED = 40_000, 12_000, 20_000  # digits to learn from
SPREAD = 5000  # training digits that neither bank nor network has seen: what is usual is measured on them
# Other hands: more than the network's own training distorts, as these are to be accepted, not read.
HANDS = Augmentation(
    affine=Affine(degrees=10, translate=0.03, scale=(0.92, 1.08), shear=10, aspect=0.1),
    elastic=Elastic(0.6),
    thickness=Thickness(0.5, 0.5),
)
FORMS = Allographs(upstroke=0.3, bar=0.3)
OTHERS = "other digits"
BATCH = 2000  # digits that are distorted at once

Progress = Callable[[str, int, int], None]
Pixels = UInt8[np.ndarray, "_n 28 28"]


def silent(stage: str, done: int, total: int) -> None:
    """Reports nothing."""


@dataclass(frozen=True, eq=False)
class Material:
    """Training digits in three disjoint parts, some of them redrawn, and made-up pictures by kind."""

    bank: Pixels
    learn: Pixels
    spread: Pixels
    made_up: dict[str, Pixels]


def gather(predictor: Predictor, training: LabelledDigits, progress: Progress = silent) -> Material:
    """The pictures to fit on; with few training digits, fewer of everything.

    Raises:
        DatasetError: too few digits of the model's classes.
    """
    known = training.only(predictor.classes)
    others = training.images[~np.isin(training.labels, predictor.classes)]
    wanted = BANK_PLAIN + BANK_REDRAWN + PLAIN + SPREAD
    share = min(1.0, len(known) / wanted)
    sizes = [int(share * size) for size in (BANK_PLAIN, BANK_REDRAWN, PLAIN, SPREAD)]
    if sizes[0] < LEAST_BANK:
        raise DatasetError(
            f"{training.name} has {len(known)} digits of the model's classes: too few to fit to."
        )
    order = np.random.default_rng(SEED).permutation(len(known))
    plain, drawn, learn, spread = (known.images[rows] for rows in np.split(order, np.cumsum(sizes))[:4])
    labels = known.labels[order[sum(sizes[:2]) :][: len(learn)]]
    again = learn[: int(share * REDRAWN)]
    drawings = redrawn(
        np.concatenate([drawn, again]), progress=lambda *step: progress("digits drawn again", *step)
    )
    pens = drawings[len(drawn) :]
    others_hands = [
        varied(each, labels[: len(each)], seed=SEED + place)
        for place, each in enumerate((learn[: int(share * VARIED)], pens))
    ]
    made_up = {}
    for place, name in enumerate(FITTED):
        progress("made-up pictures", place, len(FITTED))
        count = int(share * KINDS[name].fitted)
        made_up[name] = KINDS[name].make(learn, labels, count, seed=SEED + place)
    if len(others):  # to a model of fewer classes the other digits are no less strange
        made_up[OTHERS] = others[: sum(len(each) for each in made_up.values()) // 2]
    progress("made-up pictures", len(FITTED), len(FITTED))
    return Material(
        np.concatenate([plain, drawings[: len(drawn)]]),
        np.concatenate([learn, pens, *others_hands]),
        spread,
        made_up,
    )


def varied(images: Pixels, labels: Int64[np.ndarray, " _n"], *, seed: int) -> Pixels:
    """The same digits as other people might write them.

    Args:
        images: digits in MNIST's convention.
        labels: theirs: 1s and 7s also get forms that MNIST's writers seldom use.
        seed: of the distortions.
    """
    generator = torch.Generator().manual_seed(seed)
    found = np.empty_like(images)
    for start in range(0, len(images), BATCH):
        part = slice(start, start + BATCH)
        batch = torch.from_numpy(images[part]).float().div(255)[:, None]
        batch = HANDS(FORMS(batch, torch.from_numpy(labels[part]), generator), generator)
        found[part] = (batch[:, 0] * 255).round().clamp(0, 255).to(torch.uint8).numpy()
    return found
