"""Temperature and calibration figures against numbers worked out by hand, and scikit-learn's bins."""

import math

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, log_loss

from core.calibration import HIGHEST, LOWEST, RESAMPLES, fit_temperature, measure, tempered
from core.errors import DatasetError
from core.evaluation import reliability


def two(*confidences: float) -> np.ndarray:
    """Answers for the first of two classes, so sure each (0.5 or more)."""
    first = np.array(confidences)
    return np.stack([first, 1 - first], axis=1)


def columns(right: str) -> np.ndarray:
    """`1` where the first class is the true one, `0` where it is not."""
    return np.array([0 if sign == "1" else 1 for sign in right])


@pytest.fixture(scope="module")
def drawn():
    """4,000 answers of ten classes whose truth is drawn from probabilities that are twice as soft."""
    generator = np.random.default_rng(11)
    logits = generator.normal(0, 2, (4000, 10))
    soft = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    truth = np.array([generator.choice(10, p=row) for row in soft])
    return (2 * logits).astype(np.float32), truth


def test_the_temperature_that_the_truth_was_drawn_with_is_found(drawn):
    assert fit_temperature(*drawn) == pytest.approx(2.0, rel=0.06)


def test_no_other_temperature_has_a_lower_nll(drawn):
    logits, truth = drawn
    fitted = fit_temperature(logits, truth)

    def nll(temperature: float) -> float:
        shifted = logits.astype(np.float64) / temperature
        powers = np.exp(shifted - shifted.max(axis=1, keepdims=True))
        return float(log_loss(truth, powers / powers.sum(axis=1, keepdims=True), labels=list(range(10))))

    assert nll(fitted) < min(nll(fitted * 1.01), nll(fitted / 1.01))


def test_two_answers_in_three_right_ask_for_the_odds_of_two_to_one():
    # Logits (z, 0) thrice, right twice: the likeliest p is 2/3, so z / T = ln 2.
    logits = np.array([[3.0, 0.0]] * 3)
    assert fit_temperature(logits, np.array([0, 0, 1])) == pytest.approx(3 / math.log(2), rel=1e-4)


def test_where_no_temperature_is_the_best_the_ends_of_the_range_are_given():
    logits = np.array([[3.0, 0.0], [0.0, 2.0]])
    assert fit_temperature(logits, np.array([0, 1])) == pytest.approx(
        LOWEST
    )  # all right: the colder the better
    assert fit_temperature(logits, np.array([1, 0])) == pytest.approx(HIGHEST)  # all wrong
    assert fit_temperature(logits[:1], np.array([0])) == pytest.approx(LOWEST)


def test_a_temperature_needs_digits_and_numbers():
    with pytest.raises(DatasetError, match="no digit to fit a temperature on"):
        fit_temperature(np.zeros((0, 10)), np.zeros(0, dtype=np.int64))
    with pytest.raises(DatasetError, match="not finite"):
        fit_temperature(np.array([[np.nan, 0.0]]), np.array([0]))


def test_tempering_by_the_temperature_undoes_it():
    logits = np.array([[4.0, 1.0, -2.0], [0.0, 0.5, 0.2]])
    after, before = (np.exp(x) / np.exp(x).sum(axis=1, keepdims=True) for x in (logits / 1.7, logits))
    np.testing.assert_allclose(tempered(after.astype(np.float32), 1.7), before, atol=1e-6)
    with np.errstate(all="raise"):
        np.testing.assert_allclose(tempered(np.float32([[1.0, 0.0]]), 0.4), [[1.0, 0.0]], atol=1e-9)


def test_the_four_figures_by_hand():
    # Bins of 1/15: 0.9 → (0.867, 0.933], 0.7 → (0.667, 0.733], 0.8 → (0.733, 0.8], 0.6 → (0.533, 0.6].
    found = measure(two(0.9, 0.7, 0.8, 0.6), columns("1100"), resamples=10)
    assert found.ece.value == pytest.approx((0.1 + 0.3 + 0.8 + 0.6) / 4)
    assert found.nll.value == pytest.approx(
        -(math.log(0.9) + math.log(0.7) + math.log(0.2) + math.log(0.4)) / 4
    )
    assert found.brier.value == pytest.approx(2 * (0.01 + 0.09 + 0.64 + 0.36) / 4)
    assert found.n == 4


def test_a_confidence_of_exactly_1_shares_the_last_bin_with_those_below_it():
    # Apart they would be off by 0.05 and by 1; together they are half right and 0.975 sure.
    found = measure(two(0.95, 1.0), columns("10"), resamples=10)
    assert found.ece.value == pytest.approx(0.475)
    assert measure(two(1.0, 1.0), columns("10"), resamples=10).ece.value == pytest.approx(0.5)


def test_a_confidence_on_an_edge_belongs_to_the_bin_below_it():
    # 0.8 = 12/15 ends its bin: together with 0.79, apart from 0.81.
    edge = 12 / 15
    assert measure(two(edge, 0.79), columns("10"), resamples=10).ece.value == pytest.approx(abs(0.5 - 0.795))
    apart = measure(two(edge, 0.81), columns("10"), resamples=10)
    assert apart.ece.value == pytest.approx((1 - edge + 0.81) / 2)


def test_bins_of_equal_mass_by_hand():
    # 30 answers, two a bin, all in two bins of equal width.
    confidences = np.linspace(0.94, 0.999, 30)
    right = "10" * 15
    gaps = [(np.array([1, 0]) - pair).sum() for pair in confidences.reshape(15, 2)]
    found = measure(two(*confidences), columns(right), resamples=10)
    assert found.adaptive_ece.value == pytest.approx(np.abs(gaps).sum() / 30)


def test_equally_sure_answers_are_not_told_apart_by_their_order():
    sure = two(*[0.9] * 40)
    right = columns("1" * 20 + "0" * 20)
    one, other = (measure(sure, order, resamples=10) for order in (right, right[::-1].copy()))
    assert one.adaptive_ece.value == pytest.approx(other.adaptive_ece.value)
    assert one.adaptive_ece.value == pytest.approx(one.ece.value) == pytest.approx(0.4)


def test_perfect_and_hopeless_answers():
    perfect = measure(two(1.0, 1.0, 1.0), columns("111"), resamples=10)
    figures = (perfect.ece, perfect.adaptive_ece, perfect.nll, perfect.brier)
    for found in figures:
        assert (found.value, found.low, found.high) == pytest.approx((0, 0, 0))
    hopeless = measure(two(1.0, 1.0), columns("00"), resamples=10)
    assert hopeless.ece.value == pytest.approx(1)
    assert hopeless.brier.value == pytest.approx(2)
    assert math.isfinite(hopeless.nll.value)
    assert hopeless.nll.value > 30


def test_a_set_of_one_true_class_has_all_figures():
    found = measure(np.array([[0.2, 0.8], [0.4, 0.6]]), np.array([1, 1]), resamples=10)
    assert found.nll.value == pytest.approx(-(math.log(0.8) + math.log(0.6)) / 2)


def test_no_digits_have_no_calibration():
    with pytest.raises(DatasetError, match="no digit to measure"):
        measure(np.zeros((0, 10)), np.zeros(0, dtype=np.int64))


def test_the_bins_are_those_of_scikit_learn(drawn):
    logits, truth = drawn
    probabilities = tempered(np.exp(logits - logits.max(axis=1, keepdims=True)), 1.0)
    confidence, correct = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    confidence[:40] = 1.0
    bins = reliability(confidence, correct)
    accuracy, sure = calibration_curve(correct, confidence, n_bins=15, strategy="uniform")
    filled = bins.counts > 0
    assert not filled.all()  # the lowest bin can't hold the largest of ten probabilities
    np.testing.assert_allclose(bins.accuracy[filled], accuracy)
    np.testing.assert_allclose(bins.confidence[filled], sure)


def test_ece_is_that_of_the_reliability_diagram(drawn):
    logits, truth = drawn
    probabilities = tempered(np.exp(logits - logits.max(axis=1, keepdims=True)), 1.0)
    bins = reliability(probabilities.max(axis=1), probabilities.argmax(axis=1) == truth)
    assert measure(probabilities, truth, resamples=2).ece.value == pytest.approx(bins.ece)


def test_the_intervals_are_those_of_resampled_digits(drawn):
    logits, truth = drawn
    probabilities = tempered(np.exp(logits - logits.max(axis=1, keepdims=True)), 1.0)
    found = measure(probabilities, truth)
    assert found.resamples == RESAMPLES
    for estimate, figure in ((found.nll, _nll), (found.brier, _brier)):
        generator = np.random.default_rng(3)
        again = [
            figure(probabilities[rows], truth[rows])
            for rows in (generator.integers(0, len(truth), len(truth)) for _ in range(300))
        ]
        width = estimate.high - estimate.low
        assert estimate.low < estimate.value < estimate.high
        np.testing.assert_allclose(
            [estimate.low, estimate.high], np.percentile(again, [2.5, 97.5]), atol=width / 6
        )


def test_the_interval_of_a_calibration_error_does_not_count_noise_twice():
    """What is right 9 times in 10 and says so: the error is 0, and whatever is found of it is noise."""
    generator, inside, raised = np.random.default_rng(0), 0, 0
    probabilities = two(*np.full(200, 0.9))
    for seed in range(40):
        truth = (generator.random(200) >= 0.9).astype(np.int64)
        found = measure(probabilities, truth, resamples=200, seed=seed).ece
        inside += found.low == 0
        raised += found.value > 0
        assert 0 <= found.low <= found.high
    assert raised > 30
    assert inside > 30  # the resamples' percentiles would hold 0 next to never


def test_the_interval_of_a_clear_calibration_error_lies_round_it():
    found = measure(two(*np.full(400, 0.9)), columns("1101" * 100)).ece  # right 3 times in 4
    assert found.value == pytest.approx(0.15)
    assert found.low == pytest.approx(0.15 - 1.96 * math.sqrt(0.75 * 0.25 / 400), abs=0.006)
    assert found.high == pytest.approx(0.15 + 1.96 * math.sqrt(0.75 * 0.25 / 400), abs=0.006)


def _nll(probabilities: np.ndarray, truth: np.ndarray) -> float:
    return float(log_loss(truth, probabilities, labels=list(range(10))))


def _brier(probabilities: np.ndarray, truth: np.ndarray) -> float:
    return float(brier_score_loss(truth, probabilities, labels=list(range(10)), scale_by_half=False))


def test_the_same_seed_gives_the_same_intervals_and_large_sets_say_that_fewer_were_drawn():
    answers = two(*np.linspace(0.5, 1, 50)), columns("1101011111" * 5)
    assert measure(*answers, seed=4) == measure(*answers, seed=4)
    assert measure(*answers, seed=4) != measure(*answers, seed=5)
    many = np.repeat(answers[0], 800, axis=0), np.repeat(answers[1], 800)
    assert measure(*many).resamples == 500
