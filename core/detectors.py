"""The usual detectors of out-of-distribution inputs, as published, by pytorch-ood. Higher = more unusual.

All but ODIN work on what the ONNX model gives: logits, and the features that the last layers read. Those
that are fitted see training digits alone.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64, UInt8
from pytorch_ood.detector import KNN, ODIN, EnergyBased, Entropy, Mahalanobis, MaxLogit, MaxSoftmax, ViM
from threadpoolctl import threadpool_limits
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from core.checkpoint import load_model
from core.cores import WORKERS
from core.detector_kinds import FITTED_ON, NEIGHBOURS, OWN, SEED, possible
from core.errors import DatasetError
from core.labelled import LabelledDigits
from core.models import DigitCNN, Network, class_logits
from core.outputs import Outputs
from core.predictor import Predictor

LEAST = 200  # training digits
CHUNK = 1000  # pictures a time through the other detectors
BATCH = 64  # pictures a time through ODIN's gradients: what fits the cache

Pixels = UInt8[np.ndarray, "_n 28 28"]
Scores = Float64[np.ndarray, " _n"]


class Detectors:
    """Every detector that is possible for one model. Use `Detectors.fit`."""

    def __init__(self, predictor: Predictor, fitted: dict[str, Callable[[Outputs], Tensor]]):
        self._predictor = predictor
        self._scorers = self._unfitted() | fitted
        model, card = load_model(predictor.folder)
        # A private copy: gradients in a module that others use would meet theirs.
        self._odin = ODIN(_ClassLogits(_fused(model)), norm_std=[card.normalisation["std"]])

    @classmethod
    def fit(cls, predictor: Predictor, training: LabelledDigits | None) -> "Detectors":
        """Fits what is to be fitted.

        Args:
            predictor: the model.
            training: digits that it learned from; None leaves out what needs them.

        Raises:
            DatasetError: too few digits of the model's classes.
        """
        return cls(predictor, {} if training is None else _fitted(predictor, training))

    @property
    def names(self) -> tuple[str, ...]:
        """The keys of `KINDS` that there are, in its order."""
        return possible(self._predictor, fitted="knn" in self._scorers)

    def score(self, images: Pixels) -> dict[str, Scores]:
        """Every detector's scores, by key of `KINDS` and in its order."""
        found = self.without_gradients(images) | {"odin": self._odin_scores(images)}
        return {name: found[name] for name in self.names}

    def without_gradients(self, images: Pixels) -> dict[str, Scores]:
        """The same without ODIN, which takes longer than all others together."""
        starts = range(0, max(1, len(images)), CHUNK)
        parts = _side_by_side(self._scored, [images[start : start + CHUNK] for start in starts])
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _scored(self, images: Pixels) -> dict[str, Scores]:
        outputs = self._predictor.run(images)
        found = self._shipped(outputs)
        found |= {name: scorer(outputs).numpy() for name, scorer in self._scorers.items()}
        return {name: scores.astype(np.float64) for name, scores in found.items()}

    def _unfitted(self) -> dict[str, Callable[[Outputs], Tensor]]:
        found: dict[str, Callable[[Outputs], Tensor]] = {
            "softmax": lambda outputs: MaxSoftmax.score(_logits(outputs), outputs.temperature),
            "logit": lambda outputs: MaxLogit.score(_logits(outputs)),
            "energy": lambda outputs: EnergyBased.score(_logits(outputs)),
            "entropy": lambda outputs: Entropy.score(_logits(outputs) / outputs.temperature),
        }
        return found

    def _shipped(self, outputs: Outputs) -> dict[str, np.ndarray]:
        """The checkpoint's own detector, whose two opinions are scores of their own."""
        own = self._predictor.detector
        if own is None:
            return {}
        distance, learned = own.distance(outputs), own.learned(outputs)
        return {OWN: own.combined(distance, learned), "distance": distance, "learned": learned}

    def _odin_scores(self, images: Pixels) -> np.ndarray:
        batches = [images[start : start + BATCH] for start in range(0, len(images), BATCH)]

        def scored(batch: Pixels) -> np.ndarray:
            inputs = torch.from_numpy(self._predictor.normalised(batch))
            return self._odin.predict(inputs.contiguous(memory_format=torch.channels_last)).numpy()  # type: ignore[no-any-return]

        return np.concatenate([np.zeros(0), *_side_by_side(scored, batches)])


def _side_by_side(work: Callable[[Pixels], Any], parts: list[Pixels]) -> list[Any]:
    """Parts on all cores, each on one thread: libraries that take turns at all cores wait for each other."""

    def alone() -> None:
        torch.set_num_threads(1)
        threadpool_limits(1, user_api="openmp")  # of this thread

    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(WORKERS, initializer=alone) as pool:
        return list(pool.map(work, parts))


class _ClassLogits(nn.Module):
    """A network with one logit a class."""

    def __init__(self, model: Network):
        super().__init__()
        self.model = model.to(memory_format=torch.channels_last)

    def forward(self, images: Tensor) -> Tensor:
        return class_logits(self.model(images))


def _fused(model: Network) -> Network:
    """The same network, each batch normalisation in the convolution before it, and nothing to train."""
    if isinstance(model, DigitCNN):
        layers: list[nn.Module] = []
        for layer in model.conv_layers:
            if isinstance(layer, nn.BatchNorm2d):
                convolution = layers.pop()
                assert isinstance(convolution, nn.Conv2d)
                layer = fuse_conv_bn_eval(convolution, layer)
            layers.append(layer)
        model.conv_layers = nn.Sequential(*layers)
    return model.requires_grad_(False)


def _fitted(predictor: Predictor, training: LabelledDigits) -> dict[str, Callable[[Outputs], Tensor]]:
    known = training.only(predictor.classes)
    if len(known) < LEAST:
        raise DatasetError(
            f"{training.name} has {len(known)} digits of the model's classes; {LEAST} are the least to fit "
            "to. Give more of them."
        )
    chosen = known.take(np.random.default_rng(SEED).permutation(len(known))[:FITTED_ON])
    outputs = predictor.run(chosen.images)
    features = torch.from_numpy(outputs.embedding)
    # Constant features (dead channels) have no covariance to invert.
    alive = features.std(dim=0) > 0
    labels = torch.from_numpy(np.searchsorted(predictor.classes, chosen.labels))
    before, weight, bias = _last_layer(load_model(predictor.folder)[0])

    def hidden(found: Outputs) -> Tensor:
        with torch.no_grad():
            return before(torch.from_numpy(found.embedding))  # type: ignore[no-any-return]

    mahalanobis = Mahalanobis(None).fit_features(features[:, alive], labels)
    nearest = KNN(None, k=NEIGHBOURS).fit_features(features, labels)
    vim = ViM(None, d=weight.shape[1] // 2, w=weight, b=bias).fit_features(hidden(outputs), labels)
    return {
        "mahalanobis": lambda found: mahalanobis.predict_features(
            torch.from_numpy(found.embedding)[:, alive]
        ),
        "knn": lambda found: nearest.predict_features(torch.from_numpy(found.embedding)),
        "vim": lambda found: vim.predict_features(hidden(found)),
    }


def _last_layer(model: Network) -> tuple[nn.Module, Tensor, Tensor]:
    """What comes before the last layer, its weights (a row a class) and its biases."""
    if isinstance(model, DigitCNN):
        last = model.fc_layers[-1]
        assert isinstance(last, nn.Linear)
        return model.fc_layers[1:-1], last.weight.detach(), last.bias.detach()
    weight, bias = model.linear.weight.detach(), model.linear.bias.detach()
    return nn.Identity(), torch.cat([weight, 0 * weight]), torch.cat([bias, 0 * bias])


def _logits(outputs: Outputs) -> Tensor:
    """In double precision: in single precision the surest answers are all equally sure."""
    return torch.from_numpy(outputs.logits.astype(np.float64))
