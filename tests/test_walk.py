"""A digit's walk: where it begins, where it ends, and what is said of it on the way."""

import time

import numpy as np
import pytest

from core.errors import DistortionError
from core.predictor import Outputs, Predictor
from core.preprocess import stroke_width
from core.walk import PATHS, Walk, walk


@pytest.fixture(scope="module")
def digit(optdigits) -> np.ndarray:
    return optdigits.images[5]


@pytest.mark.parametrize("name", PATHS)
def test_a_walk_begins_with_the_digit_itself_and_leaves_it(name: str, cnn: Predictor, digit: np.ndarray):
    found = walk(cnn, digit, name)
    assert np.array_equal(found.pictures[0], digit)
    assert 25 <= len(found) <= 41
    assert len(found.values) == len(found.pictures) == len(found.prediction) == len(found.probabilities)
    assert found.values[0] == PATHS[name].start
    assert found.values[-1] == PATHS[name].stop
    assert np.diff(found.values) == pytest.approx(PATHS[name].step)
    far = np.abs(found.pictures.astype(int) - digit).mean(axis=(1, 2))
    assert far[3] > 0  # a blur by less than a third of a pixel reaches no other
    assert far[len(far) // 2] > far[3]
    assert far[-1] > 20


@pytest.mark.parametrize("name", PATHS)
def test_answers_belong_to_the_pictures(name: str, cnn: Predictor, digit: np.ndarray):
    found = walk(cnn, digit, name)
    for step in (0, len(found) // 2, len(found) - 1):
        if found.pictures[step].min() < found.pictures[step].max():  # an even picture is none to predict
            answer = cnn.predict(found.pictures[step])
            assert answer.digit == found.prediction[step]
            assert answer.confidence == pytest.approx(float(found.confidence[step]), abs=1e-5)
    assert found.probabilities.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert found.unusualness is None


def test_known_ends(cnn: Predictor, digit: np.ndarray):
    turned = walk(cnn, digit, "rotation").pictures
    assert np.array_equal(turned[-1], np.rot90(digit, 2))
    assert np.array_equal(turned[18], np.rot90(digit, -1))
    inverted = walk(cnn, digit, "inversion").pictures
    assert np.array_equal(inverted[-1], 255 - digit)
    assert (np.abs(inverted[20].astype(int) - 127.5) <= 0.5).all()
    moved = walk(cnn, digit, "shift").pictures
    assert np.array_equal(moved[2][:, 1:], digit[:, :-1])
    assert np.array_equal(moved[-1][:, 18:], digit[:, :10])


def test_a_smaller_digit_has_as_much_less_ink(cnn: Predictor, digit: np.ndarray):
    found = walk(cnn, digit, "scale")
    half = int(np.flatnonzero(found.values == 50)[0])
    assert found.pictures[half].sum() / digit.sum() == pytest.approx(0.25, rel=0.1)


def test_strokes_grow_by_what_the_value_says(cnn: Predictor):
    bar = np.zeros((28, 28), dtype=np.uint8)
    bar[4:24, 13:15] = 255
    found = walk(cnn, bar, "thickness")
    one = int(np.flatnonzero(found.values == 1)[0])
    assert found.pictures[one][14].sum() == 4 * 255  # a pixel more on either side
    widths = [stroke_width(picture.astype(np.float32) / 255) for picture in found.pictures[:9]]
    assert (np.diff(widths) > 0).all()
    assert (np.diff(found.pictures.astype(int), axis=0) >= 0).all()


def test_blur_keeps_the_ink_while_it_is_inside(cnn: Predictor):
    dot = np.zeros((28, 28), dtype=np.uint8)
    dot[12:16, 12:16] = 255
    found = walk(cnn, dot, "blur")
    assert found.pictures[20].sum() == pytest.approx(dot.sum(), rel=0.05)
    assert (np.diff(found.pictures.max(axis=(1, 2)).astype(int)) <= 0).all()


def test_noise_is_the_seeds_and_grows(cnn: Predictor, digit: np.ndarray):
    first, again, other = (walk(cnn, digit, "noise", seed=seed).pictures for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    middle = np.full((28, 28), 128, dtype=np.uint8)
    grey = walk(cnn, middle, "noise")
    step = int(np.flatnonzero(grey.values == 10)[0])
    assert grey.pictures[step].std() == pytest.approx(25.5, rel=0.1)


def test_stretches_of_one_answer():
    prediction = np.array([7, 7, 2, 2, 2, 7])
    six, flat = np.arange(6.0), np.full(6, 0.5, dtype=np.float32)
    pictures, rows = np.zeros((6, 28, 28), dtype=np.uint8), np.full((6, 2), 0.5, dtype=np.float32)
    found = Walk(PATHS["blur"], six, pictures, (2, 7), rows, prediction, flat, None)
    assert found.runs == ((0, 1, 7), (2, 4, 2), (5, 5, 7))


def test_the_score_of_unusualness_goes_along(cnn: Predictor, digit, monkeypatch: pytest.MonkeyPatch):
    def spread(self: Predictor, outputs: Outputs) -> np.ndarray:
        return -outputs.logits.max(axis=1)

    monkeypatch.setattr(Predictor, "unusualness", spread, raising=False)
    found = walk(cnn, digit, "rotation")
    assert found.unusualness is not None
    assert found.unusualness == pytest.approx(-cnn.run(found.pictures).logits.max(axis=1))


def test_unknown_paths_are_refused(cnn: Predictor, digit: np.ndarray):
    with pytest.raises(DistortionError, match=r"No path 'mirror'.*rotation"):
        walk(cnn, digit, "mirror")


def test_a_walk_is_quick(cnn: Predictor, digit: np.ndarray):
    for name in PATHS:
        times = []
        for _ in range(5):
            start = time.perf_counter()
            walk(cnn, digit, name)
            times.append(time.perf_counter() - start)
        assert min(times) < 0.5, name  # a fiftieth on two quiet cores, without the tests' checks
