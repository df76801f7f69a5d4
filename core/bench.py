"""Speed and accuracy beside their baselines, each ratio measured in one run: `python -m core bench`."""

import io
import json
import platform
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from captum.attr import LayerAttribution, LayerGradCam
from jaxtyping import Float64, Int64, UInt8
from PIL import Image
from sklearn.datasets import load_digits
from tqdm import tqdm

from core import mnist
from core.checkpoint import load_model
from core.datasets import load_dataset
from core.errors import DigitscopeError, PictureError
from core.evaluation import wilson_interval
from core.explanation import DEFAULT_LAYER, explain
from core.models import Network
from core.paths import data_folder
from core.pendigits import SIZES, PenDigit, draw, read_unipen
from core.predictor import Predictor
from core.preprocess import prepare
from core.strokes import CANVAS_SIDE
from core.training import describe_hardware

MODEL = "cnn"
ACCURACY = 0.94  # to reach at every size of the pen
EVALUATED = 10_000  # images
TORCH_BATCH = 256
SEED = 23
PAUSE = 0.25  # s; OpenMP's threads spin on for up to 0.2 s after their last work and take a core
INPUTS = 120  # different ones a latency is measured on
PACKAGES = ("torch", "onnxruntime", "captum", "numpy", "scipy", "pillow")
DERIVED = ("ratio", "target", "reached")  # of a row, beside its fields
LAYOUT = "{:<48}{:>17}{:>17}{:>9}{:>10}{:>9}  {}"
_say = partial(print, "measuring:", file=sys.stderr, flush=True)

Images = UInt8[np.ndarray, "n 28 28"]
Labels = Int64[np.ndarray, " n"]
Call = Callable[[int], object]


@dataclass(frozen=True)
class Row:
    """One figure.

    Attributes:
        figure: what was measured.
        value: in `unit`; None where it was not measured, and `against` says why.
        unit: `images/s`, `ms` or `share` (of correct answers, in [0, 1]).
        baseline: in `unit`.
        against: what the baseline is, measured in the same run.
        limit: the target: at most for `ms`, at least for a share; for `images/s` what `ratio` shall reach.
        interval_95: the Wilson interval of a share.
        n: how many digits a share is of, or how often a time was taken.
    """

    figure: str
    value: float | None
    unit: str
    baseline: float | None = None
    against: str = ""
    limit: float | None = None
    interval_95: tuple[float, float] | None = None
    n: int = 0

    @property
    def ratio(self) -> float | None:
        """How many times better than the baseline: times as fast, or times fewer errors."""
        if self.value is None or self.baseline is None:
            return None
        if self.unit == "images/s":
            return self.value / self.baseline
        whole = 1 if self.unit == "share" else 0
        return (whole - self.baseline) / (whole - self.value) if self.value != whole else None

    @property
    def reached(self) -> bool | None:
        """None without a target or without a value."""
        if self.limit is None or self.value is None:
            return None
        if self.unit == "ms":
            return self.value <= self.limit
        return (self.ratio or 0.0 if self.unit == "images/s" else self.value) >= self.limit

    @property
    def target(self) -> str | None:
        if self.limit is None:
            return None
        at = {"ms": f"≤ {self.limit:g} ms", "share": f"≥ {self.limit:.0%}"}
        return at.get(self.unit, f"≥ {self.limit:g}×")

    def line(self) -> str:
        """The row as columns of text."""
        verdict = {True: "reached", False: "missed", None: ""}[self.reached]
        measured = _shown(self.value, self.unit) or "not measured"
        baseline = _shown(self.baseline, self.unit)
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}×"
        note = self.against
        if self.interval_95:
            note += f"; 95 % interval {self.interval_95[0]:.2%} to {self.interval_95[1]:.2%}, n = {self.n:,}"
        return LAYOUT.format(self.figure, measured, baseline, ratio, self.target or "", verdict, note)


def main(out: Path | None = None) -> None:
    """Measures the checkpoint `cnn`, prints a row a figure and writes them to `out` as JSON.

    A missed target is said, but is no failure.

    Raises:
        DigitscopeError: no checkpoint, damaged data, or `out` can't be written.
    """
    if out and not out.parent.is_dir():
        raise DigitscopeError(f"{out}: there is no folder {out.parent}. Make it, or choose another --out.")
    predictor = Predictor.load(MODEL)
    hardware = describe_hardware(torch.device("cpu"))
    print(f"{predictor.card.name} ({predictor.key[:12]}) on {hardware}")
    print(LAYOUT.format("figure", "measured", "baseline", "ratio", "target", "", "the baseline is"))
    rows = []
    for row in _rows(predictor):
        print(row.line(), flush=True)
        rows.append(row)
    print("ratio: how many times as fast as the baseline, or how many times fewer errors, in this run")
    if out:
        _write(out, predictor, hardware, rows)


def _rows(predictor: Predictor) -> Iterator[Row]:
    model, _ = load_model(predictor.folder)
    pen_file = data_folder() / "pendigits" / "pendigits-orig.tra.gz"
    pens = read_unipen(pen_file) if pen_file.is_file() else []
    at_hand = not any(name.startswith("t10k") for name in mnist.missing())
    digits = load_dataset("mnist-test" if at_hand else "optdigits")
    images = np.resize(digits.images, (EVALUATED, 28, 28))  # repeats them where there are fewer
    yield _evaluation(predictor, model, images, digits.name)
    yield from _one_image(predictor, model, images)
    yield from _picture(predictor, _pngs(pens, images))
    yield from _grad_cam(predictor, model, images)
    yield _optdigits(predictor)
    for size in SIZES:
        figure = f"accuracy, pen trajectories, {size} ({SIZES[size]} px)"
        if pens:
            yield _pen_drawn(predictor, pens, figure, SIZES[size])
        else:
            yield Row(figure, None, "share", against=f"{pen_file} is absent", limit=ACCURACY)


def timed(calls: Sequence[Call], *, rounds: int, repeats: int) -> Float64[np.ndarray, "calls times"]:
    """Seconds of `rounds · repeats` runs of each call; a call gets the number of its repeat.

    The calls take turns of `repeats` runs, so that a slow moment of the machine meets all of them.
    """
    for call in calls:
        for number in range(repeats):  # the first ones are slow: memory, kernels, clock
            call(number)
    seconds = np.empty((len(calls), rounds, repeats))
    for turn in range(rounds):
        for row, call in enumerate(calls):
            time.sleep(PAUSE)
            for number in range(repeats):
                started = time.perf_counter()
                call(number)
                seconds[row, turn, number] = time.perf_counter() - started
    return seconds.reshape(len(calls), rounds * repeats)


def _evaluation(predictor: Predictor, model: Network, images: Images, source: str) -> Row:
    figure = f"evaluation of {EVALUATED:,} images ({source})"
    against = f"plain PyTorch loop, batch {TORCH_BATCH}, contiguous, {torch.get_num_threads()} threads"
    _say(figure)
    calls = (lambda _: predictor.run(images), lambda _: _torch_logits(predictor, model, images))
    ours, plain = (EVALUATED / np.median(timed(calls, rounds=5, repeats=1), axis=1)).tolist()
    return Row(figure, ours, "images/s", plain, against, limit=4, n=5)


@torch.inference_mode()
def _torch_logits(predictor: Predictor, model: Network, images: Images) -> torch.Tensor:
    mean, std = predictor.card.normalisation["mean"], predictor.card.normalisation["std"]
    batches = torch.split(torch.from_numpy(images).unsqueeze(1), TORCH_BATCH)
    return torch.cat([model((batch.float() / 255 - mean) / std) for batch in batches])


def _latency(figure: str, calls: Sequence[Call], against: str, targets: dict[int, float]) -> Iterator[Row]:
    """A row for each percentile in `targets` (ms): the first call's time beside the second's."""
    _say(figure)
    times = timed(calls, rounds=5, repeats=INPUTS) * 1000
    for share, target in targets.items():
        ours, baseline = np.percentile(times, share, axis=1).tolist()
        yield Row(f"{figure}, p{share}", ours, "ms", baseline, against, limit=target, n=times.shape[1])


def _one_image(predictor: Predictor, model: Network, images: Images) -> Iterator[Row]:
    calls = (lambda i: predictor.run(images[[i]]), lambda i: _torch_logits(predictor, model, images[[i]]))
    return _latency("model alone, one image", calls, "PyTorch eager", {50: 0.3})


def _pngs(pens: list[PenDigit], images: Images) -> list[bytes]:
    """280×280 RGBA canvases as PNG files, with pen-drawn digits where there are any."""
    generator, sizes = np.random.default_rng(SEED), list(SIZES.values())
    files = []
    for number in range(INPUTS):
        if pens:
            pen = pens[number * len(pens) // INPUTS]
            canvas = Image.fromarray(draw(pen, size=sizes[number % len(sizes)], generator=generator))
        else:
            canvas = Image.fromarray(images[number]).resize((CANVAS_SIDE, CANVAS_SIDE))
        canvas.convert("RGBA").save(file := io.BytesIO(), format="PNG")
        files.append(file.getvalue())
    return files


def _picture(predictor: Predictor, files: list[bytes]) -> Iterator[Row]:
    def plainly(number: int) -> None:
        with Image.open(io.BytesIO(files[number])) as image:
            predictor.run(_resized(image.convert("L"))[None])

    calls = (lambda i: predictor.predict(files[i]), plainly)
    against = "the same with a plain resize to 28×28 instead of prepare()"
    return _latency("picture (280×280 PNG) → Prediction", calls, against, {50: 4})


def _resized(image: Image.Image) -> UInt8[np.ndarray, "28 28"]:
    return np.asarray(image.resize((28, 28)))


def _grad_cam(predictor: Predictor, model: Network, images: Images) -> Iterator[Row]:
    method = LayerGradCam(model, model.layers()[DEFAULT_LAYER])
    targets = predictor.run(images[:INPUTS]).logits.argmax(axis=1).tolist()

    def captum(number: int) -> None:
        inputs = torch.from_numpy(predictor.normalised(images[number][None])).requires_grad_(True)
        small = method.attribute(inputs, target=targets[number], relu_attributions=True)
        LayerAttribution.interpolate(small, (28, 28), interpolate_mode="bilinear")

    calls = (lambda i: explain(predictor, images[i]), captum)
    return _latency("Grad-CAM, prediction included", calls, "captum alone, plain module", {50: 6, 95: 15})


def _optdigits(predictor: Predictor) -> Row:
    _say("accuracy on optdigits")
    data = load_dataset("optdigits")
    pictures = (load_digits().images / 16 * 255).round().astype(np.uint8)
    plain = np.stack([_resized(Image.fromarray(picture)) for picture in pictures])
    return _accuracy(predictor, "accuracy, optdigits", (data.images, plain), data.labels, limit=None)


def _pen_drawn(predictor: Predictor, pens: list[PenDigit], figure: str, size: int) -> Row:
    """Every trajectory drawn once at a size (px), at random places by a fixed seed."""
    _say(figure)
    generator = np.random.default_rng(SEED)
    ours = np.zeros((len(pens), 28, 28), dtype=np.uint8)
    plain, labels = np.zeros_like(ours), np.array([pen.label for pen in pens], dtype=np.int64)
    for number, pen in enumerate(tqdm(pens, unit="digit", leave=False, disable=None)):
        canvas = draw(pen, size=size, generator=generator)
        plain[number] = _resized(Image.fromarray(canvas))
        with suppress(PictureError):  # a refused picture stays blank, which counts as an error
            ours[number] = prepare(canvas).pixels
    return _accuracy(predictor, figure, (ours, plain), labels, limit=ACCURACY)


def _accuracy(
    predictor: Predictor, figure: str, pictures: tuple[Images, Images], labels: Labels, limit: float | None
) -> Row:
    """Shares of correct answers for our and for plain preprocessing; a blank picture has none."""
    classes, n, against = np.array(predictor.classes), len(labels), "plain resize to 28×28"
    answers = [classes[predictor.run(images).logits.argmax(axis=1)] for images in pictures]
    drawn = [images.any(axis=(1, 2)) for images in pictures]
    ours, plain = (int((a == labels)[d].sum()) for a, d in zip(answers, drawn, strict=True))
    return Row(figure, ours / n, "share", plain / n, against, limit, wilson_interval(ours, n), n)


def _shown(value: float | None, unit: str) -> str:
    forms = {"share": "{:.2%}", "ms": "{:.3f} ms", "images/s": "{:,.0f} images/s"}
    return "" if value is None else forms[unit].format(value)


def _write(out: Path, predictor: Predictor, hardware: str, rows: list[Row]) -> None:
    content = {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "hardware": hardware,
        "versions": {name: version(name) for name in PACKAGES} | {"python": platform.python_version()},
        "checkpoint": {"name": predictor.card.name, "sha256": predictor.key},
        "rows": [asdict(row) | {key: getattr(row, key) for key in DERIVED} for row in rows],
    }
    try:
        out.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise DigitscopeError(f"{out} can't be written ({error.strerror}). Choose another --out.") from error
