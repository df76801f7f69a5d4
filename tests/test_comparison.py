"""Two models on the same digits: who is right where, and McNemar's test against numbers from elsewhere."""

import numpy as np
import pytest

from core.comparison import Comparison, compare
from core.errors import DatasetError


def pair(right: int, fixed: int, newly_wrong: int, both_wrong: int) -> Comparison:
    """Two models with so many digits in each cell of the fourfold table; all labels are 0."""
    first = [0] * right + [1] * fixed + [0] * newly_wrong + [1] * both_wrong
    second = [0] * right + [0] * fixed + [1] * newly_wrong + [1] * both_wrong
    return compare(np.zeros(len(first), dtype=int), np.array(first), np.array(second))


def test_every_digit_falls_into_its_group():
    labels = np.array([0, 1, 2, 3, 4, 5, 6], dtype=np.int8)
    first = np.array([0, 7, 2, 8, 9, 5, 0], dtype=np.int8)
    second = np.array([0, 1, 7, 8, 1, 3, 0], dtype=np.int8)
    found = compare(labels, first, second)
    assert found.fixed.tolist() == [1]
    assert found.newly_wrong.tolist() == [2, 5]
    assert found.same_mistake.tolist() == [3, 6]
    assert found.other_mistake.tolist() == [4]
    assert found.both_wrong.tolist() == [3, 4, 6]
    assert found.errors == (4, 5)
    assert found.accuracies == (pytest.approx(3 / 7), pytest.approx(2 / 7))


def test_the_p_value_is_the_one_worked_out_by_hand():
    # Five digits of six: twice the probability of five or six heads in six tosses, 2 · (6 + 1) / 64.
    assert pair(10, 5, 1, 2).p_value == pytest.approx(14 / 64)
    assert pair(10, 1, 5, 2).p_value == pytest.approx(14 / 64), "the order does not matter"
    assert pair(10, 3, 3, 2).p_value == 1


def test_the_p_value_is_the_published_one():
    """Two media for tubercle bacilli, 20, 12, 2 and 16 of 50 specimens: Armitage and Berry 1994, p. 127.

    The exact P after Liddell (1983) is 0.0129.
    """
    assert pair(20, 12, 2, 16).p_value == pytest.approx(0.0129, abs=5e-5)


def test_models_that_never_differ_are_not_told_apart():
    same = compare(np.array([1, 2, 3]), np.array([1, 2, 4]), np.array([1, 2, 4]))
    assert same.p_value == 1
    assert same.words("a", "b") == (
        "Of 3 digits, a reads 66.67 % rightly (1 error), b 66.67 % (1 error). "
        "Both are wrong on exactly the same digits. Nothing here tells which of the two is better."
    )
    other = compare(np.array([1, 2, 3]), np.array([1, 2, 4]), np.array([1, 2, 5]))
    assert "exactly the same digits, with different answers for 1 digit." in other.words()


def test_a_clear_difference_is_called_one():
    assert pair(9960, 30, 5, 5).words("cnn", "cnn-2") == (
        "Of 10,000 digits, cnn reads 99.65 % rightly (35 errors), cnn-2 99.90 % (10 errors). "
        "Against cnn, cnn-2 fixes 30 errors and makes 5 new ones; both misread 5 digits. "
        "If both were equally good, a difference as large would come about in fewer than 0.1 % of such "
        "comparisons (McNemar's exact test, p < 0.001): chance is an unlikely reason, cnn-2 is better on "
        "digits like these."
    )


def test_the_better_one_may_be_the_first():
    words = pair(100, 2, 12, 0).words("old", "new")
    assert "Against old, new fixes 2 errors and makes 12 new ones; both misread no digits." in words
    assert "in 1.3 % of such comparisons (McNemar's exact test, p = 0.013): chance is an unlikely" in words
    assert words.endswith("reason, old is better on digits like these.")


def test_a_small_difference_may_be_chance():
    words = pair(100, 5, 1, 0).words()
    assert "the second model fixes 5 errors and makes 1 new one" in words
    assert words.endswith(
        "in 22 % of such comparisons (McNemar's exact test, p = 0.22): it may well be chance."
    )


def test_as_many_for_as_against_shows_nothing():
    assert pair(100, 4, 4, 1).words().endswith("neither is shown to be better.")


@pytest.mark.parametrize("lengths", [(3, 2, 3), (3, 3, 2), (2, 3, 3), (0, 0, 0)])
def test_what_cannot_be_compared_is_refused(lengths: tuple[int, int, int]):
    labels, first, second = (np.zeros(length, dtype=int) for length in lengths)
    message = f"{lengths[0]} labels, {lengths[1]} and {lengths[2]} predictions can't be compared"
    with pytest.raises(DatasetError, match=message):
        compare(labels, first, second)
