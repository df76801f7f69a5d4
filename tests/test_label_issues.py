"""The doubtful labels of MNIST's test set: as published, in words, and in the score."""

import numpy as np
import pytest

from core.errors import DatasetError
from core.evaluation import wilson_interval
from core.label_issues import VOTERS, corrected_score, label_issues

ISSUES = label_issues("mnist-test")
PUBLISHED = {
    947: (8, 9),
    1621: (0, 6),
    1901: (9, 4),
    2462: (2, 0),
    2597: (5, 3),
    3558: (5, 0),
    5937: (5, 3),
    6651: (0, 6),
    6783: (1, 6),
    9729: (5, 6),
}


def test_the_issues_are_the_published_ones():
    assert {i: (x.given, x.voted) for i, x in ISSUES.items() if x.kind == "wrong"} == PUBLISHED
    assert [i for i, x in ISSUES.items() if x.kind == "neither"] == [2654, 3520, 9679]
    assert {i: x.accepted for i, x in ISSUES.items() if x.kind == "split"} == {2130: (4, 9), 8527: (4, 9)}
    assert all(sum(issue.votes) == VOTERS for issue in ISSUES.values())


def test_only_the_test_set_of_mnist_has_known_issues():
    assert label_issues("optdigits") == label_issues("mnist-train") == {}


def test_the_given_labels_are_those_of_the_test_set(mnist_test):
    assert {i: int(mnist_test.labels[i]) for i in ISSUES} == {i: x.given for i, x in ISSUES.items()}


@pytest.mark.parametrize(
    ("index", "words"),
    [
        (
            947,
            "Labelled 8. Of 5 people asked whether it is 8 or 9, 5 read 9. The label is probably wrong.",
        ),
        (
            1621,
            "Labelled 0. Of 5 people asked whether it is 0 or 6, 2 read 0, 3 read 6. "
            "The label is probably wrong.",
        ),
        (
            2130,
            "Labelled 4. Of 5 people asked whether it is 4 or 9, 2 read 4, 2 read 9, "
            "1 saw neither of the two. Undecided: 4 and 9 are equally good answers.",
        ),
        (
            2654,
            "Labelled 6. Of 5 people asked whether it is 6 or 1, 2 read 1, 3 saw neither of the two. "
            "It can't be decided.",
        ),
    ],
)
def test_each_issue_is_a_sentence(index: int, words: str):
    assert ISSUES[index].words == words


@pytest.fixture
def labels() -> np.ndarray:
    """Ten thousand labels like the test set's where it matters."""
    labels = np.zeros(10_000, dtype=np.int64)
    for index, issue in ISSUES.items():
        labels[index] = issue.given
    return labels


def test_a_model_that_repeats_the_labels_is_wrong_where_people_agree_on_another_digit(labels):
    score = corrected_score(labels.copy(), labels, "mnist-test")
    assert (score.n, score.errors, score.left_out) == (9_997, 10, 3)
    assert score.accuracy == pytest.approx(9_987 / 9_997)
    assert score.interval_95 == wilson_interval(9_987, 9_997)


def test_a_model_that_reads_as_people_do_makes_no_errors(labels):
    predictions = labels.copy()
    for index, issue in ISSUES.items():
        predictions[index] = issue.proposed
    score = corrected_score(predictions, labels, "mnist-test")
    assert (score.n, score.errors) == (9_997, 0)


def test_any_third_answer_is_wrong_for_a_split_and_not_counted_for_the_undecidable(labels):
    predictions = labels.copy()
    predictions[[*ISSUES, 5]] = 7  # digit 5 is a plain error
    assert corrected_score(predictions, labels, "mnist-test").errors == 10 + 2 + 1


def test_a_part_of_the_set_is_scored_by_its_indices(labels):
    indices = np.array([947, 2654, 17, 8527])
    predictions = np.array([9, 6, 1, 9], dtype=np.int8)
    score = corrected_score(predictions, labels[indices].astype(np.int8), "mnist-test", indices=indices)
    assert (score.n, score.errors, score.left_out) == (3, 1, 1)


def test_another_data_set_keeps_its_labels():
    score = corrected_score(np.array([1, 2, 3]), np.array([1, 2, 4]), "optdigits")
    assert (score.n, score.errors, score.left_out) == (3, 1, 0)


def test_labels_of_something_else_are_refused():
    with pytest.raises(
        DatasetError, match=r"Digit 947 of mnist-test has the label 8, here 0: these are other"
    ):
        corrected_score(np.zeros(1000, dtype=int), np.zeros(1000, dtype=int), "mnist-test")


def test_nothing_to_count_is_refused():
    with pytest.raises(DatasetError, match="No digit of mnist-test is left to count"):
        corrected_score(np.array([6]), np.array([6]), "mnist-test", indices=np.array([2654]))
