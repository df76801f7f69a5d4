"""Risk, coverage and costs on arrays small enough to count by hand."""

from itertools import pairwise

import numpy as np
import pytest

from core.abstention import Costs, cheapest, risk_coverage
from core.errors import DatasetError


def curve(*answers: tuple[float, bool]):
    confidence, correct = zip(*answers, strict=True)
    return risk_coverage(np.array(confidence), np.array(correct))


@pytest.fixture
def five():
    """Five answers, the second and the fourth surest wrong."""
    return curve((0.9, True), (0.8, False), (0.7, True), (0.6, False), (0.5, True))


def test_every_threshold_by_hand(five):
    assert five.thresholds.tolist() == [0.5, 0.6, 0.7, 0.8, 0.9]
    assert five.answered.tolist() == [5, 4, 3, 2, 1]
    assert five.errors.tolist() == [2, 2, 1, 1, 0]
    np.testing.assert_allclose(five.risk, [2 / 5, 2 / 4, 1 / 3, 1 / 2, 0])
    np.testing.assert_allclose(five.coverage, [1, 0.8, 0.6, 0.4, 0.2])


def test_aurc_is_the_mean_risk_of_the_surest(five):
    assert five.aurc == pytest.approx((0 + 1 / 2 + 1 / 3 + 2 / 4 + 2 / 5) / 5)


def test_the_order_of_the_answers_does_not_matter(five):
    other = curve((0.6, False), (0.9, True), (0.5, True), (0.8, False), (0.7, True))
    assert other.aurc == five.aurc
    assert other.errors.tolist() == five.errors.tolist()


def test_equally_sure_answers_are_one_block():
    tied = curve((0.9, True), (0.9, False), (0.5, True))
    assert tied.thresholds.tolist() == [0.5, 0.9]
    assert tied.answered.tolist() == [3, 2]
    # Either order of the two: risks (0, 1/2, 1/3) or (1, 1/2, 1/3), on average 1/2, 1/2, 1/3.
    assert tied.aurc == pytest.approx((1 / 2 + 1 / 2 + 1 / 3) / 3)


def test_all_right_and_all_wrong():
    right = curve((0.9, True), (0.8, True))
    assert (right.aurc, right.at(0.0).accuracy) == (0, 1)
    wrong = curve((0.9, False), (0.8, False))
    assert (wrong.aurc, wrong.at(0.0).accuracy) == (1, 0)
    assert curve((1.0, True)).aurc == 0


def test_a_higher_threshold_never_answers_more_and_never_errs_more():
    generator = np.random.default_rng(2)
    confidence = generator.random(500).round(2)
    points = [risk_coverage(confidence, generator.random(500) < confidence).at(t / 100) for t in range(101)]
    assert all(a.answered >= b.answered for a, b in pairwise(points))
    found = risk_coverage(confidence, confidence > 0.3)
    errors = [found.at(t / 100).errors for t in range(101)]
    assert errors == sorted(errors, reverse=True)


def test_an_answer_that_is_exactly_as_sure_is_given(five):
    point = five.at(0.7)
    assert (point.answered, point.refused, point.errors, point.coverage) == (3, 2, 1, 0.6)
    assert five.at(np.nextafter(0.7, 1)).answered == 2


def test_what_a_threshold_buys_is_said_in_words(five):
    assert five.at(0.0).words == "Refusing none of the digits leaves 2 errors in 5."
    assert five.at(0.65).words == "Refusing 40.0 % of the digits leaves 1 error in 3."
    assert five.at(0.85).words == "Refusing 80.0 % of the digits leaves no error in 1."
    assert five.at(0.95).words == "Refusing all 5 digits leaves no answer."
    assert five.at(0.95).accuracy is None
    confidence = np.concatenate([[0.1], np.full(9999, 0.9)])
    few = risk_coverage(confidence, np.ones(10_000, dtype=bool)).at(0.5)
    assert few.words == "Refusing less than 0.1 % of the digits leaves no error in 9,999."


def test_the_cost_of_a_point(five):
    assert five.at(0.7).cost(Costs(error=10, refusal=1)) == pytest.approx((10 * 1 + 1 * 2) / 5)


def test_the_choices_hold_the_cheapest_threshold_for_any_costs():
    generator = np.random.default_rng(9)
    confidence = generator.random(400).round(3)
    found = risk_coverage(confidence, generator.random(400) < confidence)
    every = [found.at(0.0), *(found.at(float(t)) for t in found.thresholds)]
    choices = found.choices()
    assert len(choices) < 40
    assert [c.threshold for c in choices] == sorted(c.threshold for c in choices)
    for choice in choices:  # nothing is rounded across an answer
        assert found.at(choice.threshold) == choice
    for error in (0.1, 0.9, 1.1, 2, 5, 12, 80, 1000):
        costs = Costs(error=error, refusal=1)
        best = min(point.cost(costs) for point in every)
        assert cheapest(choices, costs).cost(costs) == pytest.approx(best)


def test_costs_choose_by_hand(five):
    # Cheap errors: answer all. Dear ones: refuse all but the surest answer.
    assert cheapest(five.choices(), Costs(error=1, refusal=1)).refused == 0
    dear = cheapest(five.choices(), Costs(error=100, refusal=1))
    assert (dear.refused, dear.errors) == (4, 0)
    assert 0.8 < dear.threshold <= 0.9
    assert dear.threshold == 0.9


def test_of_equally_cheap_thresholds_the_one_that_refuses_least_is_taken():
    found = curve((0.9, True), (0.5, False))
    assert cheapest(found.choices(), Costs(error=1, refusal=1)).refused == 0
    assert found.choices()[1].threshold == 0.7  # half way, with as few decimals as fit


def test_without_errors_nothing_is_worth_a_refusal():
    (only,) = curve((0.9, True), (0.4, True)).choices()
    assert (only.threshold, only.refused) == (0.0, 0)


def test_no_answers_have_no_threshold():
    with pytest.raises(DatasetError, match="no answer to choose"):
        risk_coverage(np.zeros(0), np.zeros(0, dtype=bool))


@pytest.mark.parametrize("costs", [(0, 1), (1, 0), (-1, 1), (float("nan"), 1), (1, float("inf"))])
def test_costs_are_numbers_above_0(costs: tuple[float, float]):
    with pytest.raises(DatasetError, match="give two numbers above 0"):
        Costs(*map(float, costs))
