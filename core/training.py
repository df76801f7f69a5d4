"""Training: a frozen configuration in, the chosen epoch's network with its history out."""

import copy
import io
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import numpy as np
import torch

from core import processes
from core.config import LINEAR, TrainConfig
from core.datasets import LabelledDigits
from core.distillation import teachers_of
from core.errors import TrainingError
from core.hardware import best_device, describe_hardware, precision
from core.learner import Learner, measure
from core.linear_training import LinearRun
from core.models import ARCHITECTURES, DigitCNN, Network, ThreeSevenLinear
from core.runs import History, RunFolder, StepReport, best_epoch
from core.scratch_torch import weights_of
from core.training_data import DeviceDigits, TrainingData

REPORT_EVERY = 20  # steps between two reports: reading the loss makes a GPU wait

Report = Callable[[StepReport], None]
Watch = Callable[[Network], dict[str, float]]


@dataclass(frozen=True, eq=False)
class TrainingRun:
    """A finished run. `model` is the chosen epoch's network, on the CPU, in evaluation mode."""

    config: TrainConfig
    model: Network
    history: History
    best_epoch: int
    seconds: float
    images_per_second: float
    hardware: str
    versions: dict[str, str]
    finished: str


def train(
    config: TrainConfig,
    training: LabelledDigits,
    validation: LabelledDigits,
    *,
    device: torch.device | None = None,
    start: Network | None = None,
    report: Report | None = None,
    folder: RunFolder | None = None,
    watch: Watch | None = None,
) -> TrainingRun:
    """Trains a network; the epoch that the validation digits like best is kept.

    Args:
        config: the recipe.
        training: digits to learn from; those outside the network's classes are left out.
        validation: digits to choose the epoch with. The test set has no way in here.
        device: `best_device()` by default.
        start: a network to go on from; by default one with random weights.
        report: called every few steps.
        folder: where the run keeps what it needs to go on after it was killed. Holds it a state
            already, the run goes on from there. Of several processes the first one alone has it.
        watch: measures the network after every epoch; its figures go into the history, and
            nowhere else.

    Raises:
        TrainingError: unknown architecture, no usable digit, or a loss that is not finite.
    """
    if config.architecture == LINEAR:
        weights = weights_of(start.linear) if isinstance(start, ThreeSevenLinear) else None
        device, done = torch.device("cpu"), LinearRun(config, training, validation, start=weights)
        done.finish(report, folder, watch)
        return _finished(config, done.chosen, done.history, done.best_epoch, len(done.training), device)
    device = device or best_device()
    config = replace(config, precision=precision(config, device))
    with _full_precision():
        run = _Run(config, training, validation, device, start)
        state = processes.from_first(folder.state() if folder else None)
        if state:
            run.restore(state)
        run.finish(report, folder, watch)
    return _finished(config, run.chosen, run.history, run.best_epoch, len(run.data.digits), device)


def _finished(
    config: TrainConfig, model: Network, history: History, best_epoch: int, digits: int, device: torch.device
) -> TrainingRun:
    seconds = history[-1]["seconds"]
    return TrainingRun(
        config=config,
        model=model.cpu().eval(),
        history=history,
        best_epoch=best_epoch,
        seconds=seconds,
        # Over the whole run, measuring included; times are rounded to tenths.
        images_per_second=round(digits * len(history) / max(seconds, 0.1), 1),
        hardware=describe_hardware(device),
        versions={name: version(name) for name in ("torch", "numpy")} | {"python": platform.python_version()},
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
    )


class _Run:
    """What is known between two epochs; all of it can be saved and restored."""

    def __init__(
        self,
        config: TrainConfig,
        training: LabelledDigits,
        validation: LabelledDigits,
        device: torch.device,
        start: Network | None,
    ):
        self.config, self.device = config, device
        self.rank, self.processes = processes.rank(), processes.count()
        model = start or new_network(config)
        if isinstance(model, DigitCNN):
            model.set_dropout(config.dropout, config.head_dropout)
        model = model.to(device)
        digits = DeviceDigits(training, model.classes, device, drawn=config.drawn > 0)
        self.data = TrainingData(digits, config, teachers_of(config, device))
        self._check_shares(len(digits))
        self.learner = Learner(config, model, self.data.steps_per_epoch, processes=self.processes)
        self.held_out = DeviceDigits(validation, model.classes, device, drawn=config.drawn > 0)
        self.history: History = []
        self.chosen = copy.deepcopy(self.learner.served)
        self.started = time.perf_counter()
        self.epochs_before, self.seconds_before = 0, 0.0  # what an earlier process had done

    def finish(self, report: Report | None, folder: RunFolder | None, watch: Watch | None) -> None:
        """Every epoch that is left."""
        for epoch in range(len(self.history) + 1, self.config.epochs + 1):
            loss, accuracy = self._epoch(epoch, report, folder)
            self._keep(epoch, loss, accuracy, folder, watch)
            if folder:
                folder.keep(self.history, self.state())

    def _check_shares(self, digits: int) -> None:
        """Every process needs a digit of every batch."""
        smallest = digits % self.config.batch_size or self.config.batch_size
        if smallest < self.processes:
            raise TrainingError(
                f"--batch-size {self.config.batch_size} cuts {digits} digits into batches of which one has "
                f"{smallest}, fewer than the {self.processes} processes. Give another --batch-size."
            )

    @property
    def best_epoch(self) -> int:
        """By validation accuracy, then loss; of equal ones the first."""
        return best_epoch(self.history)

    def _epoch(self, epoch: int, report: Report | None, folder: RunFolder | None) -> tuple[float, float]:
        """Mean loss and accuracy over the epoch's (distorted) digits."""
        self._seed_dropout(epoch)
        sums, seen = torch.zeros(2, dtype=torch.float64, device=_sum_device(self.device)), 0
        for step, batch in enumerate(self.data.epoch(epoch), 1):
            loss, hits = self.learner.step(batch.share(self.rank, self.processes), whole=len(batch))
            sums += torch.stack([loss, hits]).to(sums)
            seen += len(batch)
            if step % REPORT_EVERY == 0 or step == self.data.steps_per_epoch:
                mean_loss, accuracy = (processes.summed(sums) / seen).tolist()
                if not np.isfinite(mean_loss):
                    raise self._not_finite(epoch, step, folder)
                self._report(epoch, step, mean_loss, accuracy, report, folder)
        return mean_loss, accuracy

    def _seed_dropout(self, epoch: int) -> None:
        """So that an epoch is the same whether the run began with it or came to it; not in two processes."""
        number = self.config.seed * self.config.epochs + epoch
        torch.manual_seed(number * self.processes + self.rank)

    def _not_finite(self, epoch: int, step: int, folder: RunFolder | None) -> TrainingError:
        kept = f" Epoch {epoch - 1}'s state is kept in {folder.path}." if folder and epoch > 1 else ""
        return TrainingError(
            f"The loss is no longer finite in epoch {epoch}, step {step}.{kept} "
            f"Lower --learning-rate (it is {self.config.learning_rate}) and start again."
        )

    def _report(
        self,
        epoch: int,
        step: int,
        loss: float,
        accuracy: float,
        report: Report | None,
        folder: RunFolder | None,
    ) -> None:
        per_epoch = self.data.steps_per_epoch
        done, steps = (epoch - 1) * per_epoch + step, self.config.epochs * per_epoch
        here = done - self.epochs_before * per_epoch
        seconds = time.perf_counter() - self.started
        digits = here * len(self.data.digits) / per_epoch
        last = self.history[-1]["validation_accuracy"] if self.history else None
        shown = StepReport(
            step=done,
            steps=steps,
            epoch=epoch,
            epochs=self.config.epochs,
            loss=loss,
            accuracy=accuracy,
            validation_accuracy=last,
            seconds=round(seconds, 1),
            images_per_second=round(digits / seconds, 1),
            eta=round((steps - done) * seconds / here, 1),
        )
        for show in (report, folder.show if folder else None):
            if show:
                show(shown)

    def _keep(
        self, epoch: int, loss: float, accuracy: float, folder: RunFolder | None, watch: Watch | None
    ) -> None:
        """Measures the epoch's network on the validation digits, and keeps it if it is the best so far."""
        served = self.learner.served
        val_loss, val_accuracy = processes.from_first(measure(served, self.held_out))
        if not np.isfinite(val_loss):  # the last step broke it: its own loss was measured before
            raise self._not_finite(epoch, self.data.steps_per_epoch, folder)
        row = {
            "epoch": epoch,
            "loss": loss,
            "accuracy": accuracy,
            "validation_loss": val_loss,
            "validation_accuracy": val_accuracy,
            "learning_rate": self.learner.rate,
            "seconds": round(self.seconds_before + time.perf_counter() - self.started, 1),
        }
        self.history.append(row | (watch(served) if watch else {}))
        if self.best_epoch == epoch:
            self.chosen = copy.deepcopy(served)

    def state(self) -> bytes:
        """All of it, as `restore` takes it."""
        state: dict[str, Any] = {
            "learner": self.learner.state(),
            "history": self.history,
            "chosen": self.chosen.state_dict(),
        }
        file = io.BytesIO()
        torch.save(state, file)
        return file.getvalue()

    def restore(self, content: bytes) -> None:
        """Goes on from where `state` was taken."""
        state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        self.learner.restore(state["learner"])
        self.history = state["history"]
        self.chosen.load_state_dict(state["chosen"])
        self.epochs_before, self.seconds_before = len(self.history), self.history[-1]["seconds"]


def new_network(config: TrainConfig) -> Network:
    """With random weights, by the seed.

    Raises:
        TrainingError: unknown architecture.
    """
    if config.architecture not in ARCHITECTURES:
        raise TrainingError(
            f"Unknown architecture {config.architecture!r}: use one of {', '.join(ARCHITECTURES)}."
        )
    torch.manual_seed(config.seed)
    if config.architecture == LINEAR:
        return ThreeSevenLinear()
    return DigitCNN(config.width, config.offset)


@contextmanager
def _full_precision() -> Iterator[None]:
    """Convolutions in float32 on a GPU too, where cuDNN rounds their inputs to TF32's 10 bits by default."""
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = before


def _sum_device(device: torch.device) -> torch.device:
    return torch.device("cpu") if device.type == "mps" else device  # MPS knows no float64
