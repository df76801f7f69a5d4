"""Speed and accuracy beside their baselines, each ratio measured in one run: `python -m core bench`."""

import io
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
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
from core.datasets import LabelledDigits, load_dataset
from core.errors import PictureError
from core.evaluation import wilson_interval
from core.explanation import DEFAULT_LAYER, explain, explain_batch
from core.explanation_bench import explanation_rows
from core.figures import Row, check_out, print_table, write_figures
from core.hardware import describe_hardware
from core.models import Network
from core.neighbours import Neighbours
from core.overlay import heat
from core.paths import data_folder
from core.pendigits import SIZES, PenDigit, draw, read_unipen
from core.predictor import Predictor
from core.preprocess import SIDE, prepare
from core.report_bench import report_rows
from core.strokes import CANVAS_SIDE
from core.table_bench import table_rows

MODEL = "cnn"
ACCURACY, MEAN_ACCURACY = 0.94, 0.97  # to reach at every size of the pen, and over all of them
PRICE = 0.0005  # of accuracy, at most, for drawing a digit that is in MNIST's convention already
EVALUATED = 10_000  # images
TORCH_BATCH = 256
SEED = 23
OVERLAYS = 100  # a full page of a gallery
NEAREST = 5
ENLARGED = Image.Resampling.BICUBIC
PEN_FIGURE = "accuracy, pen trajectories"
PAUSE = 0.25  # s; OpenMP's threads spin on for up to 0.2 s after their last work and take a core
INPUTS = 120  # different ones a latency is measured on
PACKAGES = ("torch", "onnxruntime", "captum", "numpy", "scipy", "pillow")
_say = partial(print, "measuring:", file=sys.stderr, flush=True)

Images = UInt8[np.ndarray, "n 28 28"]
Labels = Int64[np.ndarray, " n"]
Call = Callable[[int], object]


def main(out: Path | None = None) -> None:
    """Measures the checkpoint `cnn`, prints a row a figure and writes them to `out` as JSON.

    A missed target is said, but is no failure.

    Raises:
        DigitscopeError: no checkpoint, damaged data, or `out` can't be written.
    """
    check_out(out)
    predictor = Predictor.load(MODEL)
    hardware = describe_hardware(torch.device("cpu"))
    print(f"{predictor.card.name} ({predictor.key[:12]}) on {hardware}")
    rows = print_table(_rows(predictor))
    if out:
        about = {"checkpoint": {"name": predictor.card.name, "sha256": predictor.key}}
        write_figures(out, rows, hardware=hardware, packages=PACKAGES, about=about)


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
    yield _overlays(predictor, images)
    yield from explanation_rows(predictor, model, images)
    yield from _neighbours(predictor, images)
    yield from table_rows(
        predictor, replace(digits, images=images, labels=np.resize(digits.labels, len(images)))
    )
    _say("a report")
    yield from report_rows(MODEL)
    yield _as_if_drawn(predictor, digits, side=SIDE)
    yield _as_if_drawn(predictor, digits, side=CANVAS_SIDE)
    yield _optdigits(predictor)
    if pens:
        yield from _all_sizes(predictor, pens)
    else:
        yield Row(PEN_FIGURE, None, "share", against=f"{pen_file} is absent", limit=MEAN_ACCURACY)


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


def _overlays(predictor: Predictor, images: Images) -> Row:
    figure = f"{OVERLAYS} Grad-CAM overlays, predictions included"
    _say(figure)
    shown = images[:OVERLAYS]
    calls = (
        lambda _: [heat(found) for found in explain_batch(predictor, shown)],
        lambda _: [heat(explain(predictor, image)) for image in shown],
    )
    ours, singly = np.median(timed(calls, rounds=5, repeats=1), axis=1).tolist()
    return Row(figure, ours, "s", singly, "explain() and heat(), one by one", limit=1.5, n=5)


def _neighbours(predictor: Predictor, images: Images) -> Iterator[Row]:
    figure = f"{NEAREST} nearest training digits, one query"
    if mnist.missing():
        yield Row(f"{figure}, p50", None, "ms", against="MNIST is absent", limit=20)
        return
    bank = Neighbours.of(predictor)
    queries = predictor.run(images[:INPUTS]).embedding
    training = load_dataset("mnist-train").only(predictor.classes)
    features = predictor.run(training.images).embedding
    features /= np.linalg.norm(features, axis=1, keepdims=True)

    def plainly(number: int) -> None:
        query = queries[number] / np.linalg.norm(queries[number])
        np.argsort(np.linalg.norm(features - query, axis=1))[:NEAREST]

    calls = (lambda i: bank.nearest(queries[[i]], k=NEAREST), plainly)
    yield from _latency(figure, calls, "NumPy: float32 distances, argsort", {50: 20})


def _as_if_drawn(predictor: Predictor, digits: LabelledDigits, *, side: int) -> Row:
    """Each image through `prepare()`, as if it had been drawn so large, beside the image as it is."""
    figure = f"accuracy, {digits.name} through prepare(), {side} px"
    _say(figure)
    pictures = (Image.fromarray(image).resize((side, side), ENLARGED) for image in digits.images)
    shown = tqdm(pictures, total=len(digits), unit="digit", leave=False, disable=None)
    prepared = np.stack([prepare(np.asarray(picture)).pixels for picture in shown])
    row = _accuracy(predictor, figure, (prepared, digits.images), digits.labels, limit=None)
    return replace(row, against="the images as they are", limit=(row.baseline or 1.0) - PRICE)


def _optdigits(predictor: Predictor) -> Row:
    _say("accuracy on optdigits")
    data = load_dataset("optdigits")
    pictures = (load_digits().images / 16 * 255).round().astype(np.uint8)
    plain = np.stack([_resized(Image.fromarray(picture)) for picture in pictures])
    return _accuracy(predictor, "accuracy, optdigits", (data.images, plain), data.labels, limit=None)


def _all_sizes(predictor: Predictor, pens: list[PenDigit]) -> Iterator[Row]:
    """A row a size, and the mean of all."""
    rows = [
        _pen_drawn(predictor, pens, f"{PEN_FIGURE}, {size} ({side} px)", side) for size, side in SIZES.items()
    ]
    ours, plain = (float(np.mean([getattr(row, field) for row in rows])) for field in ("value", "baseline"))
    yield from rows
    yield Row(f"{PEN_FIGURE}, mean", ours, "share", plain, rows[0].against, MEAN_ACCURACY, n=len(pens))


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
