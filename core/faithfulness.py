"""The attribution methods on many test digits: how far they can be believed, beside noise and edges."""

import hashlib
import json
import platform
import time
import zlib
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version

import numpy as np
import torch
from jaxtyping import Float32, Float64
from scipy import ndimage
from scipy.stats import rankdata
from threadpoolctl import threadpool_limits
from torch import nn

from core.array_cache import ArrayCache
from core.attribution import Task, maps_of, task_of
from core.canonical import folded
from core.checkpoint import load_model
from core.counterfactual import FARTHEST, turn_into
from core.hardware import describe_hardware
from core.labelled import LabelledDigits
from core.map_metrics import curves, infidelity, ink_share, sensitivity
from core.methods import DEFAULTS, METHODS, methods_of
from core.models import DigitCNN, Network, class_logits
from core.paths import data_folder
from core.predictor import Predictor
from core.randomisation import destroyed, likeness, stages_of
from core.study import CONTROLS, FAITHFUL, FIGURES, KEPT, MethodStudy, Span, Study

SEED = 23
DIGITS = 500
BOUNDARY = 1  # as `KEPT`, of the search for the nearest boundary
PIECE = 20  # digits at a time
RESAMPLES = 2000
PARTS = 64  # files kept for going on with: methods of a few models
PACKAGES = ("torch", "captum", "onnxruntime", "numpy", "scipy", "scikit-learn")

Progress = Callable[[str, int, int], None]
MapsOf = Callable[[Task], Float32[np.ndarray, "n 28 28"]]


def study_methods(
    predictor: Predictor, digits: LabelledDigits, *, few: int = DIGITS, progress: Progress
) -> Study:
    """Measures every method on the digits that `chosen` gave, and how far each digit is from being another.

    Args:
        predictor: the model.
        digits: to be explained, each for the model's answer.
        few: how many of them the costly figures are measured on.
        progress: called with what is measured, and digits done and to do.
    """
    started = time.perf_counter()
    measured = measure_methods(predictor, digits, few=few, progress=progress)
    boundary = boundaries(predictor, digits, progress)
    return Study(
        predictor.key,
        digits.name,
        len(digits),
        min(few, len(digits)),
        stages_of(load_model(predictor.folder)[0]),
        summarised(measured),
        {
            "seed": SEED,
            "resamples": RESAMPLES,
            "options": asdict(DEFAULTS),
            "measured_as": KEPT,
            "temperature": predictor.card.temperature,  # of the probabilities
            "seconds": round(time.perf_counter() - started, 1),  # of this run, which may have gone on
            "hardware": describe_hardware(torch.device("cpu")),
            "versions": {name: version(name) for name in PACKAGES} | {"python": platform.python_version()},
            "when": datetime.now(UTC).isoformat(timespec="seconds"),
        },
        boundary={
            "digit": [predictor.classes[row] for row in predictor.run(digits.images).logits.argmax(axis=1)],
            "size": [round(float(size), 3) for size in boundary],
        },
    )


def boundaries(predictor: Predictor, digits: LabelledDigits, progress: Progress) -> Float64[np.ndarray, " n"]:
    """The size of the smallest change that was found for each digit, after which it is read as another one;
    the farthest radius that was tried where none was found."""
    key = f"{predictor.key[:12]}-{digits.digest[:12]}-boundary{BOUNDARY}"
    cache = ArrayCache(data_folder() / "faithfulness", limit=PARTS)
    kept = cache.read(key, shape=(len(digits),))
    if kept is None:
        sizes = np.full(len(digits), FARTHEST)
        for row, image in enumerate(digits.images):
            progress("nearest boundary", row, len(digits))
            found = turn_into(predictor, image, None)
            sizes[row] = found.size if found else FARTHEST
        cache.write(key, sizes)
        kept = sizes
    progress("nearest boundary", len(digits), len(digits))
    return np.array(kept, dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Measured:
    """One method on the digits.

    Attributes:
        figures: by name of `FIGURES`; sensitivity of the first digits alone.
        likeness: the map's rank correlation with that of the network destroyed up to each stage.
    """

    figures: dict[str, Float64[np.ndarray, " n"]]
    likeness: Float64[np.ndarray, "stages few"]


def chosen(digits: LabelledDigits, predictor: Predictor, count: int = DIGITS) -> LabelledDigits:
    """The digits of the study: drawn by a fixed seed among those that the model knows."""
    known = digits.only(predictor.classes)
    rows = np.random.default_rng(SEED).permutation(len(known))[:count]
    return known.take(rows)


def measure_methods(
    predictor: Predictor, digits: LabelledDigits, *, few: int = DIGITS, progress: Progress
) -> dict[str, Measured]:
    """Every method that applies, the noise and the edges, on the digits that `chosen` gave.

    What was measured of the same weights, digits and settings before is not measured again: a run that was
    stopped goes on.

    Args:
        predictor: the model.
        digits: to be explained, each for the model's answer.
        few: how many of them the costly figures are measured on.
        progress: called with the method, and digits done and to do.
    """
    network, _ = load_model(predictor.folder)
    network.requires_grad_(False)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    names = (*methods_of(predictor.layers), *CONTROLS)
    try:
        # SHAP's regression is so small that two threads take twice the time of one.
        with threadpool_limits(1, user_api="blas"):
            return {name: _kept(predictor, network, digits, name, few, progress) for name in names}
    finally:
        torch.set_num_threads(threads)


def _kept(
    predictor: Predictor,
    network: Network,
    digits: LabelledDigits,
    name: str,
    few: int,
    progress: Progress,
) -> Measured:
    few, stages = min(few, len(digits)), len(stages_of(network))
    sizes = [len(digits) if figure != "sensitivity" else few for figure in FIGURES]
    settings = json.dumps([name, few, KEPT, predictor.card.temperature])
    key = f"{predictor.key[:12]}-{digits.digest[:12]}-{hashlib.sha256(settings.encode()).hexdigest()[:12]}"
    cache = ArrayCache(data_folder() / "faithfulness", limit=PARTS)
    flat = cache.read(key, shape=(sum(sizes) + stages * few,))
    if flat is None:
        found = _measured(predictor, network, digits, name, few, progress)
        flat = np.concatenate([*found.figures.values(), found.likeness.ravel()])
        cache.write(key, flat)
    parts = np.split(np.array(flat, dtype=np.float64), np.cumsum(sizes))
    progress(METHODS[name].label if name in METHODS else CONTROLS[name], len(digits), len(digits))
    return Measured(dict(zip(FIGURES, parts, strict=False)), parts[-1].reshape(stages, few))


def _measured(
    predictor: Predictor,
    network: Network,
    digits: LabelledDigits,
    name: str,
    few: int,
    progress: Progress,
) -> Measured:
    explained = _method(name)
    local = name in METHODS and METHODS[name].local
    figures: dict[str, list[np.ndarray]] = {figure: [] for figure in FIGURES}
    like: list[np.ndarray] = []
    ruined = [destroyed(network, stage) for stage in range(len(stages_of(network)))]
    for start in range(0, len(digits), PIECE):
        progress(METHODS[name].label if name in METHODS else CONTROLS[name], start, len(digits))
        images = digits.images[start : start + PIECE]
        targets = np.array(predictor.classes)[predictor.run(images).logits.argmax(axis=1)]
        task = task_of(predictor, network, images, targets)
        maps = explained(task)
        found = curves(predictor, images, maps, targets)
        figures["deletion"].append(found.deletion_area)
        figures["insertion"].append(found.insertion_area)
        figures["infidelity"].append(infidelity(task, maps, local=local))
        figures["ink"].append(ink_share(images, maps))
        rows = slice(0, max(0, few - start))
        if rows.stop:
            some = replace(task, images=task.images[rows], directions=task.directions[rows])
            figures["sensitivity"].append(sensitivity(some, explained))
            ink = images[rows] > 0
            like.append(np.stack([likeness(maps[rows], explained(_of(each, some)), ink) for each in ruined]))
    together = {figure: np.concatenate(parts) for figure, parts in figures.items()}
    return Measured(together, np.concatenate(like, axis=1))


def _of(network: Network, task: Task) -> Task:
    """The same question to another network."""
    fast: nn.Module = network
    if isinstance(network, DigitCNN):  # a third of the time where no gradient is needed
        layers = nn.Sequential(*folded(network), network.fc_layers)
        fast = layers.eval().to(memory_format=torch.channels_last)

    def logits(images: torch.Tensor) -> torch.Tensor:
        seen = images[:, :, network.window, network.window]
        return class_logits(fast(seen.contiguous(memory_format=torch.channels_last)))

    return replace(task, network=network, logits=logits)


def _method(name: str) -> MapsOf:
    controls: dict[str, MapsOf] = {"edges": edges, "random": noise}
    return controls[name] if name in controls else lambda task: maps_of(name, task)


def edges(task: Task) -> Float32[np.ndarray, "n 28 28"]:
    """Sobel's edges of the picture: a map that knows of no network."""
    slopes = [
        np.hypot(ndimage.sobel(one, axis=0), ndimage.sobel(one, axis=1)) for one in task.images[:, 0].numpy()
    ]
    return np.stack(slopes).astype(np.float32)


def noise(task: Task) -> Float32[np.ndarray, "n 28 28"]:
    """Noise that follows from the picture's bytes alone."""
    seeds = (zlib.crc32(image.tobytes()) for image in task.images[:, 0].numpy())
    return np.stack([np.random.default_rng(seed).random((28, 28), dtype=np.float32) for seed in seeds])


def summarised(measured: dict[str, Measured]) -> dict[str, MethodStudy]:
    """Means with 95 % percentile-bootstrap intervals over the digits, and ranks with theirs.

    Digits are drawn anew, the same ones for every method. A method's rank in a drawing is that of its mean
    rank over `FAITHFUL`; 1 is the best.
    """
    names = list(measured)
    means = {figure: _resampled([measured[name].figures[figure] for name in names]) for figure in FIGURES}
    signs = {figure: (1 if better == "lower" else -1) for figure, (_, better) in FIGURES.items()}
    ranks = {figure: rankdata(signs[figure] * means[figure], axis=1) for figure in FAITHFUL}
    overall = rankdata(np.mean([ranks[figure] for figure in FAITHFUL], axis=0), axis=1)
    like = _resampled([measured[name].likeness for name in names])  # (resamples, names, stages)
    return {
        name: MethodStudy(
            figures={
                figure: _span(measured[name].figures[figure].mean(), means[figure][:, place])
                for figure in FIGURES
            },
            likeness=tuple(
                _span(stage.mean(), like[:, place, number])
                for number, stage in enumerate(measured[name].likeness)
            ),
            rank=_span(float(np.median(overall[:, place])), overall[:, place]),
            ranks={
                figure: _span(float(np.median(ranks[figure][:, place])), ranks[figure][:, place])
                for figure in FAITHFUL
            },
        )
        for place, name in enumerate(names)
    }


def _resampled(values: list[Float64[np.ndarray, "..."]]) -> Float64[np.ndarray, "..."]:
    """(resamples, methods, …): means over the last axis, the same digits drawn with replacement for all."""
    n = values[0].shape[-1]
    counts = np.random.default_rng(SEED).multinomial(n, np.full(n, 1 / n), size=RESAMPLES) / n
    return np.stack([(each @ counts.T).T for each in values], axis=1)


def _span(value: float, drawn: Float64[np.ndarray, " resamples"]) -> Span:
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Span(float(value), float(low), float(high))
