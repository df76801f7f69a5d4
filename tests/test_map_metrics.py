"""Measures of a map, worked out by hand for the linear model, whose exact map is known."""

import numpy as np
import pytest

from core.attribution import maps_of, task_of
from core.checkpoint import load_model
from core.explanation import explain, private_network
from core.map_metrics import STEPS, area, curves, infidelity, ink_share, measure, sensitivity
from core.predictor import Predictor
from core.randomisation import destroyed, likeness, stages_of
from tests.test_methods import digit_like

THREE = np.array([3], dtype=np.int64)


@pytest.fixture
def exact(linear: Predictor) -> np.ndarray:
    """Weight × pixel: what each pixel gives to the log-odds of a 3."""
    return explain(linear, digit_like(1), method="integrated-gradients", target=3).map


def test_the_area_is_by_trapezoids():
    assert area(np.array([[1.0, 0.5, 0.0], [1.0, 1.0, 1.0]])) == pytest.approx([0.5, 1.0])


def test_deletion_takes_the_strongest_pixels_first(linear: Predictor, exact: np.ndarray):
    pixels = digit_like(1)
    found = curves(linear, pixels[None], exact[None], THREE)
    base = float(linear.run(np.zeros((1, 28, 28), np.uint8)).logits[0, 0])
    sorted_parts = np.sort(exact.ravel())[::-1].astype(np.float64)
    for step in (0, 1, 2, STEPS):
        left = base + sorted_parts[step * 28 :].sum()
        assert found.deletion[0, step] == pytest.approx(1 / (1 + np.exp(-left)), abs=1e-4)
        put = base + sorted_parts[: step * 28].sum()
        assert found.insertion[0, step] == pytest.approx(1 / (1 + np.exp(-put)), abs=1e-4)


def test_no_map_beats_the_exact_one(linear: Predictor, exact: np.ndarray):
    pixels, generator = digit_like(1), np.random.default_rng(0)
    best = curves(linear, pixels[None], exact[None], THREE)
    for _ in range(5):
        other = curves(linear, pixels[None], generator.random((1, 28, 28), dtype=np.float32), THREE)
        assert best.deletion_area[0] <= other.deletion_area[0]
        assert best.insertion_area[0] >= other.insertion_area[0]


def test_against_another_digit_the_share_is_of_the_two(cnn: Predictor):
    pixels = digit_like(2)
    found = curves(cnn, pixels[None], np.ones((1, 28, 28), np.float32), np.array([4]), against=9)
    logits = cnn.run(pixels[None]).logits[0] / cnn.card.temperature
    assert found.deletion[0, 0] == pytest.approx(1 / (1 + np.exp(logits[9] - logits[4])), abs=1e-5)


def test_the_exact_map_foretells_every_loss_and_an_empty_one_none(linear: Predictor, exact: np.ndarray):
    pixels = digit_like(1)
    with private_network(linear) as network:
        task = task_of(linear, network, pixels[None], THREE)
        gradient = maps_of("saliency", task) * np.sign(exact + 1e-12)
        noise = np.random.default_rng(1).standard_normal((1, 28, 28)).astype(np.float32)
        found = [
            float(infidelity(task, maps, local=local)[0])
            for maps, local in (
                (exact[None], False),
                (1000 * exact[None], False),
                (gradient, True),
                (np.zeros_like(exact)[None], False),
                (noise, False),
            )
        ]
    assert found[:3] == pytest.approx([0, 0, 0], abs=1e-4)
    assert found[3] == 1
    assert 0.05 < found[4] <= 1


def test_a_map_that_never_changes_is_calm_and_the_picture_itself_is_not(linear: Predictor):
    with private_network(linear) as network:
        task = task_of(linear, network, digit_like(1)[None], THREE)
        assert sensitivity(task, lambda each: maps_of("saliency", each))[0] == pytest.approx(0, abs=1e-5)
        picture = sensitivity(task, lambda each: each.images[:, 0].numpy())[0]
    assert 0.01 < picture < 0.5


def test_the_share_on_ink():
    images = np.zeros((2, 28, 28), np.uint8)
    images[:, 0, :2] = 9
    maps = np.zeros((2, 28, 28), np.float32)
    maps[0, 0, :3] = (1, -2, 1)
    assert ink_share(images, maps) == pytest.approx([0.75, 0])


def test_a_map_is_measured_the_same_way_twice(cnn: Predictor):
    pixels = digit_like(3)
    found = explain(cnn, pixels, method="input-x-gradient", target=4, against=9)
    one, two = measure(cnn, pixels, found), measure(cnn, pixels, found)
    assert (one.infidelity, one.sensitivity, one.ink) == (two.infidelity, two.sensitivity, two.ink)
    assert np.array_equal(one.curves.deletion, two.curves.deletion)
    assert 0 <= one.infidelity <= 1
    assert one.sensitivity > 0


def test_destroyed_weights_keep_their_values_and_lose_their_places(cnn: Predictor):
    model, _ = load_model(cnn.folder)
    names = stages_of(model)
    assert names == ("logits", "hidden layer", "block4", "block3", "block2", "block1")
    top = destroyed(model, 0)
    for key, value in model.state_dict().items():
        same = np.array_equal(top.state_dict()[key], value)
        assert same is (not key.startswith("fc_layers.4")), key
    whole = destroyed(model, len(names) - 1).state_dict()
    for key, value in model.state_dict().items():
        assert np.array_equal(np.sort(whole[key].ravel()), np.sort(value.ravel())), key
    changed = [key for key, value in model.state_dict().items() if not np.array_equal(whole[key], value)]
    assert {key.split(".")[1] for key in changed if key.startswith("conv")} >= {"0", "1", "5", "10", "15"}
    again = destroyed(model, len(names) - 1).state_dict()
    assert all(np.array_equal(whole[key], again[key]) for key in whole)


def test_likeness_is_spearmans_on_the_chosen_pixels():
    one = np.zeros((3, 28, 28), np.float32)
    one[:, 0, :4] = (1, 2, 3, 4)
    other = one.copy()
    other[0, 0, :4], other[1, 0, :4], other[2, 0, :4] = (1, 8, 27, 64), (4, 3, 2, 1), (5, 5, 5, 5)
    where = np.zeros((3, 28, 28), bool)
    where[:, 0, :4] = True
    assert likeness(one, other, where) == pytest.approx([1, -1, 0])
