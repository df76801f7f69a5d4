"""The confusion matrix's figures, by hand and against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from core.confusion import ClassScore, Confused, Confusion
from core.errors import DatasetError
from core.evaluation import wilson_interval


@pytest.fixture
def hand_made() -> Confusion:
    """Digits 3, 4, 9: three of ten 4s are read as 9; of five 9s two as 4, one as 3; there is no 3."""
    return Confusion(np.array([[0, 0, 0], [0, 7, 3], [1, 2, 2]]), (3, 4, 9))


def test_a_hand_made_matrix_gives_the_figures_worked_out_by_hand(hand_made):
    assert (hand_made.n, hand_made.errors) == (15, 6)
    assert hand_made.accuracy == pytest.approx(9 / 15)
    assert hand_made.interval_95 == wilson_interval(9, 15)
    _, four, nine = hand_made.per_class
    assert four == ClassScore(digit=4, support=10, predicted=9, correct=7)
    assert (four.precision, four.recall) == (pytest.approx(7 / 9), pytest.approx(0.7))
    assert four.f1 == pytest.approx(2 * (7 / 9) * 0.7 / (7 / 9 + 0.7))
    assert four.recall_interval_95 == wilson_interval(7, 10)
    assert (nine.precision, nine.recall) == (pytest.approx(0.4), pytest.approx(0.4))


def test_what_is_undefined_is_none(hand_made):
    absent = hand_made.per_class[0]  # no 3 in the data, yet one was read
    assert (absent.precision, absent.recall, absent.recall_interval_95, absent.f1) == (0, None, None, 0)
    never_read = Confusion(np.array([[0, 2], [0, 3]]), (1, 2)).per_class[0]
    assert (never_read.precision, never_read.recall, never_read.f1) == (None, 0, 0)
    neither = Confusion(np.array([[0, 0], [0, 3]]), (1, 2)).per_class[0]
    assert (neither.precision, neither.recall, neither.f1) == (None, None, None)


def test_rows_are_divided_by_their_sums_and_an_empty_one_stays_zero(hand_made):
    np.testing.assert_allclose(hand_made.shares, [[0, 0, 0], [0, 0.7, 0.3], [0.2, 0.4, 0.4]])


def test_confusions_come_by_count_and_then_by_digits():
    matrix = np.array([[5, 2, 0], [2, 5, 3], [2, 0, 5]])
    found = Confusion(matrix, (1, 4, 9)).top()
    assert [(pair.true, pair.read, pair.count) for pair in found] == [
        (4, 9, 3),
        (1, 4, 2),
        (4, 1, 2),
        (9, 1, 2),
    ]
    assert found[0].share == pytest.approx(0.3)
    assert Confusion(matrix, (1, 4, 9)).top(2) == found[:2]
    assert Confusion(np.diag([3, 4]), (0, 1)).top() == []


@pytest.mark.parametrize(
    ("confused", "words"),
    [
        (Confused(4, 9, 4, 4 / 982), "4 read as 9: 4 times, 0.4 % of the 4s"),
        (Confused(8, 0, 1, 1 / 3), "8 read as 0: once, 33.3 % of the 8s"),
        (Confused(7, 2, 2, 2 / 1028), "7 read as 2: twice, 0.2 % of the 7s"),
        (Confused(1, 7, 12_000, 1.0), "1 read as 7: 12,000 times, 100.0 % of the 1s"),
        (Confused(1, 7, 3, 3 / 100_000), "1 read as 7: 3 times, under 0.1 % of the 1s"),
    ],
)
def test_a_confusion_is_a_sentence(confused: Confused, words: str):
    assert confused.words == words


@pytest.mark.parametrize("dtype", [np.int64, np.int8])
@pytest.mark.parametrize("classes", [tuple(range(10)), (7, 3), (0, 5, 9, 8)])
def test_the_values_are_those_of_scikit_learn(classes: tuple[int, ...], dtype: type):
    generator = np.random.default_rng(len(classes))
    labels = generator.choice(classes[1:], 500).astype(dtype)  # the first class is absent
    predictions = np.where(generator.random(500) < 0.7, labels, generator.choice(classes[:-1], 500)).astype(
        dtype
    )
    found = Confusion.of(labels, predictions, classes)
    assert np.array_equal(found.matrix, confusion_matrix(labels, predictions, labels=classes))
    expected = precision_recall_fscore_support(labels, predictions, labels=classes, zero_division=0)
    scores = [(s.precision or 0, s.recall or 0, s.f1 or 0, s.support) for s in found.per_class]
    np.testing.assert_allclose(np.array(scores).T, expected)


def test_no_digits_have_no_accuracy_and_no_confusions():
    empty = Confusion.of(np.array([], dtype=int), np.array([], dtype=int), (3, 7))
    assert (empty.n, empty.errors, empty.accuracy, empty.interval_95, empty.top()) == (0, 0, None, None, [])
    assert not empty.shares.any()


@pytest.mark.parametrize(
    ("labels", "predictions", "message"),
    [
        ([3, 4], [3, 7], r"Label 4 is outside the classes \(3, 7\)"),
        ([3, 7], [3, 8], r"Prediction 8 is outside the classes \(3, 7\)"),
    ],
)
def test_what_cannot_be_counted_is_refused(labels: list[int], predictions: list[int], message: str):
    with pytest.raises(DatasetError, match=message):
        Confusion.of(np.array(labels, dtype=int), np.array(predictions, dtype=int), (3, 7))
