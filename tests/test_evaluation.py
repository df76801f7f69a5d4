"""Counts, intervals and calibration against numbers worked out by hand."""

import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet
from sklearn.metrics import confusion_matrix

from core.errors import DatasetError
from core.evaluation import Reliability, evaluate, evaluate_parts, wilson_interval


def rows(*probabilities: tuple[float, ...]) -> np.ndarray:
    return np.array(probabilities, dtype=np.float32)


@pytest.fixture
def hand_made():
    """Five digits of the classes 3 and 7: three read rightly, a 3 as a 7 and a 7 as a 3."""
    probabilities = rows((0.9, 0.1), (0.7, 0.3), (0.2, 0.8), (0.6, 0.4), (0.05, 0.95))
    return evaluate(probabilities, np.array([3, 3, 3, 7, 7]), (3, 7))


def test_the_matrix_has_true_digits_in_rows_and_predicted_ones_in_columns(hand_made):
    assert hand_made.confusion.tolist() == [[2, 1], [1, 1]]
    assert (hand_made.n, hand_made.errors, hand_made.accuracy) == (5, 2, pytest.approx(0.6))
    assert hand_made.per_class == {"3": {"n": 3, "errors": 1}, "7": {"n": 2, "errors": 1}}


def test_ece_is_the_weighted_gap_between_accuracy_and_confidence(hand_made):
    # Confidences 0.9 0.7 0.8 0.6 0.95 fall into five bins of one; they are right, right, wrong, wrong, right.
    by_hand = (0.1 + 0.3 + 0.8 + 0.6 + 0.05) / 5
    assert hand_made.reliability.ece == pytest.approx(by_hand, abs=1e-6)


def test_ece_averages_within_a_bin_before_it_takes_the_gap():
    result = evaluate(rows((0.94, 0.06), (0.96, 0.04)), np.array([0, 1]), (0, 1))
    assert result.reliability.counts.tolist() == [0] * 14 + [2]
    assert result.reliability.accuracy[14] == 0.5
    assert result.reliability.confidence[14] == pytest.approx(0.95)
    assert result.reliability.ece == pytest.approx(0.45)


def test_full_confidence_falls_into_the_last_bin():
    result = evaluate(rows((1.0, 0.0), (0.0, 1.0)), np.array([0, 0]), (0, 1))
    assert result.reliability.counts.tolist() == [0] * 14 + [2]
    assert result.reliability.ece == pytest.approx(0.5)


def test_a_confidence_beside_an_edge_falls_on_its_own_side():
    edge = np.float32(9 / 15)  # 0.6 in float32 lies a little above 9/15
    below = np.nextafter(edge, np.float32(0))
    result = evaluate(rows((edge, 1 - edge), (below, 1 - below)), np.array([0, 0]), (0, 1))
    assert np.flatnonzero(result.reliability.counts).tolist() == [8, 9]


def test_the_middle_of_the_scale_lies_in_the_middle_bin():
    result = evaluate(rows((0.5, 0.5)), np.array([0]), (0, 1))
    assert np.flatnonzero(result.reliability.counts).tolist() == [7]


def test_empty_bins_carry_no_weight():
    zeros = np.zeros(15)
    assert Reliability(np.zeros(15, dtype=np.int64), zeros, zeros).ece == 0


def test_ece_agrees_with_a_plain_loop_on_random_predictions():
    generator = np.random.default_rng(0)
    probabilities = generator.dirichlet(np.full(10, 0.3), 3000).astype(np.float32)
    labels = generator.integers(0, 10, 3000)
    expected = 0.0
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    for number in range(15):
        inside = (confidence > number / 15) & (confidence <= (number + 1) / 15)
        if inside.any():
            expected += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    assert evaluate(probabilities, labels, tuple(range(10))).reliability.ece == pytest.approx(
        expected, abs=1e-5
    )


def test_the_matrix_agrees_with_scikit_learn_on_random_predictions():
    generator = np.random.default_rng(1)
    probabilities = generator.dirichlet(np.ones(10), 2000).astype(np.float32)
    labels = generator.integers(0, 10, 2000)
    result = evaluate(probabilities, labels, tuple(range(10)))
    expected = confusion_matrix(labels, probabilities.argmax(axis=1), labels=range(10))
    assert np.array_equal(result.confusion, expected)


@pytest.mark.parametrize(("correct", "n"), [(9943, 10_000), (10, 10), (0, 7), (1, 2)])
def test_the_interval_is_wilsons(correct: int, n: int):
    z, share = 1.959963984540054, correct / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    assert wilson_interval(correct, n) == pytest.approx(
        (max(0, middle - half), min(1, middle + half)), abs=1e-9
    )


def test_the_interval_of_the_published_accuracy():
    # 57 errors in 10,000: 99.26 % to 99.56 %, as a calculator of Wilson's interval gives.
    assert wilson_interval(9943, 10_000) == pytest.approx((0.99262, 0.99560), abs=5e-5)


def test_a_digit_that_the_set_lacks_leaves_everything_possible():
    assert wilson_interval(0, 0) == (0, 1)
    row = evaluate(rows((0.9, 0.1)), np.array([3]), (3, 7)).to_json()
    assert row["per_class"]["7"] == {"n": 0, "errors": 0}
    assert row["errors"] == 0


def test_json_holds_the_same_numbers(hand_made):
    row = hand_made.to_json()
    assert (row["n"], row["errors"], row["confusion"]) == (5, 2, [[2, 1], [1, 1]])
    assert row["interval_95"] == list(wilson_interval(3, 5))
    assert sum(row["reliability"]["counts"]) == 5


def test_no_digits_is_an_error_that_says_what_to_do():
    with pytest.raises(DatasetError, match=r"no digit of the model's classes \(3, 7\).*another data set"):
        evaluate(np.zeros((0, 2), dtype=np.float32), np.zeros(0, dtype=np.int64), (3, 7))


def test_a_label_outside_the_classes_is_named():
    with pytest.raises(DatasetError, match=r"Label 5 is outside the classes \(3, 7\); use `data.only"):
        evaluate(rows((0.5, 0.5)), np.array([5]), (3, 7))


def write_part(folder: Path, part: int, probabilities: np.ndarray, labels: np.ndarray) -> None:
    lists = pa.array(probabilities.tolist(), pa.list_(pa.float32()))
    columns = {"label": pa.array(labels, pa.int8()), "probabilities": lists}
    parquet.write_table(pa.table(columns), folder / f"part-{part:05d}.parquet", row_group_size=40)


def test_the_parts_of_a_table_together_give_the_figures_of_the_whole(tmp_path: Path):
    generator = np.random.default_rng(2)
    probabilities = generator.dirichlet(np.full(10, 0.3), 300).astype(np.float32)
    labels = generator.integers(0, 10, 300)
    for part, (start, end) in enumerate(((0, 0), (0, 7), (7, 7), (7, 190), (190, 300))):
        write_part(tmp_path, part, probabilities[start:end], labels[start:end])
    whole, found = (
        evaluate(probabilities, labels, tuple(range(10))),
        evaluate_parts(tmp_path, tuple(range(10))),
    )
    np.testing.assert_array_equal(found.confusion, whole.confusion)
    np.testing.assert_array_equal(found.reliability.counts, whole.reliability.counts)
    np.testing.assert_allclose(found.reliability.confidence, whole.reliability.confidence)
    np.testing.assert_allclose(found.reliability.accuracy, whole.reliability.accuracy)
    assert found.reliability.ece == pytest.approx(whole.reliability.ece)


def test_parts_without_rows_are_an_error(tmp_path: Path):
    write_part(tmp_path, 0, np.empty((0, 2), np.float32), np.empty(0, np.int64))
    with pytest.raises(DatasetError, match=r"holds no rows of an evaluation\. Evaluate again"):
        evaluate_parts(tmp_path, (3, 7))
