"""What is fitted to a trained checkpoint: its temperature, and from where on it refuses to answer."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float32, Int64

from core.abstention import Costs, OperatingPoint, cheapest, risk_coverage
from core.calibration import Calibration, fit_temperature, measure
from core.card import ModelCard, update_card
from core.datasets import DATASETS, load_dataset
from core.errors import DatasetError
from core.evaluation import evaluate
from core.outputs import Outputs
from core.predictor import Predictor

SPLIT = "mnist-validation"  # the test set chooses nothing
Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Fitted:
    """What was fitted, and on how many digits of the validation split.

    Attributes:
        temperature: what the logits are divided by.
        before: the calibration without it.
        after: the calibration with it.
        point: what the chosen threshold does there.
        choices: the thresholds that other costs would choose.
        costs: what chose it; None for a threshold that was given.
    """

    temperature: float
    before: Calibration
    after: Calibration
    point: OperatingPoint
    choices: tuple[OperatingPoint, ...]
    costs: Costs | None

    def calibration(self) -> dict[str, Any]:
        """For the card's `calibration`."""
        return {
            "temperature": self.temperature,
            "fitted_on": SPLIT,
            "n": self.after.n,
            "before": self.before.to_json(),
            "after": self.after.to_json(),
        }

    def verdict(self) -> dict[str, Any]:
        """For the card's `verdict`, beside what others keep there."""
        return {
            "refuse_below": self.point.threshold,
            "chosen_on": SPLIT,
            "chosen_by": "the threshold given" if self.costs is None else asdict(self.costs),
            "n": self.point.n,
            "coverage": self.point.coverage,
            "accuracy": self.point.accuracy,
            "choices": [asdict(choice) for choice in self.choices],
        }


def fit(
    logits: Float32[np.ndarray, "n k"],
    truth: Int64[np.ndarray, " n"],
    *,
    costs: Costs | None = None,
    threshold: float | None = None,
) -> Fitted:
    """Fits the temperature, then chooses the threshold on the confidences that it gives.

    Args:
        logits: of the validation digits.
        truth: the column of each one's true class.
        costs: choose the cheapest threshold by these; the usual ones where neither is given.
        threshold: in [0, 1], to be taken as it is.

    Raises:
        DatasetError: no digits, or a threshold outside [0, 1].
    """
    if threshold is not None and not 0 <= threshold <= 1:
        raise DatasetError(f"The threshold is {threshold:g}; give a number from 0 to 1.")
    temperature = fit_temperature(logits, truth)
    plain, divided = (Outputs(logits, logits, {}, t).probabilities for t in (1.0, temperature))
    curve = risk_coverage(divided.max(axis=1), divided.argmax(axis=1) == truth)
    choices = curve.choices()
    if threshold is not None:
        point, costs = curve.at(threshold), None
    else:
        costs = costs or Costs()
        point = cheapest(choices, costs)
    return Fitted(temperature, measure(plain, truth), measure(divided, truth), point, choices, costs)


def calibrate(
    predictor: Predictor,
    *,
    costs: Costs | None = None,
    threshold: float | None = None,
    progress: Progress | None = None,
) -> tuple[Fitted, ModelCard]:
    """Fits to a checkpoint on the validation digits of its classes, and writes it into its card.

    The figures that the card has of named data sets are measured again with the new temperature. All of
    it is written at once; weights and graph stay as they are.

    Args:
        predictor: the checkpoint's.
        costs: see `fit`.
        threshold: see `fit`.
        progress: called with (done, total) where MNIST must be fetched.

    Raises:
        DatasetError: see `fit`.
        CheckpointError: the card can't be written, or is of other weights by now.
    """
    data = load_dataset(SPLIT, progress=progress).only(predictor.classes)
    truth = np.searchsorted(predictor.classes, data.labels)
    found = fit(predictor.run(data.images).logits, truth, costs=costs, threshold=threshold)
    measured = {
        name: _metrics(predictor, name, found.temperature)
        for name in predictor.card.metrics
        if name in DATASETS
    }

    def change(card: ModelCard) -> ModelCard:
        metrics = {name: measured.get(name, old) for name, old in card.metrics.items()}
        verdict = {**card.verdict, **found.verdict()}
        return replace(card, metrics=metrics, calibration=found.calibration(), verdict=verdict)

    return found, update_card(predictor.folder, change, key=predictor.key)


def _metrics(predictor: Predictor, name: str, temperature: float) -> dict[str, Any]:
    data = load_dataset(name).only(predictor.classes)
    outputs = replace(predictor.run(data.images), temperature=temperature)
    return evaluate(outputs.probabilities, data.labels, predictor.classes).to_json()
