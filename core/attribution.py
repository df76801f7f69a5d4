"""How captum computes each attribution method, for a batch of images and any direction in the logits."""

import copy
import hashlib
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from captum.attr import (
    LRP,
    DeepLift,
    GuidedBackprop,
    InputXGradient,
    IntegratedGradients,
    KernelShap,
    LayerAttribution,
    LayerGradCam,
    Occlusion,
    Saliency,
)
from jaxtyping import Float32, Int64, UInt8
from torch import Tensor, nn
from torch.nn import functional as F

from core.canonical import Canonical
from core.errors import ExplanationError
from core.methods import BASELINES, DEFAULT_LAYER, DEFAULTS, SHAP_PATCH, SHAP_SAMPLES, Options
from core.models import Network, class_logits
from core.predictor import Predictor

SHAP_SEED = 0
AT_ONCE = 256  # changed pictures that are looked at together

RECENT = 128  # batches of changed pictures whose logits are kept, 10 kB each

Logits = Callable[[Tensor], Tensor]
_recent: dict[tuple[str, bytes], Float32[np.ndarray, "n k"]] = {}  # the least recently used one first

# captum tells of every hook that it hangs on and takes off again.
warnings.filterwarnings("ignore", message="Setting (forward, )?backward hooks", module="captum")


@dataclass(frozen=True, eq=False)
class Task:
    """What is to be explained.

    Attributes:
        network: its own, or one that no other thread uses; without gradients of its parameters.
        logits: the same network's (n, k) logits where no gradient is needed, which may be faster.
        images: normalised.
        directions: the evidence of image i is logits_i · directions_i: 1 for the target, −1 for what it is
            held against.
        black, white: what the network reads for a black and for a white pixel.
        baseline: what it reads for a pixel of the baseline.
        layer: the name of a layer, for the methods that need one.
        options: as the methods are told.
    """

    network: Network
    logits: Logits
    images: Tensor
    directions: Tensor
    black: float
    white: float
    baseline: float
    layer: str
    options: Options

    def evidence(self, images: Tensor, directions: Tensor) -> Tensor:
        """(n,) evidence, without a gradient."""
        with torch.no_grad():
            return (self.logits(images) * directions).sum(dim=1)

    @property
    def model(self) -> "Evidence":
        """The evidence as a module, with gradients."""
        return Evidence(self.network)

    @property
    def private_model(self) -> "Evidence":
        """The same of a copy: for methods that hang hooks on modules, which must not outlive a failure."""
        return Evidence(copy.deepcopy(self.network))


class Evidence(nn.Module):
    """logits · direction, for each image: one logit, or the difference of two."""

    def __init__(self, network: Network):
        super().__init__()
        self.network = network

    def forward(self, images: Tensor, directions: Tensor) -> Tensor:
        return (class_logits(self.network(images)) * directions).sum(dim=1)


def task_of(
    predictor: Predictor,
    network: Network,
    images: UInt8[np.ndarray, "n 28 28"],
    targets: Int64[np.ndarray, " n"],
    *,
    against: int | None = None,
    layer: str = DEFAULT_LAYER,
    options: Options = DEFAULTS,
) -> Task:
    """What the attribution methods are given.

    Args:
        predictor: whose classes, normalisation and logits count.
        network: the same model with gradients.
        images: in MNIST's convention.
        targets: a known digit an image.
        against: a known digit, or None.
        layer: for the methods that need one.
        options: as the methods are told.

    Raises:
        ExplanationError: the target is held against itself.
    """
    levels = np.array([0, 255, round(255 * BASELINES[options.baseline])], dtype=np.uint8)
    read = predictor.normalised(np.broadcast_to(levels[:, None, None], (3, 28, 28)))[:, 0, 0, 0]
    black, white, baseline = (float(value) for value in read)
    return Task(
        network,
        partial(_served, predictor),
        torch.from_numpy(predictor.normalised(images)),
        torch.from_numpy(directions_of(predictor.classes, targets, against)),
        black,
        white,
        baseline,
        layer,
        options,
    )


def _served(predictor: Predictor, images: Tensor) -> Tensor:
    """The served model's logits. The methods without gradients change a digit in the same ways whatever the
    question is, so that the answers are kept for the next one."""
    values = np.ascontiguousarray(images.numpy())
    key = (predictor.key, hashlib.blake2b(values.data, digest_size=16).digest())
    found = _recent.pop(key, None)
    if found is None:
        found = predictor.logits(values)
        while len(_recent) >= RECENT:
            _recent.pop(next(iter(_recent), key), None)
    _recent[key] = found  # at the end, as the last one used
    return torch.from_numpy(found.copy())


def directions_of(
    classes: tuple[int, ...], targets: Int64[np.ndarray, " n"], against: int | None
) -> Float32[np.ndarray, "n k"]:
    """1 for the target and −1 for what it is held against: of two classes, always the other one.

    Raises:
        ExplanationError: the target is held against itself.
    """
    known = np.array(classes)
    directions = np.where(known == targets[:, None], np.float32(1), np.float32(0))
    if len(classes) == 2:
        return np.asarray(2 * directions - 1)
    if against is not None:
        if (targets == against).any():
            raise ExplanationError(f"{against} can't be held against itself; choose another digit.")
        directions[:, known == against] = -1
    return directions


def owed_by(task: Task) -> Float32[np.ndarray, " n"]:
    """evidence(digit) − evidence(baseline): what a complete map adds up to."""
    empty = torch.full_like(task.images, task.baseline)
    found = task.evidence(task.images, task.directions) - task.evidence(empty, task.directions)
    return np.asarray(found.numpy(), dtype=np.float32)


def gradcam(task: Task) -> Tensor:
    method = LayerGradCam(task.model, task.network.layers()[task.layer])
    small = method.attribute(_leaf(task), additional_forward_args=(task.directions,), relu_attributions=True)
    return _over_picture(task.network, small)


def _over_picture(network: Network, small: Tensor) -> Tensor:
    """A layer's map over the rows and columns that the network looks at; 0 elsewhere."""
    window = network.window
    side, after = window.stop - window.start, 28 - window.stop
    large = LayerAttribution.interpolate(small, (side, side), interpolate_mode="bilinear")
    return F.pad(large, (window.start, after, window.start, after))


def guided_gradcam(task: Task) -> Tensor:
    # captum's GuidedGradCam would draw the layer's map over the whole picture, wherever the network looks.
    guided = GuidedBackprop(task.private_model).attribute(
        _leaf(task), additional_forward_args=(task.directions,)
    )
    return guided * gradcam(task)  # type: ignore[no-any-return]


def saliency(task: Task) -> Tensor:
    return Saliency(task.model).attribute(_leaf(task), additional_forward_args=(task.directions,))  # type: ignore[no-any-return]


def input_x_gradient(task: Task) -> Tensor:
    return InputXGradient(task.model).attribute(_leaf(task), additional_forward_args=(task.directions,))  # type: ignore[no-any-return]


def integrated_gradients(task: Task) -> Tensor:
    return IntegratedGradients(task.model).attribute(  # type: ignore[no-any-return]
        _leaf(task),
        baselines=task.baseline,
        n_steps=task.options.steps,
        additional_forward_args=(task.directions,),
        internal_batch_size=max(AT_ONCE, len(task.images)),
    )


def deeplift(task: Task) -> Tensor:
    return DeepLift(task.private_model).attribute(  # type: ignore[no-any-return]
        _leaf(task), baselines=task.baseline, additional_forward_args=(task.directions,)
    )


def occlusion(task: Task) -> Tensor:
    side = task.options.window
    return Occlusion(task.evidence).attribute(  # type: ignore[no-any-return]
        task.images,
        sliding_window_shapes=(1, side, side),
        strides=(1, task.options.stride, task.options.stride),
        baselines=task.baseline,
        additional_forward_args=(task.directions,),
        perturbations_per_eval=max(1, AT_ONCE // len(task.images)),
    )


def shap(task: Task) -> Tensor:
    return torch.cat([_shap_of_one(task, row) for row in range(len(task.images))])


def _shap_of_one(task: Task, row: int) -> Tensor:
    """Each patch's part, spread evenly over its pixels. Patches that are as the baseline are one player
    together: whether they are there changes nothing."""
    image = task.images[row : row + 1]
    side = 28 // SHAP_PATCH
    places = torch.arange(28) // SHAP_PATCH
    patches = places[:, None] * side + places  # (28, 28), the patch of each pixel
    differs = torch.zeros(side**2, dtype=torch.bool)
    differs[patches[image[0, 0] != task.baseline]] = True
    players = differs.cumsum(0) - 1
    players[~differs] = differs.sum()
    mask = players[patches]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SHAP_SEED)
        found: Tensor = KernelShap(task.evidence).attribute(
            image,
            baselines=task.baseline,
            feature_mask=mask[None, None],
            n_samples=SHAP_SAMPLES,
            perturbations_per_eval=AT_ONCE,
            additional_forward_args=(task.directions[row : row + 1],),
        )
    return found / torch.bincount(mask.flatten())[mask]


def lrp(task: Task) -> Tensor:
    found = torch.empty_like(task.images)
    for direction in torch.unique(task.directions, dim=0):
        rows = (task.directions == direction).all(dim=1)
        # Black is 0 here, so that empty paper has no part: what it gives goes to the biases.
        ink = (task.images[rows] - task.black).requires_grad_(True)
        found[rows] = LRP(Canonical(task.network, direction, task.black)).attribute(ink).detach()
    return found


def _leaf(task: Task) -> Tensor:
    return task.images.detach().clone().requires_grad_(True)


_BY_NAME: dict[str, Callable[[Task], Tensor]] = {
    "gradcam": gradcam,
    "input-x-gradient": input_x_gradient,
    "integrated-gradients": integrated_gradients,
    "deeplift": deeplift,
    "shap": shap,
    "occlusion": occlusion,
    "lrp": lrp,
    "saliency": saliency,
    "guided-gradcam": guided_gradcam,
}


def maps_of(name: str, task: Task) -> Float32[np.ndarray, "n 28 28"]:
    """The maps of one method, a key of `core.methods.METHODS`, an image each."""
    with torch.enable_grad():
        values = _BY_NAME[name](task)
    return values.detach().numpy()[:, 0].astype(np.float32)
