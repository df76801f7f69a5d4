"""How fast training is: `python train.py cnn --benchmark`.

Images per second beside the published loop (a DataLoader with PIL transforms, batch 64) in the same
run, and on a GPU the time to an accuracy. Without a GPU those rows read "not measured".
"""

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import cycle
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from core.config import RECIPES, TrainConfig
from core.datasets import LabelledDigits
from core.drawn import drawn_copies
from core.figures import Row, check_out, print_table, write_figures
from core.hardware import best_device, describe_hardware, precision
from core.learner import Learner, normalise
from core.models import DigitCNN
from core.parts import Parts, parts_of
from core.paths import ROOT
from core.training import train
from core.training_data import Batch, DeviceDigits, TrainingData, as_floats

RESULTS = ROOT / "docs" / "results"
PACKAGES = ("torch", "torchvision", "numpy", "pillow")
PLAIN, REFERENCE = RECIPES["cnn"]["plain"], RECIPES["cnn"]["reference"]
ROUNDS = 3  # the loops take turns, so that a slow moment of the machine meets all
SECONDS = {"cpu": 4.0, "cuda": 1.0}  # of each loop in each round
WORKERS = (0, 2)  # of the DataLoader; the faster one counts
SEEDS = 5
LADDER = (1, 2, 4, 6, 8, 12, 16, 24, 32)  # epochs, tried until the mean accuracy is reached
GPU_BATCH = 512
GOALS = {0.99: 2.0, 0.994: 10.0}  # mean validation accuracy: seconds
NO_GPU = "there is no CUDA device here"
_say = partial(print, "measuring:", file=sys.stderr, flush=True)

Step = Callable[[], int]


class PilDigits(Dataset[tuple[torch.Tensor, int]]):
    """The published pipeline: one image at a time through PIL."""

    def __init__(self, data: LabelledDigits):
        self.data = data
        self.transform = transforms.Compose(
            [
                transforms.ToPILImage(),
                transforms.RandomRotation(REFERENCE.rotation),
                transforms.RandomAffine(
                    0,
                    translate=(REFERENCE.translation, REFERENCE.translation),
                    scale=(1 - REFERENCE.scale, 1 + REFERENCE.scale),
                    shear=REFERENCE.shear,
                ),
                transforms.ToTensor(),
                normalise,
            ]
        )

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return self.transform(self.data.images[index]), int(self.data.labels[index])


def results_of(device: str) -> Path:
    """Where the figures of a kind of device (`cpu`, `cuda`, `mps`) are kept."""
    return RESULTS / ("bench-training.json" if device == "cpu" else f"bench-training-{device}.json")


def main(out: Path | None = None) -> None:
    """Measures, prints a row a figure and writes them to `out`, by default the device's own file."""
    device = best_device()
    out = out or results_of(device.type)
    check_out(out)
    parts = parts_of()
    hardware = describe_hardware(device)
    print(f"training on {hardware}")
    rows = print_table(_rows(parts, device))
    about = {"recipe": "plain", "flags": vars(_resolved(PLAIN, device))}
    write_figures(out, rows, hardware=hardware, packages=PACKAGES, about=about)


def _rows(parts: Parts, device: torch.device) -> Iterator[Row]:
    if device.type == "cuda":
        yield from _times_on_gpu(parts, device)
    yield from _throughput(parts.training, device)
    if device.type == "cuda":
        return
    yield Row("50 epochs on a GPU", None, "s", against=NO_GPU, limit=20)
    for goal, limit in GOALS.items():
        yield Row(f"time to {goal:.1%} on a GPU", None, "s", against=NO_GPU, limit=limit)


def _resolved(config: TrainConfig, device: torch.device) -> TrainConfig:
    return replace(config, precision=precision(config, device))


def _throughput(data: LabelledDigits, device: torch.device) -> Iterator[Row]:
    """Ours beside the published loop, and what each of our switches gives."""
    usual = _resolved(PLAIN, device)
    variants = {
        "training, plain recipe": usual,
        "the same in float32": replace(usual, precision="float32"),
        "the same in float32, contiguous": replace(usual, precision="float32", channels_last=False),
    }
    if device.type == "cuda":
        variants["the same without CUDA graphs"] = replace(usual, cuda_graphs=False)
    loops = {name: _ours(data, config, device) for name, config in variants.items()}
    published = {
        f"published loop, {workers} workers": _published(data, device, workers) for workers in WORKERS
    }
    _say("images per second")
    speeds = measured_speeds(loops | published, device)
    median = {name: statistics.median(found) for name, found in speeds.items()}
    name = max(published, key=lambda name: median[name])
    for figure in loops:
        limit = 2.0 if figure == "training, plain recipe" else None
        spread = f"{min(speeds[figure]):,.0f} to {max(speeds[figure]):,.0f} in {ROUNDS} rounds"
        against = f"{name}, batch 64; ours {spread}"
        yield Row(figure, median[figure], "images/s", median[name], against, limit, n=ROUNDS)


def measured_speeds(loops: dict[str, Step], device: torch.device) -> dict[str, list[float]]:
    """Images per second of each loop, a figure for each round; in a round all take their turn."""
    for step in loops.values():
        step()
    speeds: dict[str, list[float]] = {name: [] for name in loops}
    for _ in range(ROUNDS):
        for name, step in loops.items():
            step()
            started, images = _now(device), 0
            while _now(device) - started < SECONDS.get(device.type, 4.0):
                images += step()
            speeds[name].append(images / (_now(device) - started))
    return speeds


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def _ours(data: LabelledDigits, config: TrainConfig, device: torch.device) -> Step:
    digits = DeviceDigits(data, DigitCNN.classes, device, drawn=config.drawn > 0)
    source = TrainingData(digits, config)
    learner = Learner(config, DigitCNN(offset=config.offset).to(device), 10 * source.steps_per_epoch)
    batches = _piecewise(source, device)

    def step() -> int:
        batch = next(batches)
        learner.step(batch, whole=len(batch))
        return len(batch)

    return step


def _piecewise(source: TrainingData, device: torch.device) -> Iterator[Batch]:
    """A few batches at a time with the augmentation they cost; an epoch's at once would blur the clock."""
    generator = torch.Generator(device).manual_seed(0)
    size = source.config.batch_size
    for start in cycle(range(0, len(source.digits) - 4 * size, 4 * size)):
        rows = slice(start, start + 4 * size)
        images = source.distorted(generator, rows)
        for part, targets in zip(
            torch.split(images, size), torch.split(source.digits.targets[rows], size), strict=True
        ):
            yield Batch(as_floats(part), targets, None)


def _published(data: LabelledDigits, device: torch.device, workers: int) -> Step:
    """The loop as published: nothing of ours in it but the network."""
    loader = DataLoader(PilDigits(data), REFERENCE.batch_size, shuffle=True, num_workers=workers)
    model = DigitCNN().to(device).train()
    optimiser = torch.optim.AdamW(
        model.parameters(), REFERENCE.learning_rate, weight_decay=REFERENCE.weight_decay
    )
    loss_of = torch.nn.CrossEntropyLoss(label_smoothing=REFERENCE.label_smoothing)
    batches = iter(loader)

    def step() -> int:
        nonlocal batches
        try:
            images, targets = next(batches)
        except StopIteration:
            batches = iter(loader)
            images, targets = next(batches)
        optimiser.zero_grad()
        loss = loss_of(model(images.to(device)), targets.to(device))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), REFERENCE.clip_norm)
        optimiser.step()
        return len(targets)

    return step


def _times_on_gpu(parts: Parts, device: torch.device) -> Iterator[Row]:
    """Seconds of whole runs, measuring after every epoch and loading the kept data included."""
    for part in (parts.training, parts.validation):
        drawn_copies(part)  # made once for all runs: 3 minutes of a core where they are not kept
    started = _now(device)
    for part in (parts.training, parts.validation):
        DeviceDigits(part, DigitCNN.classes, device, drawn=True)
    yield Row("data onto the GPU, which every time below has in it", _now(device) - started, "s", n=1)
    fast = replace(_resolved(PLAIN, device), batch_size=GPU_BATCH)
    _say("a short run that nobody counts: kernels are chosen and loaded")
    warm_up = _seconds(replace(fast, epochs=1), parts, device, seed=0)[0]
    run = _seconds(replace(fast, epochs=50), parts, device, seed=1)
    yield Row("50 epochs on a GPU", run[0], "s", limit=20, against=f"first epoch ever: {warm_up:.1f} s", n=1)
    goals = dict(GOALS)
    for epochs in LADDER:
        found = [_seconds(replace(fast, epochs=epochs), parts, device, seed) for seed in range(1, SEEDS + 1)]
        seconds, accuracies = zip(*found, strict=True)
        for goal in [goal for goal in goals if np.mean(accuracies) >= goal]:
            spread = (
                f"{epochs} epochs, validation {np.mean(accuracies):.2%} ± {np.std(accuracies, ddof=1):.2%}"
            )
            name = f"time to {goal:.1%} on a GPU"
            yield Row(name, float(np.mean(seconds)), "s", against=spread, limit=goals.pop(goal), n=SEEDS)
        if not goals:
            return
    for goal, limit in goals.items():
        against = f"not within {LADDER[-1]} epochs"
        yield Row(f"time to {goal:.1%} on a GPU", None, "s", against=against, limit=limit)


def _seconds(config: TrainConfig, parts: Parts, device: torch.device, seed: int) -> tuple[float, float]:
    """How long a run took, and its last epoch's validation accuracy: nothing is chosen here."""
    seeded = replace(config, seed=seed)
    _say(f"{config.epochs} epochs, seed {seed}")
    started = _now(device)
    run = train(seeded, parts.training, parts.validation, device=device)
    return _now(device) - started, run.history[-1]["validation_accuracy"]
