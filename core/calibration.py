"""Calibration: does a confidence of 99 % mean 99 right in 100? Temperature, and what it is judged by."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Float32, Int64

from core.errors import DatasetError
from core.evaluation import RELIABILITY_BINS

LOWEST, HIGHEST = 0.05, 20.0  # temperatures; see `fit_temperature`
RESAMPLES = 1000
MOST_DRAWS = 20_000_000  # digits drawn for an interval: a large table gets fewer resamples, and says so
FEWEST = 100
LEAST = np.finfo(np.float64).tiny  # a probability that has no logarithm counts as this
ROUNDING = np.finfo(np.float64).eps  # and in the NLL one below this as this, as in scikit-learn's


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval, by a bootstrap over the digits.

    A loss has the resamples' percentiles. A calibration error counts noise as error, so that the figure leans
    upwards and its resamples lean upwards again: its interval is the basic one, [2·value − 97.5 %,
    2·value − 2.5 %] of the resamples and at least 0, which takes that off (Davison & Hinkley 1997, §5.2; for
    calibration errors Kumar et al. 2019, arXiv:1909.10155). It leans downwards from the figure, and lies
    below it where that is hardly more than noise.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Calibration:
    """How well probabilities keep what they promise; of all four, less is better.

    Attributes:
        ece: expected calibration error in [0, 1], 15 bins of equal width (Guo et al. 2017,
            arXiv:1706.04599).
        adaptive_ece: the same in 15 bins of equal mass (Nguyen & O'Connor 2015, arXiv:1508.05154).
        nll: mean −ln p(label), ≥ 0, in nats.
        brier: mean Σ over the classes of (p − [it is the label])², in [0, 2] (Brier 1950).
        n: how many digits.
        resamples: of the bootstrap.
    """

    ece: Estimate
    adaptive_ece: Estimate
    nll: Estimate
    brier: Estimate
    n: int
    resamples: int

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary for the model card."""
        return asdict(self)


def fit_temperature(logits: Float[np.ndarray, "n k"], truth: Int64[np.ndarray, " n"]) -> float:
    """The T in [0.05, 20] whose softmax(logits / T) has the least NLL (Guo et al. 2017).

    Where every answer is right the NLL falls with T without end, and 0.05 is given; where the logits
    mislead however soft they are, 20.

    Args:
        logits: as the network gives them.
        truth: the column of each row's true class.

    Raises:
        DatasetError: no rows, or logits that are no numbers.
    """
    from scipy.optimize import minimize_scalar  # a second to import

    if not len(truth):
        raise DatasetError("There is no digit to fit a temperature on. Choose a data set with some.")
    if not np.isfinite(logits).all():
        raise DatasetError("Some logits are not finite: no temperature fits them. Train the model again.")
    exact = logits.astype(np.float64)

    def nll(log_temperature: float) -> float:  # convex in 1/T, so it has one minimum in log T
        return float(-log_softmax(exact / np.exp(log_temperature))[np.arange(len(truth)), truth].mean())

    ends = (float(np.log(LOWEST)), float(np.log(HIGHEST)))
    inside = minimize_scalar(nll, bounds=ends, method="bounded", options={"xatol": 1e-6}).x
    return float(np.clip(np.exp(min((float(inside), *ends), key=nll)), LOWEST, HIGHEST))


def log_softmax(logits: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "n k"]:
    """x − ln Σ exp(x) along the last axis, without overflow."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))  # type: ignore[no-any-return]


def tempered(probabilities: Float32[np.ndarray, "n k"], power: float) -> Float[np.ndarray, "n k"]:
    """softmax(power · ln p): with power = T the probabilities before a division by T."""
    logarithms = np.log(np.maximum(probabilities.astype(np.float64), LEAST))
    return np.exp(log_softmax(power * logarithms))  # type: ignore[no-any-return]


def measure(
    probabilities: Float[np.ndarray, "n k"],
    truth: Int64[np.ndarray, " n"],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Calibration:
    """The four figures with their intervals.

    Args:
        probabilities: rows sum to 1.
        truth: the column of each row's true class.
        resamples: of the bootstrap, at least 1; of more than 20,000 digits fewer are drawn.
        seed: of the bootstrap.

    Raises:
        DatasetError: no rows.
    """
    n = len(probabilities)
    if not n:
        raise DatasetError("There is no digit to measure the calibration on. Choose a data set with some.")
    resamples = min(resamples, max(FEWEST, MOST_DRAWS // n))
    exact = np.maximum(probabilities.astype(np.float64), LEAST)
    exact /= exact.sum(axis=1, keepdims=True)  # float32 rows sum to 1 ± 1e-7
    of_truth = exact[np.arange(n), truth]
    losses = -np.log(np.maximum(of_truth, ROUNDING)), (exact**2).sum(axis=1) - 2 * of_truth + 1
    answers = _Answers(exact, truth, np.stack(losses))
    values = np.array(answers.figures(np.ones(n)))
    drawn = answers.drawn_anew(resamples, np.random.default_rng(seed))
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
    low[:2], high[:2] = (np.maximum(0, 2 * values - end)[:2] for end in (high, low))
    each = zip(("ece", "adaptive_ece", "nll", "brier"), values, low, high, strict=True)
    found = {name: Estimate(*map(float, numbers)) for name, *numbers in each}
    return Calibration(**found, n=n, resamples=resamples)


class _Answers:
    """Answers by rising confidence, those of the same confidence as one block.

    Equal confidences must not be told apart by their order: a block that lies across the edge of a bin of
    equal mass gives each side its share.
    """

    def __init__(
        self,
        probabilities: Float[np.ndarray, "n k"],
        truth: Int64[np.ndarray, " n"],
        losses: Float[np.ndarray, "m n"],
    ):
        confidence = probabilities.max(axis=1)
        self.order = np.argsort(confidence, kind="stable")
        self.losses, rising = losses, confidence[self.order]
        self.gap = ((probabilities.argmax(axis=1) == truth) - confidence)[self.order]
        self.ends = np.flatnonzero(np.diff(rising, append=np.inf)) + 1  # of the blocks
        edges = np.arange(1, RELIABILITY_BINS) / RELIABILITY_BINS
        self.edges = np.searchsorted(rising, edges, side="right")  # a bin includes its upper end

    def figures(self, times: Float[np.ndarray, " n"]) -> tuple[float, ...]:
        """ECE and adaptive ECE (Σ over the bins of |sum of accuracy − confidence| / n), and the mean losses.

        Args:
            times: how often each answer counts.
        """
        n, here = times.sum(), times[self.order]
        counts, gaps = (np.concatenate([[0.0], np.cumsum(each)]) for each in (here, here * self.gap))
        of_width = np.diff(gaps[[0, *self.edges, -1]])
        blocks = np.concatenate([[0], self.ends])
        even = np.linspace(0, n, RELIABILITY_BINS + 1)
        of_mass = np.diff(np.interp(even, counts[blocks], gaps[blocks]))
        return (np.abs(of_width).sum() / n, np.abs(of_mass).sum() / n, *(self.losses @ times / n))

    def drawn_anew(self, resamples: int, generator: np.random.Generator) -> Float[np.ndarray, "resamples m"]:
        """The figures of as many digits drawn with replacement, a row a resample."""
        n, found = len(self.gap), []
        for _ in range(resamples):
            times = np.bincount(generator.integers(0, n, n), minlength=n).astype(np.float64)
            found.append(self.figures(times))
        return np.array(found)
