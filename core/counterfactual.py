"""The smallest change of a picture that the model reads as another digit."""

import warnings
from dataclasses import dataclass

import numpy as np
import torch
from captum.robust import PGD, MinParamPerturbation
from jaxtyping import Float32, UInt8
from torch import Tensor

from core.errors import ExplanationError
from core.explanation import private_network
from core.models import Network, class_logits
from core.predictor import Predictor

STEPS = 16  # of projected gradient descent, each half a radius long
FARTHEST, STEP = 12.8, 0.05  # radii that are searched, and how finely
STRETCHES = np.linspace(0.4, 1.25, 35)  # of the change that was found, tried with whole brightness levels
VISIBLE = 0.1  # of full brightness, from which on a pixel counts as changed


# captum tells whenever it makes an input's gradients itself.
warnings.filterwarnings("ignore", message="Input Tensor .* did not already require", module="captum")


@dataclass(frozen=True, eq=False)
class Counterfactual:
    """A picture near the first one that is read as another digit.

    Attributes:
        pixels: the picture.
        change: what was added (> 0) and removed (< 0), as a share of full brightness, in [−1, 1].
        digit: what it is read as.
    """

    pixels: UInt8[np.ndarray, "28 28"]
    change: Float32[np.ndarray, "28 28"]
    digit: int

    @property
    def size(self) -> float:
        """The L2 norm of the change: 1 is one pixel from black to white."""
        return float(np.linalg.norm(self.change))

    @property
    def changed(self) -> int:
        """How many pixels changed by a tenth of full brightness or more."""
        return int(np.count_nonzero(np.abs(self.change) >= VISIBLE))

    @property
    def added(self) -> float:
        """Brightness added in all, in pixels."""
        return float(self.change.clip(min=0).sum())

    @property
    def removed(self) -> float:
        """Brightness taken away in all, in pixels."""
        return float(-self.change.clip(max=0).sum())


def turn_into(
    predictor: Predictor, image: UInt8[np.ndarray, "28 28"], digit: int | None
) -> Counterfactual | None:
    """The smallest change that was found, in the L2 norm, after which the model reads `digit`.

    Projected gradient descent (Madry et al. 2018, arXiv:1706.06083) within balls whose radius is halved down
    to the smallest that suffices; then shortened along its line as far as whole brightness levels allow. The
    size is an upper bound: there may be smaller ones.

    Args:
        predictor: the model; it reads the result as `digit`.
        image: in MNIST's convention.
        digit: a known one that it is not read as now; None for any other one, the nearest boundary.

    Returns:
        None where nothing within the farthest radius is read so.

    Raises:
        ExplanationError: the model does not know the digit, or reads it already.
    """
    now = predictor.classes[int(predictor.run(image[None]).logits[0].argmax())]
    if digit is not None and digit not in predictor.classes:
        known = ", ".join(map(str, predictor.classes))
        raise ExplanationError(f"The model does not know the digit {digit}; choose among {known}.")
    if digit == now:
        raise ExplanationError(f"It is read as {digit} already; choose another digit.")
    with private_network(predictor) as network:
        found = _searched(predictor, network, image, now, digit)
    if found is None:
        return None
    return _shortened(predictor, image, found - image / np.float32(255), now, digit)


def _searched(
    predictor: Predictor, network: Network, image: UInt8[np.ndarray, "28 28"], now: int, digit: int | None
) -> Float32[np.ndarray, "28 28"] | None:
    mean, std = (predictor.card.normalisation[name] for name in ("mean", "std"))
    column = predictor.classes.index(now if digit is None else digit)

    def logits(pixels: Tensor) -> Tensor:
        return class_logits(network((pixels - mean) / std))

    def lead(outputs: Tensor, _target: object) -> Tensor:
        """By how much the best other class is ahead; no softmax that could be too sure to have a slope."""
        others = outputs.clone()
        others[:, column] = -torch.inf
        return others.max(dim=1).values - outputs[:, column]

    attack = PGD(logits, loss_func=lead, lower_bound=0.0, upper_bound=1.0)

    def within(pixels: Tensor, radius: float) -> Tensor:
        moved: Tensor = attack.perturb(
            pixels,
            radius=radius,
            step_size=radius / 28 / 2,  # a step changes the sign of 28² pixels: at most half a radius
            step_num=STEPS,
            target=0,
            targeted=digit is not None,
            norm="L2",
        )
        return moved

    def not_yet(outputs: Tensor, **_ignored: object) -> bool:
        return bool(outputs[0].argmax() == column) == (digit is None)

    search = MinParamPerturbation(
        logits, within, "radius", 0.0, FARTHEST, STEP, mode="binary", correct_fn=not_yet
    )
    with torch.enable_grad():
        found, _ = search.evaluate(torch.from_numpy(image[None, None].astype(np.float32) / 255))
    return None if found is None else found[0, 0].detach().numpy()


def _shortened(
    predictor: Predictor,
    image: UInt8[np.ndarray, "28 28"],
    change: Float32[np.ndarray, "28 28"],
    now: int,
    digit: int | None,
) -> Counterfactual | None:
    """The first of ever longer stretches of the change that the served model reads as wanted."""
    tried = image / 255 + STRETCHES[:, None, None] * change
    pictures = (tried.clip(0, 1) * 255).round().astype(np.uint8)
    answers = np.array(predictor.classes)[predictor.run(pictures).logits.argmax(axis=1)]
    good = np.flatnonzero(answers != now if digit is None else answers == digit)
    if not len(good):
        return None
    pixels = pictures[good[0]]
    change = ((pixels.astype(np.float32) - image) / 255).astype(np.float32)
    return Counterfactual(pixels, change, int(answers[good[0]]))
