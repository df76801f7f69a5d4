"""A data set in three: to learn from, to choose with, and to read once at the end."""

from dataclasses import dataclass, replace

import numpy as np

from core import mnist
from core.datasets import LabelledDigits, load_dataset
from core.errors import TrainingError

SHARES = {"validation": 0.15, "test": 0.15}  # of a data set that comes in one piece
FEWEST = 40  # digits: below, the held-out parts say nothing


@dataclass(frozen=True, eq=False)
class Parts:
    """Digits to learn from, to choose with, and to read once at the end."""

    training: LabelledDigits
    validation: LabelledDigits
    test: LabelledDigits

    def split(self) -> dict[str, int]:
        """Their sizes, and the seed of the shuffle that parted them."""
        return {
            "seed": mnist.SPLIT_SEED,
            "train": len(self.training),
            "validation": len(self.validation),
            "test": len(self.test),
        }


def parts_of(name_or_path: str = "mnist") -> Parts:
    """MNIST's three parts, or another data set shuffled and cut in three.

    Args:
        name_or_path: `mnist`, or what `core.datasets.load_dataset` takes.

    Raises:
        DatasetError: it can't be loaded.
        TrainingError: it is too small to be cut.
    """
    if name_or_path == "mnist":
        return Parts(*(load_dataset(f"mnist-{part}") for part in ("train", "validation", "test")))
    data = load_dataset(name_or_path)
    if len(data) < FEWEST:
        raise TrainingError(
            f"{data.name} has {len(data)} digits; give at least {FEWEST} to train and to test."
        )
    order = np.random.default_rng(mnist.SPLIT_SEED).permutation(len(data))
    held = {part: round(share * len(data)) for part, share in SHARES.items()}
    validation, test, training = np.split(order, np.cumsum(list(held.values())))
    rows = {"train": training, "validation": validation, "test": test}
    return Parts(*(replace(data.take(which), name=f"{data.name}-{part}") for part, which in rows.items()))
