"""How well unusual inputs are told from digits, and at what cost: `python -m core measure-detector`."""

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int64, UInt8

from core import mnist
from core.bench import timed
from core.datasets import LabelledDigits, load_dataset
from core.detection import detection
from core.detectors import Detectors
from core.errors import CheckpointError, PictureError
from core.evaluation import wilson_interval
from core.figures import Row, check_out, print_table, write_figures
from core.found_inputs import BESIDE, found_folders
from core.hardware import describe_hardware
from core.inputs import FOUND, load_set
from core.letter_strokes import SOURCES
from core.paths import data_folder
from core.pen_letters import pen_letters
from core.pendigits import SIZES, PenDigit, draw, read_unipen
from core.predictor import Predictor
from core.preprocess import prepare
from core.unusual import Detector

SEED = 23
EVERY = 100_000  # pictures of a set: all
# The sets to reach something on, with the least AUROC. None of them is used to choose or to fit the score.
LEAST = {
    FOUND + BESIDE: 0.999,
    "letters": 0.99,
    "uniform-noise": 0.999,
    "gaussian-noise": 0.999,
    "stripes": 0.999,
    "inverted": 0.999,
}
OTHERS = ("symbols", "scribbles", "two-digits", "mirrored", "upside-down", "on-the-side", "blank")
MOST_FPR, LEAST_BY_PEN, ACCEPTED = 0.005, 0.95, 0.95
MADE = 2000  # pictures of a set that can have any number
INPUTS = 120  # different ones that a latency is measured on
BASELINE = "maximum softmax"
PACKAGES = ("torch", "onnxruntime", "pytorch-ood", "numpy", "scipy", "pillow")
_say = partial(print, "measuring:", file=sys.stderr, flush=True)

Pixels = UInt8[np.ndarray, "n 28 28"]


def main(model: str, out: Path | None = None) -> None:
    """Measures a checkpoint's detector, prints a row a figure and writes them to `out` as JSON.

    A missed target is said, but is no failure.

    Raises:
        DigitscopeError: no checkpoint or no detector in it, damaged data, or `out` can't be written.
    """
    check_out(out)
    predictor = Predictor.load(model)
    if predictor.detector is None:
        raise CheckpointError(
            f"{predictor.folder} has no detector. Fit one with `python -m core fit-detector --model {model}`."
        )
    hardware = describe_hardware(torch.device("cpu"))
    print(f"{predictor.card.name} ({predictor.key[:12]}, fitted {predictor.fitted}) on {hardware}")
    rows = print_table(_rows(predictor, predictor.detector))
    if out:
        about = {
            "checkpoint": {
                "name": predictor.card.name,
                "sha256": predictor.key,
                "fitted": predictor.fitted,
            }
        }
        write_figures(out, rows, hardware=hardware, packages=PACKAGES, about=about)


def _rows(predictor: Predictor, detector: Detector) -> Iterator[Row]:
    at_hand = not mnist.missing()
    digits = load_dataset("mnist-test" if at_hand else "optdigits")
    yield from _sets(predictor, detector, digits)
    yield from _by_pen(predictor, detector)
    yield from _times(predictor, detector, digits, at_hand=at_hand)


def _sets(predictor: Predictor, detector: Detector, digits: LabelledDigits) -> Iterator[Row]:
    """A row for the AUROC on each set, and one for the false positives on notMNIST."""
    known = digits.only(predictor.classes)
    usual = _scores(predictor, detector, known.images)
    for key in (*LEAST, *OTHERS):
        limit = LEAST.get(key)
        if key.startswith(FOUND) and BESIDE not in found_folders():
            yield Row(f"AUROC, {BESIDE}", None, "auroc", against=f"{BESIDE} is absent", limit=limit)
            continue
        _say(key)
        n = EVERY if key.startswith(FOUND) or key in ("letters", "inverted") else MADE
        found = load_set(key, digits, predictor.classes, n=n)
        unusual = _scores(predictor, detector, found.images)
        yield from _compared(f"{found.name} against {digits.name}", usual, unusual, limit, fpr=key in LEAST)


def _compared(
    what: str,
    usual: tuple[np.ndarray, np.ndarray],
    unusual: tuple[np.ndarray, np.ndarray],
    limit: float | None,
    *,
    fpr: bool,
) -> Iterator[Row]:
    ours, softmax = (detection(a, b) for a, b in zip(usual, unusual, strict=True))
    n = len(unusual[0])
    yield Row(f"AUROC, {what}", ours.auroc, "auroc", softmax.auroc, BASELINE, limit, n=n)
    if fpr:
        most = MOST_FPR if what.startswith(BESIDE) else None
        yield Row(f"FPR at 95 % TPR, {what}", ours.fpr95, "fpr", softmax.fpr95, BASELINE, most, n=n)


def _scores(
    predictor: Predictor, detector: Detector, images: Pixels
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Our score, and the maximum softmax's."""
    outputs = predictor.run(images)
    logits = outputs.logits.astype(np.float64) / outputs.temperature
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return detector.score(outputs), -(powers / powers.sum(axis=1, keepdims=True)).max(axis=1)


def _by_pen(predictor: Predictor, detector: Detector) -> Iterator[Row]:
    """Digits and letters drawn with the canvas's brush: told apart, and the digits accepted."""
    file = data_folder() / "pendigits" / "pendigits-orig.tra.gz"
    if not file.is_file():
        what = f"{next(iter(SOURCES.values())).name} against pen-drawn digits"
        yield Row(f"AUROC, {what}", None, "auroc", against=f"{file} is absent", limit=LEAST_BY_PEN)
        return
    _say("pen-drawn digits")
    drawn, labels = _pen_drawn([pen for pen in read_unipen(file) if pen.label in predictor.classes])
    usual = _scores(predictor, detector, drawn)
    for source in SOURCES.values():
        _say(source.name)
        what, letters = f"{source.name} against pen-drawn digits", source.letters()
        if letters is None:
            absent = "not fetched: `make letters`"
            yield Row(f"AUROC, {what}", None, "auroc", against=absent, limit=LEAST_BY_PEN)
            continue
        unusual = _scores(predictor, detector, pen_letters(letters, source.copies, seed=SEED))
        yield from _compared(what, usual, unusual, LEAST_BY_PEN, fpr=True)
    kinds = [found.verdict.kind for found in predictor.predict(list(drawn)) if found.verdict]
    for figure, count, limit in (
        ("pen-drawn digits accepted (digit or unsure)", len(kinds) - kinds.count("not-a-digit"), ACCEPTED),
        ("pen-drawn digits that look like a digit", kinds.count("digit"), None),
    ):
        right = wilson_interval(count, len(kinds))
        yield Row(figure, count / len(kinds), "share", None, "", limit, right, n=len(labels))


def _pen_drawn(pens: list[PenDigit]) -> tuple[Pixels, Int64[np.ndarray, " n"]]:
    """Each trajectory once, small, middle and large in turn; what can't be read is left out."""
    generator, sizes = np.random.default_rng(SEED), list(SIZES.values())
    images, labels = [], []
    for number, pen in enumerate(pens):
        canvas = draw(pen, size=sizes[number % len(sizes)], generator=generator)
        try:
            images.append(prepare(canvas).pixels)
        except PictureError:
            continue
        labels.append(pen.label)
    return np.stack(images), np.array(labels, dtype=np.int64)


def _times(
    predictor: Predictor, detector: Detector, digits: LabelledDigits, *, at_hand: bool
) -> Iterator[Row]:
    images = np.resize(digits.images, (10_000, 28, 28))  # repeats them where there are fewer
    outputs = [predictor.run(images[[row]]) for row in range(INPUTS)]
    _say("the score of one image")
    (ours,) = np.median(timed([lambda row: detector.score(outputs[row])], rounds=5, repeats=INPUTS), axis=1)
    yield Row(
        "score of one image, p50", 1000 * float(ours), "ms", None, "beside the network", 1.0, n=5 * INPUTS
    )
    if not at_hand:
        yield Row("10,000 images, every detector but ODIN", None, "s", against="MNIST is absent", limit=3)
        return
    _say("10,000 images by every detector")
    detectors = Detectors.fit(predictor, load_dataset("mnist-train"))
    calls = (lambda _: detectors.without_gradients(images), lambda _: predictor.run(images))
    ours, network = np.median(timed(calls, rounds=3, repeats=1), axis=1).tolist()
    yield Row("10,000 images, every detector but ODIN", ours, "s", network, "the network alone", limit=3, n=3)
    whole = float(np.median(timed([lambda _: detectors.score(images)], rounds=2, repeats=1)))
    yield Row("10,000 images, ODIN too (its gradients)", whole, "s", network, "the network alone", n=2)
