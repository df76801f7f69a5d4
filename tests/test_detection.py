"""AUROC, FPR at 95 % TPR and AUPR: against scikit-learn and pytorch-ood, by hand, and at their edges."""

import numpy as np
import pytest
import torch
from pytorch_ood.metrics import OODMetrics
from sklearn.metrics import average_precision_score, roc_auc_score

from core.detection import detection, roc
from core.errors import DatasetError


def some(seed: int, *, decimals: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores that overlap, with the more ties the fewer decimals."""
    generator = np.random.default_rng(seed)
    usual, unusual = generator.normal(0, 1, 700), generator.normal(1.3, 1.2, 400)
    return usual.round(decimals), unusual.round(decimals)


@pytest.mark.parametrize("decimals", [8, 1, 0])
def test_the_figures_are_scikit_learns_ties_included(decimals: int):
    usual, unusual = some(decimals, decimals=decimals)
    labels, scores = np.r_[np.zeros(700), np.ones(400)], np.r_[usual, unusual]
    found = detection(usual, unusual)
    assert found.auroc == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
    assert found.aupr == pytest.approx(average_precision_score(labels, scores), abs=1e-12)


def test_the_false_positive_rate_is_pytorch_oods():
    usual, unusual = some(3, decimals=8)
    metrics = OODMetrics()
    labels = np.r_[np.zeros(700), -np.ones(400)].astype(int)  # there, a negative label is unusual
    metrics.update(torch.from_numpy(np.r_[usual, unusual]), torch.from_numpy(labels))
    found = detection(usual, unusual)
    assert found.fpr95 == pytest.approx(metrics.compute()["FPR95TPR"], abs=2e-3)
    assert found.auroc == pytest.approx(metrics.compute()["AUROC"], abs=1e-6)


def test_by_hand():
    # Flagged from the top: 5 (unusual), 4 (usual), 3 and 3 (one of each), 2 (unusual), 1 (usual).
    found = detection(np.array([4.0, 3, 1]), np.array([5.0, 3, 2]))
    assert found.auroc == pytest.approx((3 + 1.5 + 1) / 9)
    assert found.fpr95 == pytest.approx(2 / 3)
    assert found.aupr == pytest.approx((1 / 1 + 2 / 4 + 3 / 5) / 3)


def test_a_rising_function_of_the_scores_changes_nothing():
    usual, unusual = some(5, decimals=1)
    assert detection(np.exp(3 * usual), np.exp(3 * unusual)) == detection(usual, unusual)


def test_the_edges():
    low, high = np.array([1.0, 2]), np.array([3.0, 4, 5])
    apart = detection(low, high)
    assert (apart.auroc, apart.fpr95, apart.aupr) == (1, 0, pytest.approx(1))
    assert detection(high, low).auroc == 0
    assert detection(high, low).fpr95 == 1
    alike = detection(np.zeros(3), np.zeros(5))
    assert (alike.auroc, alike.fpr95, alike.aupr) == (0.5, 1, pytest.approx(5 / 8))
    assert detection(np.array([-np.inf]), np.array([np.inf])).auroc == 1


@pytest.mark.parametrize(
    ("usual", "unusual", "message"),
    [
        ([], [1.0], "There is no usual input to compare with. Choose another set."),
        ([1.0], [], "There is no unusual input to compare with. Choose another set."),
        ([1.0], [np.nan], "A score of the unusual inputs is no number. Fit the detector again."),
    ],
)
def test_one_class_alone_is_refused(usual: list[float], unusual: list[float], message: str):
    with pytest.raises(DatasetError) as caught:
        detection(np.array(usual), np.array(unusual))
    assert str(caught.value) == message


def test_a_thinner_curve_has_both_ends_and_the_same_area():
    curve = roc(*some(7, decimals=8))
    thin = curve.thinned(100)
    assert len(thin.fpr) <= 101
    assert (thin.fpr[0], thin.tpr[0], thin.fpr[-1], thin.tpr[-1]) == (0, 0, 1, 1)
    assert (np.diff(thin.fpr) >= 0).all()
    assert np.trapezoid(thin.tpr, thin.fpr) == pytest.approx(np.trapezoid(curve.tpr, curve.fpr), abs=0.01)
