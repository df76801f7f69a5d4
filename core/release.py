"""From a recipe to a checkpoint: train, read the test set once, write the card."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core import checkpoint, mnist, processes
from core.card import ModelCard
from core.config import LINEAR, TrainConfig
from core.datasets import LabelledDigits, load_dataset
from core.distillation import teachers_of
from core.errors import TrainingError
from core.evaluation import Evaluation, evaluate
from core.learner import logits_of
from core.models import DigitCNN, Network, parameter_count
from core.parts import Parts, parts_of
from core.preprocess import VERSION as PREPARED
from core.results import validation_accuracy
from core.runs import RunFolder, StepReport, open_run
from core.training import TrainingRun, new_network, train

ELSEWHERE = ("mnist-test", "optdigits")  # where every network is measured, whatever it learned from


def release_best(
    config: TrainConfig,
    folder: Path,
    *,
    recipe: str,
    seeds: int = 1,
    resume: bool = False,
    peek: bool = False,
    report: Callable[[StepReport], None] | None = None,
    each: Callable[[dict[str, Any]], None] | None = None,
) -> list[dict[str, Any]]:
    """Trains by a recipe from one seed or several, and publishes the run that validation likes best.

    Args:
        config: the recipe with the first seed; the others follow it.
        folder: the published checkpoint's. Every run keeps its own in its folder in `runs/`.
        recipe: what the results and the runs' folders call it.
        seeds: how many.
        resume: go on where an earlier process was stopped; finished runs are not trained again.
        peek: see `release`.
        report: called every few steps.
        each: called with each run's result.

    Returns:
        The results in the order of the seeds; only the first of several processes has them.

    Raises:
        DigitscopeError: data, teachers or the network to start from can't be had or don't fit each
            other, training fails, or a folder can't be written.
    """
    processes.on_first(lambda: checkpoint.check_target(folder))
    parts = parts_of(config.data)
    seeded = [_with_seed(config, seed) for seed in range(config.seed, config.seed + seeds)]
    processes.on_first(lambda: _check(seeded, parts))
    results, trained = [], []
    for one in seeded:
        name = f"{folder.name}-{recipe}-seed{one.seed}"
        with ExitStack() as stack:
            run, result = _run(
                stack, name, one, parts, recipe=recipe, resume=resume, peek=peek, report=report
            )
        if run:
            results.append(result)
            trained.append(run.checkpoint)
            if each:
                each(result)
    if results:
        best = max(range(seeds), key=lambda n: validation_accuracy(results[n]))
        checkpoint.publish(trained[best], folder)
    return results


def _run(
    stack: ExitStack, name: str, config: TrainConfig, parts: Parts, *, resume: bool, **how: Any
) -> tuple[RunFolder | None, dict[str, Any]]:
    """One run with its folder, which the first process alone has; `how` goes to `release`."""
    run: RunFolder | None = None

    def opened() -> dict[str, Any] | None:
        nonlocal run
        again = {"peek": how["peek"], "processes": processes.count()}
        if config.drawn:
            again["prepared"] = PREPARED
        run = stack.enter_context(open_run(name, config, resume=resume, **again))
        return run.result()

    found = processes.on_first(opened)
    return run, found or release(config, parts, run, **how)


def release(
    config: TrainConfig,
    parts: Parts,
    folder: RunFolder | None,
    *,
    recipe: str = "",
    report: Callable[[StepReport], None] | None = None,
    peek: bool = False,
) -> dict[str, Any]:
    """Trains one network and writes its checkpoint.

    Args:
        config: the recipe.
        parts: of the data.
        folder: the run's, where the checkpoint comes to lie; None in all processes but the first.
        recipe: what the result calls it.
        report: called every few steps.
        peek: also measure the test set after every epoch, to show what choosing the epoch by it
            would have claimed. The checkpoint is chosen by validation all the same.

    Returns:
        The run's result, as `core.results` records it; empty where `folder` is None.

    Raises:
        DigitscopeError: training fails, or the checkpoint can't be written.
    """
    watch = (lambda model: {"test_accuracy": measured_on(model, parts.test).accuracy}) if peek else None
    run = train(
        config,
        parts.training,
        parts.validation,
        start=_start(config),
        report=report if folder else None,
        folder=folder,
        watch=watch,
    )
    if folder is None:
        return {}
    metrics = {
        data.name: measured_on(run.model, data).to_json()
        for data in (parts.validation, parts.test, *_elsewhere(parts))
    }
    checkpoint.save(folder.checkpoint, run.model, describe(run, parts, metrics), run.history)
    result = summarise(run, recipe, parts, metrics)
    folder.finish(result)
    return result


def _with_seed(config: TrainConfig, seed: int) -> TrainConfig:
    """A run's own configuration; what a network is given of a picture stays as it has learned it."""
    config = replace(config, seed=seed, init_from=config.init_from.replace("{seed}", str(seed)))
    start = _start(config)
    return replace(config, offset=start.offset) if isinstance(start, DigitCNN) else config


def _check(configs: list[TrainConfig], parts: Parts) -> None:
    """Everything that can be known before the first epoch, so that nobody waits for it in vain.

    Raises:
        DigitscopeError: see `release_best`.
    """
    for config in configs:
        start = _start(config)
        classes = (start or new_network(config)).classes
        if isinstance(start, DigitCNN) and start.width != config.width:
            raise TrainingError(
                f"{config.init_from} has width {start.width}, and --width is {config.width}. "
                f"Give --width {start.width}, or start from another checkpoint."
            )
        if config.frozen and (not config.init_from or config.architecture != "DigitCNN"):
            raise TrainingError(
                "--frozen trains the last layers of a convolutional checkpoint. Name it in --init-from."
            )
        teachers_of(config, torch.device("cpu"))
    for part in (parts.training, parts.validation, parts.test):
        if not len(part.only(classes)):
            raise TrainingError(f"{part.name} has no digit of the classes {classes}. Give more digits.")


def _start(config: TrainConfig) -> Network | None:
    """The network to go on from, if the recipe names one."""
    if not config.init_from:
        return None
    return checkpoint.load_for_training(config.init_from, config.architecture)[0]


def _elsewhere(parts: Parts) -> list[LabelledDigits]:
    """The sets that tell how a network does on other digits, as far as they are at hand."""
    seen = {parts.test.name, parts.training.name.removesuffix("-train")}
    at_hand = [
        name for name in ELSEWHERE if name not in seen and not (name == "mnist-test" and mnist.missing())
    ]
    return [load_dataset(name) for name in at_hand]


def measured_on(model: Network, data: LabelledDigits) -> Evaluation:
    """A network on the digits of its classes."""
    known = data.only(model.classes)
    device = next(model.parameters()).device
    images = torch.from_numpy(np.ascontiguousarray(known.images)).to(device)
    probabilities = logits_of(model, images).softmax(dim=1).cpu().numpy()
    return evaluate(probabilities, known.labels, model.classes)


def summarise(
    run: TrainingRun, recipe: str, parts: Parts, metrics: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    """One run for `docs/results/`, as `core.results` reads it."""
    wanted = ("n", "accuracy", "errors", "ece")
    return {
        "recipe": recipe,
        "seed": run.config.seed,
        "best_epoch": run.best_epoch,
        "chosen_on": parts.validation.name,
        "tested_on": parts.test.name,
        "metrics": {name: {key: found[key] for key in wanted} for name, found in metrics.items()},
        "seconds": run.seconds,
        "images_per_second": run.images_per_second,
        "hardware": run.hardware,
        "versions": run.versions,
        "finished": run.finished,
        "flags": {"architecture": run.config.architecture} | run.config.decisive(),
        "history": run.history,
    }


def _chosen_by(config: TrainConfig, parts: Parts) -> str:
    if config.architecture == LINEAR:
        return f"loss on {parts.validation.name}"
    drawn = ", as they are and as if drawn" if config.drawn else ""
    return f"accuracy on {parts.validation.name}{drawn}, then loss"


def describe(run: TrainingRun, parts: Parts, metrics: dict[str, dict[str, Any]]) -> ModelCard:
    """The card of a finished run; its name and the hashes come when it is saved."""
    source = f"trained here on {parts.training.name.removesuffix('-train').replace('mnist', 'MNIST')}"
    if run.config.init_from:
        source += f", from the weights of {run.config.init_from}"
    if run.config.teachers:
        source += f", taught by {', '.join(run.config.teachers)}"
    return ModelCard(
        name="checkpoint",
        architecture=run.config.architecture,
        classes=run.model.classes,
        parameters=parameter_count(run.model),
        normalisation=checkpoint.TRAINED_WITH[run.config.architecture],
        source=source,
        split=parts.split(),
        hyperparameters=run.config.decisive(),
        training={
            "seed": run.config.seed,
            "epochs": run.config.epochs,
            "best_epoch": run.best_epoch,
            "chosen_by": _chosen_by(run.config, parts),
            "seconds": run.seconds,
            "hardware": run.hardware,
            "versions": run.versions,
            "finished": run.finished,
        },
        metrics=metrics,
        hashes={},
        offset=run.config.offset,
    )
