"""From scratch and with PyTorch: the same training twice, and both codes."""

import inspect
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from core import scratch, scratch_torch
from core.scratch import EpochState, ScratchConfig, ScratchDigits


@dataclass(frozen=True, eq=False)
class Both:
    """One epoch of the two.

    Attributes:
        ours: from scratch.
        theirs: with PyTorch.
        difference: the largest between two weights, the biases included.
    """

    ours: EpochState
    theirs: EpochState
    difference: float

    @property
    def epoch(self) -> int:
        return self.ours.epoch


def train_both(config: ScratchConfig, training: ScratchDigits, validation: ScratchDigits) -> Iterator[Both]:
    """Trains with both, epoch by epoch, from the same weights on the same batches."""
    runs = (module.train(config, training, validation) for module in (scratch, scratch_torch))
    for ours, theirs in zip(*runs, strict=False):  # ours ends early where weights are not finite
        apart = np.abs(ours.weights.w - theirs.weights.w).max()
        yield Both(ours, theirs, float(max(apart, abs(ours.weights.b - theirs.weights.b))))


def sources() -> tuple[str, str]:
    """The code of both: what it takes to learn for an epoch, from scratch and with PyTorch."""
    ours = (scratch.forward, scratch.sigmoid, scratch.loss_of, scratch.gradient, scratch.learn)
    theirs = (scratch_torch.linear, scratch_torch.loss_of, scratch_torch.learn)
    first, second = ("\n\n".join(inspect.getsource(one) for one in part) for part in (ours, theirs))
    return first, second
