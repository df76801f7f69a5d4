"""How well a score of unusualness tells unusual inputs from usual ones. Unusual is the positive class."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64

from core.errors import DatasetError

TPR = 0.95  # at which the false positive rate is given
POINTS = 300  # of a curve that is drawn

Scores = Float[np.ndarray, " _n"]


@dataclass(frozen=True)
class Detection:
    """The figures that the field compares detectors by.

    Attributes:
        auroc: the probability that an unusual input has a higher score than a usual one (ties count half).
        fpr95: the share of usual inputs that are flagged when 95 % of the unusual ones are; 0 is best.
        aupr: average precision, the area under precision against recall.
    """

    auroc: float
    fpr95: float
    aupr: float


@dataclass(frozen=True, eq=False)
class Roc:
    """A curve from (0, 0) to (1, 1): what every threshold flags.

    Attributes:
        fpr: shares of the usual inputs, rising.
        tpr: shares of the unusual ones.
    """

    fpr: Float64[np.ndarray, " p"]
    tpr: Float64[np.ndarray, " p"]

    def thinned(self, points: int = POINTS) -> "Roc":
        """At most about so many points, at even steps along the curve's length, with both ends."""
        length = np.concatenate([[0], np.cumsum(np.abs(np.diff(self.fpr)) + np.abs(np.diff(self.tpr)))])
        wanted = np.linspace(0, length[-1], points)
        rows = np.unique(np.searchsorted(length, wanted).clip(0, len(length) - 1))
        return Roc(self.fpr[rows], self.tpr[rows])


def roc(usual: Scores, unusual: Scores) -> Roc:
    """The curve of a score, higher = more unusual; equal scores are flagged together.

    Raises:
        DatasetError: no scores on either side, or one that is no number.
    """
    for scores, which in ((usual, "usual"), (unusual, "unusual")):
        if not len(scores):
            raise DatasetError(f"There is no {which} input to compare with. Choose another set.")
        if np.isnan(scores).any():
            raise DatasetError(f"A score of the {which} inputs is no number. Fit the detector again.")
    thresholds = np.unique(np.concatenate([usual, unusual]))[::-1]
    flagged = [
        1 - np.searchsorted(np.sort(scores), thresholds, side="left") / len(scores)
        for scores in (usual, unusual)
    ]
    fpr, tpr = (np.concatenate([[0.0], share]) for share in flagged)
    return Roc(fpr, tpr)


def detection(usual: Scores, unusual: Scores) -> Detection:
    """AUROC, FPR at 95 % TPR and AUPR of a score, higher = more unusual.

    Raises:
        DatasetError: see `roc`.
    """
    curve = roc(usual, unusual)
    first = int(np.searchsorted(curve.tpr, TPR - 1e-12))
    found = curve.tpr * len(unusual)
    flagged = found + curve.fpr * len(usual)
    precision = found[1:] / flagged[1:]
    return Detection(
        float(np.trapezoid(curve.tpr, curve.fpr)),
        float(curve.fpr[first]),
        float((np.diff(curve.tpr) * precision).sum()),
    )
