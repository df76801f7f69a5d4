"""The linear model's training, from scratch, with the records that every training here keeps."""

import time
from collections.abc import Callable

import torch

from core.config import TrainConfig
from core.datasets import LabelledDigits
from core.errors import TrainingError
from core.models import ThreeSevenLinear
from core.runs import History, RunFolder, StepReport
from core.scratch import EpochState, ScratchConfig, Weights, beginning, scratch_digits, train

Report = Callable[[StepReport], None]
Watch = Callable[[ThreeSevenLinear], dict[str, float]]


class LinearRun:
    """One run: what it learns from, and what came of it.

    It takes a second, so it keeps its history for those who watch, and no state to go on from.

    Raises:
        TrainingError: no 3, or no 7, to learn from or to choose with.
    """

    def __init__(
        self,
        config: TrainConfig,
        training: LabelledDigits,
        validation: LabelledDigits,
        *,
        start: Weights | None = None,
    ):
        self.config, self.start = config, start
        self.scratch = ScratchConfig(
            loss=config.loss,
            start=config.start,
            rate=config.learning_rate,
            batch=config.batch_size,
            epochs=config.epochs,
            seed=config.seed,
        )
        self.training, self.validation = scratch_digits(training), scratch_digits(validation)
        self.history: History = []
        self.chosen = ThreeSevenLinear()

    @property
    def best_epoch(self) -> int:
        """By validation loss. Accuracy on these thousand digits is uncertain by a third of a point, which is
        more than the later epochs differ by; the loss weighs every digit."""
        return int(min(self.history, key=lambda row: row["validation_loss"])["epoch"])

    def finish(self, report: Report | None, folder: RunFolder | None, watch: Watch | None) -> None:
        """Every epoch.

        Raises:
            TrainingError: the weights are no longer finite.
        """
        began = time.perf_counter()
        first = beginning(self.scratch, self.training, self.validation, weights=self.start)
        for now in train(self.scratch, self.training, self.validation, after=first):
            if not torch.isfinite(torch.tensor([now.loss, now.validation_loss])).all():
                raise TrainingError(
                    f"The loss is no longer finite in epoch {now.epoch}. "
                    f"Lower --learning-rate (it is {self.config.learning_rate}) and start again."
                )
            self._keep(now, time.perf_counter() - began, watch)
            shown = self._report(now, time.perf_counter() - began)
            for show in (report, folder.show if folder else None):
                if show:
                    show(shown)
        if folder:
            folder.keep(self.history, b"")

    def _keep(self, now: EpochState, seconds: float, watch: Watch | None) -> None:
        network = as_network(now.weights)
        row = {
            "epoch": now.epoch,
            "loss": now.loss,
            "accuracy": now.accuracy,
            "validation_loss": now.validation_loss,
            "validation_accuracy": now.validation_accuracy,
            "learning_rate": self.config.learning_rate,
            "seconds": round(seconds, 1),
        }
        self.history.append(row | (watch(network) if watch else {}))
        if self.best_epoch == now.epoch:
            self.chosen = network

    def _report(self, now: EpochState, seconds: float) -> StepReport:
        steps = -(-len(self.training) // self.config.batch_size)
        return StepReport(
            step=now.epoch * steps,
            steps=self.config.epochs * steps,
            epoch=now.epoch,
            epochs=self.config.epochs,
            loss=now.loss,
            accuracy=now.accuracy,
            validation_accuracy=now.validation_accuracy,
            seconds=round(seconds, 1),
            images_per_second=round(now.epoch * len(self.training) / seconds, 1),
            eta=round((self.config.epochs - now.epoch) * seconds / now.epoch, 1),
        )


def as_network(weights: Weights) -> ThreeSevenLinear:
    """The weights as the network that checkpoints hold, in float32, for pixels in [0, 1]."""
    network = ThreeSevenLinear().eval()
    with torch.no_grad():
        network.linear.weight.copy_(torch.from_numpy(weights.w)[None])
        network.linear.bias.fill_(weights.b)
    return network
