"""What label smoothing does to confidence: `docs/results/label-smoothing.json`, measured on one network."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Int64

from core.calibration import Calibration, Estimate, fit_temperature, measure
from core.datasets import load_dataset
from core.errors import TrainingError
from core.evaluation import Reliability, evaluate
from core.outputs import softmax
from core.paths import ROOT
from core.predictor import Predictor

RECORD = ROOT / "docs" / "results" / "label-smoothing.json"


@dataclass(frozen=True, eq=False)
class Lesson:
    """A network that was trained with label smoothing, on MNIST's test digits.

    Attributes:
        recipe: the run's recipe.
        label_smoothing: the share of the target spread over all classes, in [0, 1].
        epochs: of the run.
        seed: of the run.
        hardware: of the run.
        dataset: what it is measured on.
        accuracy: in [0, 1].
        confidence: the mean over the digits, in [0, 1].
        temperature: fitted on the validation digits.
        bins: by stage, `before` the temperature and `after` it.
        calibration: likewise.
    """

    recipe: str
    label_smoothing: float
    epochs: int
    seed: int
    hardware: str
    dataset: str
    accuracy: float
    confidence: float
    temperature: float
    bins: dict[str, Reliability]
    calibration: dict[str, Calibration]

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary for the record."""
        bins = {
            stage: {name: values.tolist() for name, values in vars(each).items()}
            for stage, each in self.bins.items()
        }
        calibration = {stage: each.to_json() for stage, each in self.calibration.items()}
        return {**vars(self), "bins": bins, "calibration": calibration}


def measure_lesson(predictor: Predictor, recipe: str) -> Lesson:
    """Measures a network that was trained here, its own temperature fitted on the validation digits."""
    validation, test = _outputs(predictor, "mnist-validation"), _outputs(predictor, "mnist-test")
    temperature = fit_temperature(*validation)
    logits, truth = test
    stages = {"before": softmax(logits), "after": softmax(logits / np.float32(temperature))}
    found = {stage: evaluate(p, truth, tuple(range(p.shape[1]))) for stage, p in stages.items()}
    card = predictor.card
    return Lesson(
        recipe=recipe,
        label_smoothing=card.hyperparameters["label_smoothing"],
        epochs=card.training["epochs"],
        seed=card.training["seed"],
        hardware=card.training["hardware"],
        dataset="mnist-test",
        accuracy=found["before"].accuracy,
        confidence=float(stages["before"].max(axis=1).mean()),
        temperature=temperature,
        bins={stage: each.reliability for stage, each in found.items()},
        calibration={stage: measure(p, truth) for stage, p in stages.items()},
    )


def _outputs(predictor: Predictor, name: str) -> tuple[Float32[np.ndarray, "n k"], Int64[np.ndarray, " n"]]:
    data = load_dataset(name).only(predictor.classes)
    return predictor.run(data.images).logits, np.searchsorted(predictor.classes, data.labels)


def write_lesson(lesson: Lesson, path: Path = RECORD) -> None:
    """Keeps a lesson as the published one."""
    path.write_text(json.dumps(lesson.to_json(), indent=1) + "\n", encoding="utf-8")


def read_lesson(path: Path = RECORD) -> Lesson:
    """The published lesson.

    Raises:
        TrainingError: there is none, or it is damaged.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        bins = {
            stage: Reliability(
                np.array(each["counts"]), np.array(each["confidence"]), np.array(each["accuracy"])
            )
            for stage, each in content["bins"].items()
        }
        calibration = {stage: _calibration(each) for stage, each in content["calibration"].items()}
        return Lesson(**{**content, "bins": bins, "calibration": calibration})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainingError(f"{path} can't be read ({error}). Restore the file.") from error


def _calibration(content: dict[str, Any]) -> Calibration:
    figures: dict[str, Any] = {
        name: Estimate(**value) if isinstance(value, dict) else value for name, value in content.items()
    }
    return Calibration(**figures)
