"""What the attribution methods are called, what each one shows and hides, and what it can be told."""

from dataclasses import dataclass

DEFAULT_LAYER = "block3"
SHAP_PATCH = 4  # px along the side of SHAP's players
SHAP_SAMPLES = 256  # coalitions tried
LOGITS, GRADIENT = "logits a pixel", "logits a unit of brightness"


@dataclass(frozen=True)
class Options:
    """What the methods can be told.

    Attributes:
        steps: of Integrated Gradients, between the baseline and the digit; 2 to 500.
        baseline: the picture "without anything" that IG, DeepLift, SHAP and Occlusion compare with: a key of
            `BASELINES`.
        window: px along the side of what Occlusion covers; 1 to 14.
        stride: px between two windows; 1 to `window`.
    """

    steps: int = 32
    baseline: str = "black"
    window: int = 4
    stride: int = 2


BASELINES = {"black": 0.0, "grey": 0.5, "white": 1.0}  # brightness in [0, 1]
DEFAULTS = Options()


@dataclass(frozen=True)
class Method:
    """An attribution method.

    Attributes:
        label: its name for people.
        brief: what it shows and what it doesn't, in a line.
        shows, hides: the same in a sentence each.
        signed: whether negative values mean evidence against.
        unit: of the map's values. Maps of one unit can be compared.
        layered: whether it needs a convolutional layer.
        complete: whether the map promises to add up to evidence(digit) − evidence(baseline).
        local: whether a value is evidence a unit of brightness (a gradient) rather than the pixel's own part.
    """

    label: str
    brief: str
    shows: str
    hides: str
    signed: bool
    unit: str
    layered: bool = False
    complete: bool = False
    local: bool = False


METHODS = {
    "gradcam": Method(
        "Grad-CAM",
        "Where features that speak for it are active; as coarse as the layer.",
        "Where a layer's features that speak for the digit are active.",
        "Coarse as the layer, and only what speaks for it.",
        signed=False,
        unit="logits a layer's cell",
        layered=True,
    ),
    "input-x-gradient": Method(
        "Input × Gradient",
        "Pixel × slope of the evidence; holds for tiny changes only.",
        "Each pixel's value times how the evidence would change with it.",
        "Holds for tiny changes only; to a network that normalises, black is not 0, so paper counts, too.",
        signed=True,
        unit=LOGITS,
    ),
    "integrated-gradients": Method(
        "Integrated Gradients",
        "Each pixel's part on the way from the baseline; what is as there gets none.",
        "Each pixel's part in the way from the baseline to the digit; the parts add up to the evidence.",
        "Depends on the baseline: pixels that are as in it get nothing, however much their absence says.",
        signed=True,
        unit=LOGITS,
        complete=True,
    ),
    "deeplift": Method(
        "DeepLift",
        "Each pixel's part in the difference from the baseline; pooling breaks the sum.",
        "Each pixel's part in the difference from the baseline, passed back unit by unit.",
        "Max pooling keeps the parts from adding up exactly; the baseline matters.",
        signed=True,
        unit=LOGITS,
        complete=True,
    ),
    "shap": Method(
        "Kernel SHAP",
        f"What each {SHAP_PATCH} × {SHAP_PATCH} patch adds, on average; estimated on pictures with holes.",
        f"What each patch of {SHAP_PATCH} × {SHAP_PATCH} px adds, on average over those already there.",
        f"Estimated from {SHAP_SAMPLES} samples, on pictures with holes that no digit has.",
        signed=True,
        unit="logits a pixel, patches spread evenly",
        complete=True,
    ),
    "occlusion": Method(
        "Occlusion",
        "What is lost when a window is blanked; blind to what only matters together.",
        "How much evidence is lost when a window over the place is blanked.",
        "Blind to what only matters together; a blanked window is itself an odd picture.",
        signed=True,
        unit="logits a window",
    ),
    "lrp": Method(
        "LRP",
        "Evidence handed back layer by layer; the rules matter, biases keep a part.",
        "The evidence handed back layer by layer, in proportion to what each unit gave.",
        "Depends on its rules (γ, ε); a part is lost to biases, so it doesn't add up.",
        signed=True,
        unit=LOGITS,
    ),
    "saliency": Method(
        "Saliency",
        "How strongly each pixel could change it; not what it is made of.",
        "How strongly the evidence would react to a small change of each pixel.",
        "Not what it is made of, nor whether for or against; noisy.",
        signed=False,
        unit=GRADIENT,
        local=True,
    ),
    "guided-gradcam": Method(
        "Guided Grad-CAM",
        "Fine lines where Grad-CAM looks; partly the picture's own edges.",
        "Fine lines where Grad-CAM looks: gradients that pass positive signals only.",
        "Partly redraws the picture's edges whatever the weights are: see the test with destroyed weights.",
        signed=True,
        unit="guided gradient × Grad-CAM",
        layered=True,
        local=True,
    ),
}


def methods_of(layers: tuple[str, ...]) -> tuple[str, ...]:
    """The methods that apply to a model with these layers to take a class activation map from."""
    return tuple(name for name, method in METHODS.items() if layers or not method.layered)


def problem(options: Options) -> str | None:
    """What is wrong with the options, in words; None if nothing is."""
    if options.baseline not in BASELINES:
        return f"Unknown baseline {options.baseline!r}; choose one of {', '.join(BASELINES)}."
    for name, least, most in (("steps", 2, 500), ("window", 1, 14), ("stride", 1, options.window)):
        value = getattr(options, name)
        if type(value) is not int or not least <= value <= most:
            return f"{name}={value!r}: give a whole number from {least} to {most}."
    return None
