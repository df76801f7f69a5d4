"""Where a model looked: captum's attributions as 28×28 maps, safe to ask for from many threads."""

import operator
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import SupportsIndex

import numpy as np
import torch
from captum.attr import InputXGradient, LayerAttribution, LayerGradCam
from jaxtyping import Float32, Int64, UInt8
from torch import Tensor, nn

from core.checkpoint import load_model
from core.errors import CheckpointError, ExplanationError
from core.models import ARCHITECTURES, Network, class_logits
from core.paths import WEIGHTS
from core.predictor import Input, Predictor, pixels_of

METHODS = ("gradcam", "input-x-gradient")
DEFAULT_LAYER = "block3"
BATCH = 32  # explained at once; between two batches another thread may take the lock


@dataclass(frozen=True, eq=False)
class Explanation:
    """A map of evidence for one class.

    Attributes:
        map: 28×28, in units of the logit; larger = more evidence for `target`. Never rescaled.
        target: the digit that the evidence is for.
        method: one of `METHODS`.
        layer: the layer that the map was taken from (`block3`), or `input`.
        signed: whether negative values mean evidence against the target.
    """

    map: Float32[np.ndarray, "28 28"]
    target: int
    method: str
    layer: str
    signed: bool

    @property
    def strength(self) -> float:
        """The largest absolute value of the map; 0 where there is no evidence at all."""
        return float(np.abs(self.map).max())

    @property
    def note(self) -> str | None:
        """What must be said where the map shows nothing."""
        if not self.signed and self.strength == 0:
            return f"No positive evidence for {self.target}: nothing in {self.layer} speaks for it."
        return None


def default_method(predictor: Predictor) -> str:
    """Grad-CAM for networks that have layers to take it from; for a linear model, whose logit is a sum over
    pixels, each pixel's exact part in it."""
    architecture = ARCHITECTURES.get(predictor.card.architecture)
    return "gradcam" if architecture and architecture.layer_names else "input-x-gradient"


def explain(
    predictor: Predictor,
    image: Input,
    *,
    method: str = "gradcam",
    target: SupportsIndex | None = None,
    layer: str | None = None,
) -> Explanation:
    """Explains a prediction.

    - `gradcam`: relu(Σ_k mean(∂y/∂A_k) · A_k) over the channels k of a layer's activations A, bilinearly
      upsampled; ≥ 0 (Selvaraju et al. 2017, arXiv:1610.02391).
    - `input-x-gradient`: x · ∂y/∂x, signed (Shrikumar et al. 2016, arXiv:1605.01713); exact for a
      linear model.

    y is the target's logit; with two classes, the log-odds of the target.

    Args:
        predictor: the model. Its prediction and this explanation come from the same weights.
        image: as for `Predictor.predict`.
        method: one of `METHODS`.
        target: the digit to find evidence for; the predicted one by default.
        layer: `block1` to `block4` (28×28, 14×14, 7×7, 3×3) for Grad-CAM; `block3` by default, as
            deeper maps are too coarse to show a place and earlier ones know little of the class.

    Raises:
        ExplanationError: a method, target or layer that the model does not have.
        PictureError: the picture can't be read or is blank.
    """
    _check(predictor, method)
    targets = None if target is None else np.array([_known(predictor, target)], dtype=np.int64)
    return _explained(predictor, pixels_of(image, 0)[None], method, targets, layer)[0]


def explain_batch(
    predictor: Predictor,
    images: UInt8[np.ndarray, "n 28 28"],
    *,
    method: str | None = None,
    targets: Int64[np.ndarray, " n"] | None = None,
    layer: str | None = None,
) -> list[Explanation]:
    """Explains many predictions at once, several times as fast as `explain` one by one.

    Args:
        predictor: as for `explain`.
        images: in MNIST's convention, used as they are.
        method: one of `METHODS`; `default_method(predictor)` by default.
        targets: a digit an image to find evidence for; the predicted ones by default.
        layer: as for `explain`.

    Returns:
        An explanation an image, in their order, as `explain` gives it but for rounding.

    Raises:
        ExplanationError: a method, target or layer that the model does not have.
        NothingDrawn: a blank image; the message names its place.
    """
    chosen = method or default_method(predictor)
    _check(predictor, chosen)
    for target in np.unique(targets) if targets is not None else ():
        _known(predictor, target)
    for place, image in enumerate(images):
        pixels_of(image, place)  # refuses a blank one
    found: list[Explanation] = []
    for start in range(0, len(images), BATCH):
        part = slice(start, start + BATCH)
        wanted = None if targets is None else targets[part]
        found += _explained(predictor, images[part], chosen, wanted, layer)
    return found


def _explained(
    predictor: Predictor,
    images: UInt8[np.ndarray, "n 28 28"],
    method: str,
    targets: Int64[np.ndarray, " n"] | None,
    layer: str | None,
) -> list[Explanation]:
    if targets is None:
        targets = np.array(predictor.classes)[predictor.run(images).logits.argmax(axis=1)]
    twin = _twin(predictor.folder, predictor.key)
    inputs = torch.from_numpy(predictor.normalised(images))
    gradcam = method == "gradcam"
    if gradcam:
        place = layer or DEFAULT_LAYER
        maps = twin.gradcam(inputs, targets, place)
    elif layer in (None, "input"):
        place = "input"
        maps = twin.input_x_gradient(inputs, targets)
    else:
        raise ExplanationError(f"{method} explains the input, not a layer; leave out layer={layer!r}.")
    return [
        Explanation(values, int(target), method, place, signed=not gradcam)
        for values, target in zip(maps, targets, strict=True)
    ]


def warm_up(predictor: Predictor) -> None:
    """Loads what the first explanation would wait for."""
    example = np.zeros((28, 28), dtype=np.uint8)
    example[4:24, 13:15] = 255
    explain(predictor, example, method=default_method(predictor))


def _known(predictor: Predictor, target: SupportsIndex) -> int:
    """The target as a digit of the model's; NumPy's whole numbers count, truth values don't."""
    digit = -1 if isinstance(target, bool) or not hasattr(target, "__index__") else operator.index(target)
    if digit not in predictor.classes:
        known = ", ".join(map(str, predictor.classes))
        raise ExplanationError(f"The model does not know the digit {target}; choose among {known}.")
    return digit


def _check(predictor: Predictor, method: str) -> None:
    if method not in METHODS:
        raise ExplanationError(f"Unknown method {method!r}; choose one of {', '.join(METHODS)}.")
    if method == "gradcam" and default_method(predictor) != "gradcam":
        raise ExplanationError(
            f"Grad-CAM needs a convolutional layer and {predictor.card.architecture} has none; "
            f"use method={default_method(predictor)!r}."
        )


class _Twin:
    """A private PyTorch copy of a predictor's network, and the lock that every use of it holds.

    captum hangs hooks on the modules it explains, so two threads in one module break each other,
    some of them silently. Nothing but this class ever sees the module. There is one lock for all
    copies, as torch's number of threads, set while explaining, is one for all as well.
    """

    lock = threading.Lock()

    def __init__(self, model: Network):
        self._model = model.requires_grad_(False)

    def gradcam(
        self, inputs: Tensor, digits: Int64[np.ndarray, " n"], layer: str
    ) -> Float32[np.ndarray, "n 28 28"]:
        layers = self._model.layers()
        if layer not in layers:
            raise ExplanationError(f"No layer {layer!r}; choose one of {', '.join(layers)}.")
        method = LayerGradCam(self._evidence(digits), layers[layer])

        def attribute(images: Tensor) -> Tensor:
            small = method.attribute(images, relu_attributions=True)
            large: Tensor = LayerAttribution.interpolate(small, (28, 28), interpolate_mode="bilinear")
            return large

        return self._locked(attribute, inputs)

    def input_x_gradient(
        self, inputs: Tensor, digits: Int64[np.ndarray, " n"]
    ) -> Float32[np.ndarray, "n 28 28"]:
        return self._locked(InputXGradient(self._evidence(digits)).attribute, inputs)

    def _evidence(self, digits: Int64[np.ndarray, " n"]) -> nn.Module:
        return _Evidence(self._model, torch.tensor([self._model.classes.index(digit) for digit in digits]))

    def _locked(
        self, attribute: Callable[[Tensor], Tensor], inputs: Tensor
    ) -> Float32[np.ndarray, "n 28 28"]:
        with self.lock:
            threads = torch.get_num_threads()
            torch.set_num_threads(1)  # so few digits are too little work to wake a second thread for
            try:
                with torch.enable_grad():
                    values = attribute(inputs.requires_grad_(True))
            finally:
                torch.set_num_threads(threads)
        return values.detach().numpy()[:, 0].astype(np.float32)


class _Evidence(nn.Module):
    """What is explained of each image: its class's logit, or for two classes its log-odds."""

    def __init__(self, model: Network, indices: Tensor):
        super().__init__()
        self.model, self.indices = model, indices[:, None]

    def forward(self, images: Tensor) -> Tensor:
        logits = class_logits(self.model(images))
        evidence = logits.gather(1, self.indices)
        if logits.shape[1] == 2:
            evidence = evidence - logits.gather(1, 1 - self.indices)
        return evidence[:, 0]


def _twin(folder: Path, key: str) -> _Twin:
    with _Twin.lock:  # loading too: a thread's first use of torch decides how many threads it has
        return _loaded(folder, key)


@lru_cache(maxsize=4)
def _loaded(folder: Path, key: str) -> _Twin:
    model, card = load_model(folder)
    if card.hashes[WEIGHTS] != key:
        raise CheckpointError(f"{folder} was replaced while it was in use. Load the predictor again.")
    return _Twin(model)
