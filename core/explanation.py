"""Where a model looked: attributions as 28×28 maps, safe to ask for from many threads."""

import operator
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import SupportsIndex

import numpy as np
import torch
from jaxtyping import Float32, Int64, UInt8

from core.attribution import maps_of, owed_by, task_of
from core.checkpoint import load_model
from core.errors import CheckpointReplaced, ExplanationError
from core.methods import DEFAULT_LAYER as DEFAULT_LAYER
from core.methods import DEFAULTS, Options, methods_of, problem
from core.methods import METHODS as _METHODS
from core.models import Network
from core.paths import WEIGHTS
from core.predictor import Input, Predictor, pixels_of

METHODS = tuple(_METHODS)
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
        against: the digit that the target is held against; None for the target's own logit.
        owed: what the map promises to add up to, evidence(digit) − evidence(baseline); None where the
            method promises nothing.
    """

    map: Float32[np.ndarray, "28 28"]
    target: int
    method: str
    layer: str
    signed: bool
    against: int | None = None
    owed: float | None = None

    @property
    def strength(self) -> float:
        """The largest absolute value of the map; 0 where there is no evidence at all."""
        return float(np.abs(self.map).max())

    @property
    def question(self) -> str:
        """`4`, or `4 against 9`."""
        return str(self.target) if self.against is None else f"{self.target} against {self.against}"

    @property
    def gap(self) -> float | None:
        """How far the map is from adding up to what it promises (captum's convergence delta)."""
        return None if self.owed is None else float(self.map.sum(dtype=np.float64)) - self.owed

    @property
    def note(self) -> str | None:
        """What must be said where the map shows nothing."""
        if self.strength > 0:
            return None
        if not self.signed:
            return f"No positive evidence for {self.question}: nothing in {self.layer} speaks for it."
        return f"No evidence for or against {self.question}: the map is zero everywhere."


def default_method(predictor: Predictor) -> str:
    """Grad-CAM for networks that have layers to take it from; for a linear model, whose logit is a sum over
    pixels, each pixel's exact part in it."""
    return "gradcam" if predictor.layers else "input-x-gradient"


def methods_for(predictor: Predictor) -> tuple[str, ...]:
    """The methods that apply to a model."""
    return methods_of(predictor.layers)


def explain(
    predictor: Predictor,
    image: Input,
    *,
    method: str = "gradcam",
    target: SupportsIndex | None = None,
    layer: str | None = None,
    against: SupportsIndex | None = None,
    options: Options = DEFAULTS,
) -> Explanation:
    """Explains a prediction.

    With y the target's logit, or its difference to the logit of `against`; with two classes, the log-odds of
    the target; x what the network reads, b a baseline picture:

    - `gradcam`: relu(Σ_k mean(∂y/∂A_k) · A_k) over the channels k of a layer's activations A, bilinearly
      upsampled; ≥ 0 (Selvaraju et al. 2017, arXiv:1610.02391).
    - `input-x-gradient`: x · ∂y/∂x, signed (Shrikumar et al. 2016, arXiv:1605.01713); exact for a
      linear model.
    - `integrated-gradients`: (x − b) · ∫ ∂y/∂x along the straight way from b to x, signed; adds up to
      y(x) − y(b) (Sundararajan et al. 2017, arXiv:1703.01365).
    - `deeplift`: the rescale rule, signed (Shrikumar et al. 2017, arXiv:1704.02685).
    - `shap`: Shapley values of 4×4 patches by KernelSHAP, each spread over its pixels, signed; adds up
      (Lundberg and Lee 2017, arXiv:1705.07874). Deterministic.
    - `occlusion`: the mean loss of y over the windows that cover a pixel, signed (Zeiler and Fergus 2014,
      arXiv:1311.2901).
    - `lrp`: γ-rule for convolutions, ε-rule for the rest, batch normalisation folded in, signed (Bach et
      al. 2015, doi:10.1371/journal.pone.0130140; Montavon et al. 2019).
    - `saliency`: |∂y/∂x|, ≥ 0 (Simonyan et al. 2014, arXiv:1312.6034).
    - `guided-gradcam`: guided backpropagation × Grad-CAM, signed (Springenberg et al. 2015,
      arXiv:1412.6806; Selvaraju et al. 2017).

    Args:
        predictor: the model. Its prediction and this explanation come from the same weights.
        image: as for `Predictor.predict`.
        method: one of `METHODS`.
        target: the digit to find evidence for; the predicted one by default.
        layer: `block1` to `block4` (sizes: `DigitCNN.layers`) for Grad-CAM, guided or not; `block3` by
            default, as deeper maps are too coarse to show a place and earlier ones know little of the class.
        against: the digit to hold the target against; none by default.
        options: of the methods that have any.

    Raises:
        ExplanationError: a method, target, layer or option that the model does not have.
        PictureError: the picture can't be read or is blank.
    """
    _check(predictor, method, layer, options)
    targets = None if target is None else np.array([_known(predictor, target)], dtype=np.int64)
    rival = None if against is None else _known(predictor, against)
    pixels = pixels_of(image, 0)[None]
    return _explained(predictor, pixels, method, targets, layer, rival, options)[0]


def explain_batch(
    predictor: Predictor,
    images: UInt8[np.ndarray, "n 28 28"],
    *,
    method: str | None = None,
    targets: Int64[np.ndarray, " n"] | None = None,
    layer: str | None = None,
    options: Options = DEFAULTS,
) -> list[Explanation]:
    """Explains many predictions at once, several times as fast as `explain` one by one.

    Args:
        predictor: as for `explain`.
        images: in MNIST's convention, used as they are.
        method: one of `METHODS`; `default_method(predictor)` by default.
        targets: a digit an image to find evidence for; the predicted ones by default.
        layer: as for `explain`.
        options: as for `explain`.

    Returns:
        An explanation an image, in their order, as `explain` gives it but for rounding.

    Raises:
        ExplanationError: a method, target, layer or option that the model does not have.
        NothingDrawn: a blank image; the message names its place.
    """
    chosen = method or default_method(predictor)
    _check(predictor, chosen, layer, options)
    for target in np.unique(targets) if targets is not None else ():
        _known(predictor, target)
    for place, image in enumerate(images):
        pixels_of(image, place)  # refuses a blank one
    found: list[Explanation] = []
    for start in range(0, len(images), BATCH):
        part = slice(start, start + BATCH)
        wanted = None if targets is None else targets[part]
        found += _explained(predictor, images[part], chosen, wanted, layer, None, options)
    return found


def _explained(
    predictor: Predictor,
    images: UInt8[np.ndarray, "n 28 28"],
    method: str,
    targets: Int64[np.ndarray, " n"] | None,
    layer: str | None,
    against: int | None,
    options: Options,
) -> list[Explanation]:
    if targets is None:
        targets = np.array(predictor.classes)[predictor.run(images).logits.argmax(axis=1)]
    about = _METHODS[method]
    place = (layer or DEFAULT_LAYER) if about.layered else "input"
    with private_network(predictor) as network:
        task = task_of(predictor, network, images, targets, against=against, layer=place, options=options)
        maps = maps_of(method, task)
        owed = owed_by(task).tolist() if about.complete else [None] * len(images)
    return [
        Explanation(values, int(target), method, place, about.signed, against, debt)
        for values, target, debt in zip(maps, targets, owed, strict=True)
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


def _check(predictor: Predictor, method: str, layer: str | None, options: Options) -> None:
    if method not in METHODS:
        raise ExplanationError(f"Unknown method {method!r}; choose one of {', '.join(METHODS)}.")
    about, layers = _METHODS[method], predictor.layers
    if about.layered and not layers:
        raise ExplanationError(
            f"{about.label} needs a convolutional layer and {predictor.card.architecture} has none; "
            f"use method={default_method(predictor)!r}."
        )
    if about.layered and layer is not None and layer not in layers:
        raise ExplanationError(f"No layer {layer!r}; choose one of {', '.join(layers)}.")
    if not about.layered and layer not in (None, "input"):
        raise ExplanationError(f"{method} explains the input, not a layer; leave out layer={layer!r}.")
    if found := problem(options):
        raise ExplanationError(found)


class _Twin:
    """A private PyTorch copy of a predictor's network, and the lock that every use of it holds.

    captum hangs hooks on the modules it explains, so two threads in one module break each other,
    some of them silently. There is one lock for all copies, as torch's number of threads, set while
    explaining, and its random numbers are one for all as well.
    """

    lock = threading.Lock()

    def __init__(self, model: Network):
        self._model = model.requires_grad_(False)

    @contextmanager
    def alone(self) -> Iterator[Network]:
        with self.lock:
            threads = torch.get_num_threads()
            torch.set_num_threads(1)  # so few digits are too little work to wake a second thread for
            try:
                yield self._model
            finally:
                torch.set_num_threads(threads)


@contextmanager
def private_network(predictor: Predictor) -> Iterator[Network]:
    """A predictor's network with gradients, alone: to be left as it was found."""
    with _twin(predictor.folder, predictor.key).alone() as network:
        yield network


def _twin(folder: Path, key: str) -> _Twin:
    with _Twin.lock:  # loading too: a thread's first use of torch decides how many threads it has
        return _loaded(folder, key)


@lru_cache(maxsize=4)
def _loaded(folder: Path, key: str) -> _Twin:
    model, card = load_model(folder)
    if card.hashes[WEIGHTS] != key:
        raise CheckpointReplaced(f"{folder} was replaced while it was in use. Load the predictor again.")
    return _Twin(model)
