"""From a recipe to a checkpoint: train, read the test set once, write the card."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from core import checkpoint, mnist
from core.card import ModelCard
from core.config import TrainConfig
from core.datasets import LabelledDigits, load_dataset
from core.evaluation import Evaluation, evaluate
from core.models import class_logits, parameter_count
from core.training import StepReport, TrainingRun, normalise, train

MEASURED_ON = ("mnist-validation", "mnist-test", "optdigits")


def release(
    config: TrainConfig, folder: Path, *, report: Callable[[StepReport], None] | None = None
) -> ModelCard:
    """Trains by a recipe and writes the checkpoint.

    Raises:
        DigitscopeError: MNIST can't be had, training fails, or the folder can't be written.
    """
    checkpoint.check_target(folder)
    training, validation = load_dataset("mnist-train"), load_dataset("mnist-validation")
    run = train(config, training, validation, report=report)
    metrics = {name: measured_on(run, load_dataset(name)).to_json() for name in MEASURED_ON}
    split = {
        "seed": mnist.SPLIT_SEED,
        "train": len(training),
        "validation": len(validation),
        "test": metrics["mnist-test"]["n"],
    }
    card = describe(run, folder.name, split, metrics)
    return checkpoint.save(folder, run.model, card, run.history)


@torch.inference_mode()
def measured_on(run: TrainingRun, data: LabelledDigits) -> Evaluation:
    """The run's network on the digits of its classes."""
    known = data.only(run.model.classes)
    images = torch.from_numpy(np.ascontiguousarray(known.images)).unsqueeze(1)
    logits = [class_logits(run.model(normalise(batch.float() / 255))) for batch in torch.split(images, 512)]
    probabilities = torch.cat(logits).softmax(dim=1).numpy()
    return evaluate(probabilities, known.labels, run.model.classes)


def describe(
    run: TrainingRun, name: str, split: dict[str, int], metrics: dict[str, dict[str, object]]
) -> ModelCard:
    """The card of a finished run; the hashes come when it is saved."""
    hyperparameters = {k: v for k, v in vars(run.config).items() if k != "architecture"}
    return ModelCard(
        name=name,
        architecture=run.config.architecture,
        classes=run.model.classes,
        parameters=parameter_count(run.model),
        normalisation=checkpoint.MNIST_NORMALISATION,
        source="trained here on MNIST",
        split=split,
        hyperparameters=hyperparameters,
        training={
            "seed": run.config.seed,
            "epochs": run.config.epochs,
            "best_epoch": run.best_epoch,
            "chosen_by": "accuracy on mnist-validation, then loss",
            "seconds": run.seconds,
            "hardware": run.hardware,
            "versions": run.versions,
            "finished": run.finished,
        },
        metrics=metrics,
        hashes={},
    )
