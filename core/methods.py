"""What the attribution methods are called, what each one shows and what it hides."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor

from core import attribution
from core.attribution import SHAP_PATCH as PATCH
from core.attribution import SHAP_SAMPLES as SAMPLES
from core.attribution import Task

LOGITS, GRADIENT = "logits a pixel", "logits a unit of brightness"


@dataclass(frozen=True)
class Method:
    """An attribution method.

    Attributes:
        label: its name for people.
        shows, hides: a sentence each, for people.
        signed: whether negative values mean evidence against.
        unit: of the map's values. Maps of one unit can be compared.
        layered: whether it needs a convolutional layer.
        complete: whether the map promises to add up to evidence(digit) − evidence(baseline).
        local: whether a value is evidence a unit of brightness (a gradient) rather than the pixel's own part.
        attribute: the computation, (n, 1, 28, 28).
    """

    label: str
    shows: str
    hides: str
    signed: bool
    unit: str
    attribute: Callable[[Task], Tensor]
    layered: bool = False
    complete: bool = False
    local: bool = False


def maps_of(name: str, task: Task) -> Float32[np.ndarray, "n 28 28"]:
    """The maps of one method, an image each."""
    with torch.enable_grad():
        values = METHODS[name].attribute(task)
    return values.detach().numpy()[:, 0].astype(np.float32)


METHODS = {
    "gradcam": Method(
        "Grad-CAM",
        "Where a layer's features that speak for the digit are active.",
        "Coarse as the layer, and only what speaks for it.",
        signed=False,
        unit="logits a layer's cell",
        attribute=attribution.gradcam,
        layered=True,
    ),
    "input-x-gradient": Method(
        "Input × Gradient",
        "Each pixel's value times how the evidence would change with it.",
        "Holds for tiny changes only; to a network that normalises, black is not 0, so paper counts, too.",
        signed=True,
        unit=LOGITS,
        attribute=attribution.input_x_gradient,
    ),
    "integrated-gradients": Method(
        "Integrated Gradients",
        "Each pixel's part in the way from the baseline to the digit; the parts add up to the evidence.",
        "Depends on the baseline: pixels that are as in it get nothing, however much their absence says.",
        signed=True,
        unit=LOGITS,
        attribute=attribution.integrated_gradients,
        complete=True,
    ),
    "deeplift": Method(
        "DeepLift",
        "Each pixel's part in the difference from the baseline, passed back unit by unit.",
        "Max pooling keeps the parts from adding up exactly; the baseline matters.",
        signed=True,
        unit=LOGITS,
        attribute=attribution.deeplift,
        complete=True,
    ),
    "shap": Method(
        "Kernel SHAP",
        f"What each patch of {PATCH} × {PATCH} px adds, on average over patches that are there already.",
        f"Estimated from {SAMPLES} samples, on pictures with holes that no digit has.",
        signed=True,
        unit=LOGITS,
        attribute=attribution.shap,
        complete=True,
    ),
    "occlusion": Method(
        "Occlusion",
        "How much evidence is lost when a window over the place is blanked.",
        "Blind to what only matters together; a blanked window is itself an odd picture.",
        signed=True,
        unit="logits a window",
        attribute=attribution.occlusion,
    ),
    "lrp": Method(
        "LRP",
        "The evidence handed back layer by layer, in proportion to what each unit gave.",
        "Depends on its rules (γ, ε); a part is lost to biases, so it doesn't add up.",
        signed=True,
        unit=LOGITS,
        attribute=attribution.lrp,
    ),
    "saliency": Method(
        "Saliency",
        "How strongly the evidence would react to a small change of each pixel.",
        "Not what it is made of, nor whether for or against; noisy.",
        signed=False,
        unit=GRADIENT,
        attribute=attribution.saliency,
        local=True,
    ),
    "guided-gradcam": Method(
        "Guided Grad-CAM",
        "Fine lines where Grad-CAM looks: gradients that pass positive signals only.",
        "Partly redraws the picture's edges whatever the weights are: see the test with destroyed weights.",
        signed=True,
        unit="guided gradient × Grad-CAM",
        attribute=attribution.guided_gradcam,
        layered=True,
        local=True,
    ),
}
