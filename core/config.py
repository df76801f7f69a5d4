"""What decides a training run, without torch: the command line describes it before torch is loaded."""

import argparse
import math
from dataclasses import Field, dataclass, field, fields, replace
from typing import Any

from core.errors import TrainingError


@dataclass(frozen=True)
class Range:
    """The numbers from `low` to `high`; as text an interval, `(0, 1]` = above 0, at most 1."""

    low: float
    high: float
    above: bool = False  # whether `low` itself is outside
    below: bool = True  # whether `high` itself is outside

    def __contains__(self, value: float) -> bool:
        reaches = value > self.low if self.above else value >= self.low
        return reaches and (value < self.high if self.below else value <= self.high)

    def __str__(self) -> str:
        high = "∞" if self.high == math.inf else f"{self.high:,}".replace(",", "")
        return f"{'(' if self.above else '['}{self.low}, {high}{')' if self.below else ']'}"


COUNT, POSITIVE, NOT_NEGATIVE = Range(1, math.inf), Range(0, math.inf, above=True), Range(0, math.inf)


PRECISIONS = ("auto", "float32", "bfloat16")
LOSSES = ("cross-entropy", "distance")
STARTS = ("zero", "faint", "normal")
LINEAR = "ThreeSevenLinear"
MOST_OFFSET = 4  # rows: 24 are left, which three poolings halve without a rest
SEEN = 23  # of these, and of all 28, the rows that an answer depends on
OF_LINEAR_ALONE = ("loss", "start")
# What decides a run of the linear model, which is trained from scratch (core.scratch).
OF_LINEAR = ("data", "epochs", "batch_size", "learning_rate", "loss", "start", "init_from", "seed")


def _flag(default: Any, allowed: Range, help_text: str) -> Any:
    return field(default=default, metadata={"help": help_text, "range": allowed})


def _choice(default: str, allowed: tuple[str, ...], help_text: str) -> Any:
    return field(default=default, metadata={"help": help_text, "choices": allowed})


def _switch(default: bool, help_text: str) -> Any:
    return field(default=default, metadata={"help": help_text})


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """Everything that decides a run. The defaults are the reference recipe of the published CNN.

    Raises:
        TrainingError: a value that can't be, named as the flag of `train.py`.
    """

    architecture: str = field(default="DigitCNN", metadata={"help": "a key of core.models.ARCHITECTURES"})
    data: str = field(default="mnist", metadata={"help": "the digits to learn from, by name or by path"})
    epochs: int = _flag(50, COUNT, "passes over the training digits")
    batch_size: int = _flag(64, COUNT, "digits a step, over all processes")
    learning_rate: float = _flag(3e-3, POSITIVE, "the peak of the one-cycle schedule; linear: of every step")
    loss: str = _choice("cross-entropy", LOSSES, "linear alone: what an error costs; distance: |y - p|")
    start: str = _choice("zero", STARTS, "linear alone: the first weights: 0, N(0, 0.01) or N(0, 1)")
    warm_up: float = _flag(0.1, Range(0, 1, above=True), "share of the steps in which the rate rises")
    weight_decay: float = _flag(1e-4, NOT_NEGATIVE, "AdamW's decoupled weight decay")
    label_smoothing: float = _flag(0.1, Range(0, 1), "share of the target spread over all classes")
    clip_norm: float = _flag(1.0, POSITIVE, "largest norm of the gradient")
    dropout: float = _flag(0.25, Range(0, 1), "share of the channels dropped behind each block")
    head_dropout: float = _flag(0.25, Range(0, 1), "share of the features dropped before the last layer")
    ema: float = _flag(0.0, Range(0, 1), "decay of the weights' moving average, which is then kept; 0 = none")
    rotation: float = _flag(10.0, Range(0, 180, below=False), "random rotation, ± degrees")
    translation: float = _flag(0.1, Range(0, 1, below=False), "random shift, ± share of the side")
    scale: float = _flag(0.1, Range(0, 1), "random zoom, 1 ± this")
    shear: float = _flag(5.0, Range(0, 90), "random horizontal shear, ± degrees")
    aspect: float = _flag(0.0, Range(0, 1, below=False), "random width over height, up to 1 + this")
    elastic: float = _flag(
        0.0, Range(0, 5, below=False), "random smooth displacement, standard deviation in px"
    )
    thinner: float = _flag(0.0, Range(0, 1, below=False), "strokes thinner by up to this on each side, px")
    thicker: float = _flag(0.0, Range(0, 1, below=False), "strokes thicker by up to this on each side, px")
    blots: float = _flag(0.0, Range(0, 1, below=False), "share of the digits whose small loops are filled")
    upstroke: float = _flag(0.0, Range(0, 1, below=False), "share of the 1s that get an upstroke")
    bar: float = _flag(0.0, Range(0, 1, below=False), "share of the 7s that get a bar")
    drawn: float = _flag(
        0.0, Range(0, 1, below=False), "share of the digits taken as if drawn on the canvas and prepared"
    )
    distillation: float = _flag(0.0, Range(0, 1, below=False), "share of the loss that the teachers decide")
    temperature: float = _flag(2.0, POSITIVE, "of the teachers' probabilities")
    views: int = _flag(50, COUNT, "how often the teachers look at every digit, each time distorted anew")
    teachers: tuple[str, ...] = field(default=(), metadata={"help": "checkpoints to learn from"})
    init_from: str = field(
        default="", metadata={"help": "a checkpoint to start from; {seed} in it stands for the run's seed"}
    )
    width: int = _flag(1, Range(1, 8), "channels, as a multiple of the shipped network's: for teachers")
    offset: int = _flag(0, Range(0, MOST_OFFSET), "first rows and columns cut off; with --init-from its own")
    frozen: bool = _switch(False, "train the last, linear layers alone")
    precision: str = _choice("auto", PRECISIONS, "of the arithmetic; auto: bfloat16 where it is faster")
    channels_last: bool = _switch(True, "keep the channels of a pixel together in memory")
    compile: bool = _switch(False, "compile the network (torch.compile): slower on a CPU")
    cuda_graphs: bool = _switch(True, "on a GPU, launch the kernels of a step all at once (a CUDA graph)")
    seed: int = _flag(23, Range(0, 2**32), "seed of weights, order and augmentation")

    def __post_init__(self) -> None:
        for flag in fields(self):
            value = getattr(self, flag.name)
            if "range" in flag.metadata:
                _check(flag.name, value, flag.metadata["range"], type(flag.default))
            elif value not in flag.metadata.get("choices", (value,)):
                one_of = ", ".join(flag.metadata["choices"])
                raise TrainingError(f"--{_dashed(flag.name)} is {value!r}; give one of {one_of}.")

    def decisive(self) -> dict[str, Any]:
        """The fields that decide a run of this architecture."""
        return {name: value for name, value in vars(self).items() if name in self.used()}

    def used(self) -> set[str]:
        """The names of these fields."""
        if self.architecture == LINEAR:
            return set(OF_LINEAR)
        return {flag.name for flag in fields(self)} - {"architecture", *OF_LINEAR_ALONE}


def _dashed(name: str) -> str:
    return name.replace("_", "-")


def _check(name: str, value: Any, allowed: Range, kind: type) -> None:
    types = (int,) if kind is int else (int, float)
    if type(value) not in types or not math.isfinite(value) or value not in allowed:
        what = "a whole number" if kind is int else "a number"
        raise TrainingError(f"--{_dashed(name)} is {value!r}; give {what} in {allowed}.")


# Gentle distortions, and the forms of 1 and 7 that MNIST's writers seldom use.
_GENTLE = TrainConfig(
    epochs=40,
    batch_size=256,
    weight_decay=1e-2,
    label_smoothing=0.0,
    dropout=0.0,
    head_dropout=0.1,
    ema=0.999,
    rotation=6.0,
    translation=0.04,
    scale=0.06,
    shear=3.0,
    aspect=0.04,
    elastic=0.45,
    offset=3,
    thinner=0.5,
    thicker=0.5,
    blots=0.04,
    upstroke=0.3,
    bar=0.3,
    drawn=0.5,
)
# The shipped network is one of `plain`. `distilled`, which four of `teacher` teach, and `quick` read the
# whole picture, as they did when they were measured.
RECIPES = {
    "cnn": {
        "plain": _GENTLE,
        "teacher": replace(_GENTLE, epochs=35, dropout=0.1, head_dropout=0.2, width=2, offset=0, drawn=0.2),
        "distilled": replace(
            _GENTLE, epochs=120, head_dropout=0.0, views=50, distillation=0.9, offset=0, drawn=0.2
        ),
        "quick": replace(_GENTLE, epochs=16, batch_size=128, dropout=0.05, drawn=0.0, offset=0),
        "reference": TrainConfig(),
    },
    "linear": {
        "plain": TrainConfig(architecture=LINEAR, epochs=40, batch_size=256, learning_rate=1.0),
        "reference": TrainConfig(
            architecture=LINEAR, epochs=20, batch_size=256, learning_rate=1.0, loss="distance", start="normal"
        ),
    },
}


def add_flags(parser: argparse.ArgumentParser) -> None:
    """A flag for every field but the architecture, which comes with the model."""
    for flag in fields(TrainConfig):
        if flag.name != "architecture":
            parser.add_argument("--" + _dashed(flag.name), default=None, **_options_of(flag))


def _options_of(flag: Field[Any]) -> dict[str, Any]:
    about = flag.metadata["help"]
    if "choices" in flag.metadata:
        return {"choices": flag.metadata["choices"], "help": about}
    if isinstance(flag.default, bool):
        return {"action": argparse.BooleanOptionalAction, "help": about}
    if isinstance(flag.default, tuple):
        return {"nargs": "+", "metavar": "CHECKPOINT", "help": about}
    if isinstance(flag.default, str):
        return {"metavar": "NAME_OR_PATH", "help": about}
    usual = "; ".join(
        f"{model} " + " / ".join(str(getattr(config, flag.name)) for config in recipes.values())
        for model, recipes in RECIPES.items()
    )
    return {"type": type(flag.default), "help": f"{about}, in {flag.metadata['range']} (default: {usual})"}


def changed_by_flags(config: TrainConfig, options: argparse.Namespace) -> TrainConfig:
    """The recipe with what was given on the command line.

    Raises:
        TrainingError: a value that can't be.
    """
    given = {flag.name: getattr(options, flag.name, None) for flag in fields(TrainConfig)}
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in given.items()
        if value is not None
    }
    return replace(config, **values)
