"""How a model's answers hold when digits are corrupted: accuracy against severity."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float64, Int64

from core.array_cache import ArrayCache, cache_key
from core.corruptions import CORRUPTIONS, SEVERITIES, corrupted
from core.datasets import LabelledDigits
from core.errors import DatasetError
from core.evaluation import wilson_interval
from core.paths import data_folder
from core.predictor import Predictor
from core.readings import read

VERSION = 1  # to be raised when a corruption or what is measured changes
SAMPLE, SEED = 1000, 0
KEPT = 24  # files of 2 KB

Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Robustness:
    """A model on a sample of digits under each corruption.

    Attributes:
        dataset: the data set's name.
        n: digits in the sample; the same ones at every corruption and severity.
        seed: of the sample and of what is random in the corruptions.
        corruptions: names, in the order of the rows.
        severities: 0 (unchanged) to 5, in the order of the columns.
        correct: how many of the n were read rightly.
        confidence: mean probability of the answer, in [0, 1].
        unusualness: mean, higher = more unusual; None where the model has no such score.
    """

    dataset: str
    n: int
    seed: int
    corruptions: tuple[str, ...]
    severities: tuple[int, ...]
    correct: Int64[np.ndarray, "corruptions severities"]
    confidence: Float64[np.ndarray, "corruptions severities"]
    unusualness: Float64[np.ndarray, "corruptions severities"] | None

    @property
    def accuracy(self) -> Float64[np.ndarray, "corruptions severities"]:
        """The share that was read rightly, in [0, 1]."""
        return self.correct / self.n

    @cached_property
    def intervals(self) -> Float64[np.ndarray, "corruptions severities 2"]:
        """The 95 % Wilson interval of each accuracy, low and high, in [0, 1]."""
        # A count occurs often, and each interval takes SciPy a fifth of a millisecond.
        found = {int(count): wilson_interval(int(count), self.n) for count in np.unique(self.correct)}
        return np.array([[found[int(count)] for count in row] for row in self.correct])

    @property
    def worst_first(self) -> tuple[str, ...]:
        """The corruptions by accuracy at the highest severity, the lowest first."""
        order = np.argsort(self.correct[:, -1], kind="stable")
        return tuple(self.corruptions[row] for row in order)


def sample_of(
    data: LabelledDigits, classes: tuple[int, ...], *, n: int = SAMPLE, seed: int = SEED
) -> LabelledDigits:
    """`n` digits of these classes without one twice, in the data set's order; all where there are fewer.

    Raises:
        DatasetError: none of these classes, or `n` under 1.
    """
    if n < 1:
        raise DatasetError(f"A sample of {n} digits: give 1 or more.")
    known = np.flatnonzero(np.isin(data.labels, classes))
    if not len(known):
        raise DatasetError(f"{data.name} has no digit of the classes {classes}. Choose another data set.")
    chosen = np.random.default_rng(seed).permutation(known)[:n]
    return data.take(np.sort(chosen))


def robustness_of(
    predictor: Predictor,
    data: LabelledDigits,
    *,
    n: int = SAMPLE,
    seed: int = SEED,
    progress: Progress | None = None,
) -> Robustness:
    """Measures a model under every corruption: once, then it is read from `<data>/robustness/`.

    Args:
        predictor: the model.
        data: digits of other classes than the model's are left out.
        n: digits in the sample, at most.
        seed: see `Robustness`.
        progress: called with (done, total) pictures while they are read.

    Raises:
        DatasetError: see `sample_of`.
    """
    sample = sample_of(data, predictor.classes, n=n, seed=seed)
    scored = read(predictor, sample.images[:1]).unusualness is not None
    shape = (len(CORRUPTIONS), len(SEVERITIES), 3)
    cache = ArrayCache(data_folder() / "robustness", limit=KEPT)
    # Computed with an unusualness or without one: a model may be given the score later.
    what = f"{predictor.fitted}-{len(sample)}-{seed}-{scored:d}-{VERSION}"
    key = f"{cache_key(predictor.key, data.digest)}-{what}"
    found = cache.read(key, shape=shape)
    if found is None:
        found = _measured(predictor, sample, seed, progress)
        cache.write(key, found)
    correct, confidence, unusualness = np.moveaxis(np.asarray(found, dtype=np.float64), 2, 0)
    return Robustness(
        data.name,
        len(sample),
        seed,
        tuple(CORRUPTIONS),
        SEVERITIES,
        correct.astype(np.int64),
        confidence,
        unusualness if scored else None,
    )


def _measured(
    predictor: Predictor, sample: LabelledDigits, seed: int, progress: Progress | None
) -> Float64[np.ndarray, "corruptions severities 3"]:
    """How many are right, mean confidence, mean unusualness (nan without the score)."""
    cells = [(name, severity) for name in CORRUPTIONS for severity in SEVERITIES if severity]
    untouched = _cell(predictor, sample, "", 0, seed)
    values = np.empty((len(CORRUPTIONS), len(SEVERITIES), 3))
    values[:, 0] = untouched  # the same digits for all of them
    for done, (name, severity) in enumerate(cells, start=1):
        row, column = list(CORRUPTIONS).index(name), SEVERITIES.index(severity)
        values[row, column] = _cell(predictor, sample, name, severity, seed)
        if progress:
            progress(done * len(sample), len(cells) * len(sample))
    return values


def _cell(
    predictor: Predictor, sample: LabelledDigits, name: str, severity: int, seed: int
) -> tuple[float, float, float]:
    images = corrupted(sample.images, name, severity, seed=seed) if severity else sample.images
    readings = read(predictor, images)
    right = float((readings.prediction == sample.labels).sum())
    unusual = np.nan if readings.unusualness is None else float(readings.unusualness.mean())
    return right, float(readings.confidence.mean()), unusual
