"""What is fitted to a checkpoint: the temperature first, then the threshold; both in the card at once."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from core.abstention import Costs, OperatingPoint, risk_coverage
from core.card import read_card, update_card
from core.errors import CheckpointError, DatasetError
from core.evaluation import evaluate
from core.fitting import SPLIT, calibrate, fit
from core.outputs import softmax
from core.paths import GRAPH, WEIGHTS, checkpoint_folder
from core.predictor import Predictor


@pytest.fixture(scope="module")
def overconfident():
    """Two thousand logits of three classes, three times as large as the truth bears out."""
    generator = np.random.default_rng(4)
    logits = generator.normal(0, 1.5, (2000, 3)).astype(np.float32)
    truth = np.array([generator.choice(3, p=row / row.sum()) for row in softmax(logits).astype(np.float64)])
    return 3 * logits, truth


def test_the_temperature_mends_what_it_can(overconfident):
    found = fit(*overconfident)
    assert found.temperature == pytest.approx(3, rel=0.1)
    assert found.after.ece.value < found.before.ece.value / 3
    assert found.after.nll.value < found.before.nll.value


def test_the_threshold_is_chosen_on_the_confidences_behind_the_temperature(overconfident):
    logits, truth = overconfident
    found = fit(logits, truth, costs=Costs(error=4, refusal=1))
    divided = softmax(logits / np.float32(found.temperature))
    sure, right = divided.max(axis=1), divided.argmax(axis=1) == truth
    answered = sure >= found.point.threshold
    assert found.point.answered == answered.sum()
    assert found.point.errors == (answered & ~right).sum()
    curve = risk_coverage(sure, right)
    cost = found.point.cost(Costs(4, 1))
    assert cost == pytest.approx(min(curve.at(float(t)).cost(Costs(4, 1)) for t in curve.thresholds))


def test_a_threshold_that_is_given_is_taken(overconfident):
    found = fit(*overconfident, threshold=0.6)
    assert (found.point.threshold, found.costs) == (0.6, None)
    assert found.verdict()["chosen_by"] == "the threshold given"
    with pytest.raises(DatasetError, match="give a number from 0 to 1"):
        fit(*overconfident, threshold=1.5)


def test_what_goes_into_the_card_is_plain_json(overconfident):
    found = fit(*overconfident)
    content = json.loads(json.dumps([found.calibration(), found.verdict()]))
    assert content[0]["temperature"] == found.temperature
    assert content[0]["fitted_on"] == content[1]["chosen_on"] == SPLIT
    assert content[1]["chosen_by"] == {"error": 10.0, "refusal": 1.0}
    assert tuple(OperatingPoint(**each) for each in content[1]["choices"]) == found.choices
    assert OperatingPoint(**content[1]["choices"][0]).refused == 0


@pytest.fixture
def linear_copy(mnist_files: Path, tmp_path: Path) -> Path:
    """The shipped linear model, with a verdict of somebody else's and figures of a set that nobody has."""
    folder = shutil.copytree(checkpoint_folder("linear"), tmp_path / "linear")
    path = folder / "card.json"
    content = json.loads(path.read_text())
    content["calibration"], content["verdict"] = {}, {"unusual_above": 0.25}
    content["metrics"]["somewhere else"] = {"n": 1}
    content["metrics"]["mnist-test"]["ece"] = 0.5
    path.write_text(json.dumps(content))
    return folder


def test_calibrate_writes_the_card_and_leaves_the_rest_alone(linear_copy: Path):
    before = read_card(linear_copy)
    graph, weights = ((linear_copy / name).read_bytes() for name in (GRAPH, WEIGHTS))
    found, card = calibrate(Predictor.load(linear_copy))
    assert read_card(linear_copy) == card
    assert card.temperature == found.temperature != 1
    assert card.verdict["unusual_above"] == 0.25
    assert card.verdict["refuse_below"] == found.point.threshold
    assert ((linear_copy / GRAPH).read_bytes(), (linear_copy / WEIGHTS).read_bytes()) == (graph, weights)
    assert card.hashes == before.hashes
    assert card.calibration["n"] == card.metrics[SPLIT]["n"] == found.point.n  # its own digits alone


def test_the_figures_on_named_sets_are_measured_again_with_the_temperature(linear_copy: Path, mnist_test):
    before = read_card(linear_copy)
    _, card = calibrate(Predictor.load(linear_copy))
    assert set(card.metrics) == set(before.metrics)
    assert card.metrics["somewhere else"] == {"n": 1}
    predictor = Predictor.load(linear_copy)
    data = mnist_test.only(predictor.classes)
    again = evaluate(predictor.run(data.images).probabilities, data.labels, predictor.classes).to_json()
    assert card.metrics["mnist-test"] == json.loads(json.dumps(again))
    assert card.metrics["mnist-test"]["errors"] == before.metrics["mnist-test"]["errors"]
    assert card.metrics["mnist-test"]["ece"] < 0.02


def test_a_second_fit_starts_from_the_weights_and_not_from_the_first(linear_copy: Path):
    first, _ = calibrate(Predictor.load(linear_copy))
    second, card = calibrate(Predictor.load(linear_copy), threshold=0.75)
    assert second.temperature == first.temperature
    assert second.before == first.before
    assert (card.verdict["refuse_below"], card.verdict["chosen_by"]) == (0.75, "the threshold given")


def test_weights_that_were_replaced_meanwhile_are_left_alone(linear_copy: Path):
    predictor = Predictor.load(linear_copy)
    update_card(linear_copy, lambda card: card, key=predictor.key)
    path = linear_copy / "card.json"
    path.write_text(path.read_text().replace(predictor.key, "0" * 64))
    with pytest.raises(CheckpointError, match="was replaced while its old weights were measured"):
        calibrate(predictor)
    assert read_card(linear_copy).verdict == {"unusual_above": 0.25}


@pytest.mark.parametrize("name", ["cnn", "linear"])
def test_the_shipped_cards_hold_what_fitting_gives(name: str, mnist_files):
    card, predictor = read_card(checkpoint_folder(name)), Predictor.load(name)
    from core.datasets import load_dataset

    data = load_dataset(SPLIT).only(predictor.classes)
    logits, truth = predictor.run(data.images).logits, np.searchsorted(predictor.classes, data.labels)
    found = fit(logits, truth)
    assert card.temperature == pytest.approx(found.temperature, rel=1e-4)
    assert card.verdict["refuse_below"] == pytest.approx(found.point.threshold, abs=1e-3)


def test_the_shipped_network_is_calibrated_on_the_test_set():
    assert read_card(checkpoint_folder("cnn")).metrics["mnist-test"]["ece"] <= 0.003
