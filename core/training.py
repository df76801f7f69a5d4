"""Training: a frozen configuration in, the chosen epoch's network with its history out."""

import copy
import os
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.augmentation import Affine
from core.checkpoint import MNIST_NORMALISATION
from core.config import CONFIGS as CONFIGS
from core.config import TrainConfig as TrainConfig
from core.datasets import LabelledDigits
from core.errors import TrainingError
from core.models import ARCHITECTURES, Network, class_logits

REPORT_EVERY = 20  # steps between two reports: reading the loss makes a GPU wait


@dataclass(frozen=True)
class StepReport:
    """How far a run is: counted in steps, with the running epoch's loss and accuracy so far."""

    step: int
    steps: int
    epoch: int
    loss: float
    accuracy: float
    validation_accuracy: float | None


Report = Callable[[StepReport], None]


@dataclass(frozen=True, eq=False)
class TrainingRun:
    """A finished run. `model` is the chosen epoch's network, on the CPU, in evaluation mode."""

    config: TrainConfig
    model: Network
    history: list[dict[str, float]]
    best_epoch: int
    seconds: float
    hardware: str
    versions: dict[str, str]
    finished: str


class _Digits:
    """A data set on the device as bytes; batches leave it as floats in [0, 1]."""

    def __init__(self, data: LabelledDigits, classes: tuple[int, ...], device: torch.device):
        known = data.only(classes)
        if not len(known):
            raise TrainingError(f"{data.name} has no digit of the classes {classes}.")
        self.images = torch.from_numpy(np.ascontiguousarray(known.images)).to(device)
        self.targets = torch.from_numpy(np.searchsorted(classes, known.labels)).to(device)

    def __len__(self) -> int:
        return len(self.targets)

    def batches(self, order: Tensor, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        for rows in torch.split(order, size):
            yield self.images[rows].unsqueeze(1).float() / 255, self.targets[rows]


def best_device() -> torch.device:
    """CUDA where there is one, else Apple's MPS, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def normalise(images: Tensor) -> Tensor:
    """Pixels in [0, 1] to MNIST's zero mean and unit variance."""
    return (images - MNIST_NORMALISATION["mean"]) / MNIST_NORMALISATION["std"]


def train(
    config: TrainConfig,
    training: LabelledDigits,
    validation: LabelledDigits,
    *,
    device: torch.device | None = None,
    report: Report | None = None,
) -> TrainingRun:
    """Trains a network; the epoch with the best validation accuracy (then loss) is kept.

    Args:
        config: the recipe.
        training: digits to learn from; those outside the network's classes are left out.
        validation: digits to choose the epoch with. The test set has no way in here.
        device: `best_device()` by default.
        report: called every few steps.

    Raises:
        TrainingError: unknown architecture, no usable digit, or a loss that is not finite.
    """
    if config.architecture not in ARCHITECTURES:
        raise TrainingError(
            f"Unknown architecture {config.architecture!r}: use one of {', '.join(ARCHITECTURES)}."
        )
    device = device or best_device()
    started = time.perf_counter()
    with _full_precision():
        model, history, best_epoch = _trained(config, training, validation, device, report)
    return TrainingRun(
        config=config,
        model=model.cpu().eval(),
        history=history,
        best_epoch=best_epoch,
        seconds=round(time.perf_counter() - started, 1),
        hardware=describe_hardware(device),
        versions={name: version(name) for name in ("torch", "numpy")} | {"python": platform.python_version()},
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
    )


@contextmanager
def _full_precision() -> Iterator[None]:
    """Convolutions in float32 on a GPU too, where cuDNN rounds their inputs to TF32's 10 bits by default."""
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = before


def _trained(
    config: TrainConfig,
    training: LabelledDigits,
    validation: LabelledDigits,
    device: torch.device,
    report: Report | None,
) -> tuple[Network, list[dict[str, float]], int]:
    """The chosen epoch's network, the history, and which epoch that was."""
    torch.manual_seed(config.seed)
    model = ARCHITECTURES[config.architecture]().to(device)
    loop = _Loop(config, model, _Digits(training, model.classes, device), device)
    held_out = _Digits(validation, model.classes, device)
    started = time.perf_counter()
    history: list[dict[str, float]] = []
    best, best_epoch, chosen = (-1.0, 0.0), 0, copy.deepcopy(model.state_dict())
    for epoch in range(1, config.epochs + 1):
        loss, accuracy = loop.run_epoch(epoch, history, report)
        val_loss, val_accuracy = measure(model, held_out)
        history.append(
            {
                "epoch": epoch,
                "loss": loss,
                "accuracy": accuracy,
                "validation_loss": val_loss,
                "validation_accuracy": val_accuracy,
                "learning_rate": loop.rate,
                "seconds": round(time.perf_counter() - started, 1),
            }
        )
        if (val_accuracy, -val_loss) > best:
            best, best_epoch = (val_accuracy, -val_loss), epoch
            chosen = copy.deepcopy(model.state_dict())
    model.load_state_dict(chosen)
    return model, history, best_epoch


class _Loop:
    """What one epoch needs and what lasts from one to the next."""

    def __init__(self, config: TrainConfig, model: Network, data: _Digits, device: torch.device):
        self.config, self.model, self.data = config, model, data
        self.steps_per_epoch = -(-len(data) // config.batch_size)
        self.optimiser = torch.optim.AdamW(
            model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
        )
        total = config.epochs * self.steps_per_epoch + 1
        warm_up = config.warm_up
        if warm_up * total == 1:  # torch divides by the rise's steps less one
            warm_up *= 1 + 1e-6
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimiser,
            max_lr=config.learning_rate,
            total_steps=total,
            pct_start=warm_up,
        )
        self.generator = torch.Generator(device).manual_seed(config.seed)
        self.augment = Affine(
            degrees=config.rotation,
            translate=config.translation,
            scale=(1 - config.scale, 1 + config.scale),
            shear=config.shear,
        )
        self.distorts = any((config.rotation, config.translation, config.scale, config.shear))

    @property
    def rate(self) -> float:
        return float(self.schedule.get_last_lr()[0])

    def run_epoch(
        self, epoch: int, history: list[dict[str, float]], report: Report | None
    ) -> tuple[float, float]:
        """Mean loss and accuracy over the epoch's (distorted) digits."""
        self.model.train()
        order = torch.randperm(len(self.data), generator=self.generator, device=self.generator.device)
        losses = torch.zeros((), device=order.device)
        correct, seen = torch.zeros((), device=order.device), 0
        for step, (images, targets) in enumerate(self.data.batches(order, self.config.batch_size), 1):
            loss, hits = self._step(images, targets)
            losses, correct, seen = losses + loss * len(targets), correct + hits, seen + len(targets)
            if step % REPORT_EVERY == 0 or step == self.steps_per_epoch:
                mean = float(losses) / seen
                if not np.isfinite(mean):
                    raise TrainingError(
                        f"The loss is no longer finite in epoch {epoch}, step {step}. "
                        f"Lower --learning-rate (it is {self.config.learning_rate})."
                    )
                if report:
                    done = (epoch - 1) * self.steps_per_epoch + step
                    total = self.config.epochs * self.steps_per_epoch
                    last = history[-1]["validation_accuracy"] if history else None
                    report(StepReport(done, total, epoch, mean, float(correct) / seen, last))
        return float(losses) / seen, float(correct) / seen

    def _step(self, images: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        if self.distorts:
            images = self.augment(images, self.generator)
        logits = class_logits(self.model(normalise(images)))
        loss = F.cross_entropy(logits, targets, label_smoothing=self.config.label_smoothing)
        self.optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip_norm)
        self.optimiser.step()
        self.schedule.step()
        return loss.detach(), (logits.argmax(dim=1) == targets).sum()


@torch.inference_mode()
def measure(model: nn.Module, data: _Digits) -> tuple[float, float]:
    """Mean cross-entropy and accuracy in evaluation mode."""
    model.eval()
    loss, correct = 0.0, 0
    for images, targets in data.batches(torch.arange(len(data), device=data.targets.device), 512):
        logits = class_logits(model(normalise(images)))
        loss += float(F.cross_entropy(logits, targets, reduction="sum"))
        correct += int((logits.argmax(dim=1) == targets).sum())
    return loss / len(data), correct / len(data)


def describe_hardware(device: torch.device) -> str:
    """The device in words: the GPU's name, or the processor and its cores."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{platform.machine()} {device.type.upper()}, {os.cpu_count()} cores"
