"""The detector: by hand on two features, through its file, and fitted on real digits."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from core import unusual_fit, unusual_material
from core.datasets import load_dataset
from core.detection import detection
from core.errors import CheckpointError, DatasetError
from core.generated_inputs import made
from core.labelled import LabelledDigits
from core.made_up import KINDS
from core.outputs import Outputs
from core.paths import DETECTOR, ROOT, data_folder
from core.pendigits import SIZES, draw, read_unipen
from core.predictor import Predictor
from core.preprocess import prepare
from core.unusual import CHOSEN, Detector, Form, inputs, nearest, read_detector, surprise
from core.unusual_choice import CANDIDATES, choose_detector


def outputs(*features: tuple[float, float]) -> Outputs:
    values = np.array(features, np.float32)
    return Outputs(np.zeros((len(values), 2), np.float32), values, {"block1": values, "block2": values})


def by_hand() -> Detector:
    """One digit in the bank, along the first axis; the small network adds the features up."""
    weights = np.array([[1, 1, 0, 0, 0, 0]], np.float32)
    return Detector(
        {"block2": np.array([[1, 0]], np.float32)},
        {
            "distance.mean": np.array([0.5], np.float32),
            "distance.std": np.array([0.25], np.float32),
            "distance.sum_std": np.array([2.0], np.float32),
            "input.mean": np.zeros(6, np.float32),
            "input.std": np.ones(6, np.float32),
            "hidden.weight": weights,
            "hidden.bias": np.array([-1], np.float32),
            "output.weight": np.array([3], np.float32),
            "output.bias": np.array([0.5], np.float32),
            "learned.mean": np.array([0.5], np.float32),
            "learned.std": np.array([6.0], np.float32),
            "reference": np.array([1, 2, 3, 4], np.float32),
        },
    )


def test_the_score_is_the_weighted_sum_of_both_opinions():
    found = by_hand().score(outputs((2, 0), (0, 3)))
    # Along the bank's digit: distance 0, z = (0 − 0.5) / 0.25 / 2 = −1; sum 2 → hidden 1 → 3.5 → z = 0.5.
    # Across: distance 1, z = 1; sum 3 → hidden 2 → 6.5 → z = 1.
    by_formula = [
        math.log1p(math.exp(-1)) + 2 * math.log1p(math.exp(0.5)),
        3 * math.log1p(math.exp(1)),
    ]
    assert found == pytest.approx(by_formula, rel=1e-6)


@pytest.mark.parametrize(
    ("combination", "score"),
    [
        # How seldom a normal variable is greater than −1, and than 0.5.
        ("fisher", -math.log(1 - 0.15865525) - 3 * math.log(0.30853754)),
        ("softplus", math.log1p(math.exp(-1)) + 3 * math.log1p(math.exp(0.5))),
        ("maximum", -3 * math.log(0.30853754)),
        ("distance", -1),
        ("learned", 0.5),
    ],
)
def test_how_opinions_can_be_combined(combination: str, score: float):
    form = Form(combination, 3, (2, 3))
    found = form.combined(np.array([-1], np.float32), np.array([0.5], np.float32))
    assert found == pytest.approx([score], rel=1e-6)


def test_a_form_names_its_blocks_or_all_of_a_smaller_network():
    form = Form("fisher", 1, (2, 3))
    assert form.names({"block1": 0, "block2": 0, "block3": 0}) == ["block2", "block3"]
    assert form.names({"embedding": 0}) == ["embedding"]


def test_strange_features_are_clamped_for_the_network_alone():
    far = by_hand().learned(outputs((1000, 0)))
    assert far == pytest.approx([3 * (8 - 1) + 0.5])


def test_ink_where_nothing_is_seen_counts_where_it_is_stranger_than_the_features():
    outside = {"outside.mean": np.array([1], np.float32), "outside.std": np.array([2], np.float32)}
    detector = Detector(by_hand().banks, by_hand().arrays | outside)
    some = outputs((2, 0), (0, 3), (0, 3))
    of_features = detector.distance(some)
    assert of_features.tolist() == [-2, 2, 2]
    # In standard deviations of digits: −0.5, 0.5 and 4; the sum over the blocks has one of 2.
    found = detector.distance(replace(some, outside=np.array([0, 2, 9], np.float32)))
    assert found.tolist() == [-1, 2, 8]
    again = read_detector(detector.to_bytes(), "there")
    assert again.arrays["outside.std"] == 2
    assert set(read_detector(by_hand().to_bytes(), "there").arrays) == set(by_hand().arrays)


def test_what_lies_outside_the_window_is_measured(offset_cnn: Predictor, cnn: Predictor, random_pictures):
    pictures = random_pictures[:3]
    unseen = np.ones((28, 28), dtype=bool)
    unseen[3:26, 3:26] = False
    assert offset_cnn.run(pictures).outside == pytest.approx(pictures[:, unseen].mean(axis=1), rel=1e-6)
    assert cnn.run(pictures).outside is None


def test_a_frame_that_the_network_cannot_see_is_unusual(offset_cnn: Predictor):
    digits = load_dataset("optdigits")
    detector = unusual_fit.fit_detector(
        offset_cnn, digits.take(np.arange(600)), digits.take(np.arange(600, 900))
    )
    framed = digits.images[900:950].copy()
    framed[:, :3] = framed[:, :, 27:] = 255
    plain, changed = (offset_cnn.run(images) for images in (digits.images[900:950], framed))
    np.testing.assert_array_equal(plain.logits, changed.logits)
    assert detector.score(changed).min() > detector.arrays["reference"].max()


def test_distances_are_to_the_nearest_of_the_bank_whatever_the_length():
    banks = {"block1": np.array([[1, 0], [0, 1]], np.float32), "block2": np.array([[-1, 0]], np.float32)}
    found = nearest(outputs((5, 0), (1, 1), (0, 0)), banks)
    expected = [[0, 2], [1 - math.sqrt(0.5), 1 + math.sqrt(0.5)], [1, 1]]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_one_picture_and_many_have_the_same_distances():
    generator = np.random.default_rng(1)
    banks = {"block2": generator.random((50, 8), dtype=np.float32)}
    values = generator.random((9, 8), dtype=np.float32)
    some = Outputs(np.zeros((9, 2), np.float32), values, {"block2": values})
    one = Outputs(some.logits[:1], values[:1], {"block2": values[:1]})
    np.testing.assert_allclose(nearest(one, banks), nearest(some, banks)[:1], atol=1e-6)


def test_the_surprise_has_no_end():
    found = surprise(np.array([-1000, 0, 1.959964, 1000], np.float32))
    assert found == pytest.approx([0, math.log(2), -math.log(0.025), 500_007.8], rel=1e-5)
    assert found.dtype == np.float32


@pytest.mark.parametrize(("score", "share"), [(0.5, 0), (2.5, 0.5), (4, 0.75), (9, 1)])
def test_the_share_of_digits_below(score: float, share: float):
    assert by_hand().share_below(score) == share


def test_a_file_gives_the_same_scores():
    some = outputs((2, 0), (0, 3), (-1, 2))
    again = read_detector(by_hand().to_bytes(), "there")
    np.testing.assert_allclose(again.score(some), by_hand().score(some), rtol=1e-6)


def test_banks_come_back_in_the_order_that_their_distances_were_measured_in():
    banks = {f"block{n}": np.eye(2, dtype=np.float32) for n in (2, 3, 4)}
    content = Detector(banks, by_hand().arrays).to_bytes()
    assert all(list(read_detector(content, "there").banks) == list(banks) for _ in range(20))


def test_a_file_of_something_else_is_refused():
    with pytest.raises(CheckpointError, match=r"^there holds no tensors .* Restore the checkpoint\.$"):
        read_detector(b"nothing", "there")
    whole = by_hand()
    with pytest.raises(CheckpointError, match=r"^there lacks bank\.\. Restore"):
        read_detector(Detector({}, whole.arrays).to_bytes(), "there")


@pytest.fixture(scope="module")
def shipped() -> Predictor:
    return Predictor.load(ROOT / "checkpoints" / "cnn")


def test_too_few_digits_are_refused(cnn: Predictor):
    few = LabelledDigits("few", np.zeros((30, 28, 28), np.uint8), np.zeros(30, np.int64), "a test")
    with pytest.raises(DatasetError, match=r"few has 30 digits of the model's classes: too few"):
        unusual_material.gather(cnn, few)


def test_a_detector_fitted_to_few_digits_tells_noise_from_digits(shipped: Predictor):
    """A small one of optdigits: half of them to fit on, half to try."""
    cnn = shipped
    digits = load_dataset("optdigits")
    half = [digits.take(np.arange(start, len(digits), 2)) for start in (0, 1)]
    found = unusual_fit.fit_detector(cnn, half[0], half[1])
    noise = np.random.default_rng(0).integers(0, 256, (50, 28, 28)).astype(np.uint8)
    digits_scores, noise_scores = (found.score(cnn.run(x)) for x in (half[1].images, noise))
    assert np.median(digits_scores) < noise_scores.min()
    reference = found.arrays["reference"]
    assert (np.diff(reference) >= 0).all()
    assert len(reference) == len(half[1]) + -(-len(half[1]) // unusual_fit.DRAWN_AGAIN)
    nearest_of_all = np.abs(reference[None] - digits_scores[:, None]).min(axis=1)
    assert nearest_of_all.max() < 1e-3, "every digit's score is among them"
    assert inputs(cnn.run(noise)).shape[1] == found.arrays["hidden.weight"].shape[1]


def test_every_candidate_is_compared_on_kinds_that_its_network_never_met(shipped: Predictor):
    digits = load_dataset("optdigits")
    training, held_out = digits.take(np.arange(0, 900, 2)), digits.take(np.arange(1, 300, 2))
    steps = []
    found = choose_detector(shipped, training, held_out, progress=lambda *step: steps.append(step))
    assert {each.form for each in found} == set(CANDIDATES)
    assert [each.mean for each in found] == sorted((each.mean for each in found), reverse=True)
    assert all(list(each.auroc) == list(KINDS) for each in found)
    assert steps[-1] == ("kinds judged", len(KINDS), len(KINDS))
    by_combination = {each.form.combination: each for each in reversed(found)}
    assert by_combination["softplus"].mean > by_combination["distance"].mean
    # Clouds lie outside what the small network knows: the distance tells them.
    assert by_combination["distance"].auroc["clouds"] > 0.99


def test_the_shipped_form_is_the_best_recorded():
    record = json.loads((ROOT / "docs" / "results" / "unusual-choice.json").read_text(encoding="utf-8"))
    best = max(record["forms"], key=lambda form: form["auroc"])
    assert Form(best["combination"], best["weight"], tuple(best["blocks"])) == CHOSEN
    assert len(record["forms"]) == len(CANDIDATES)
    assert list(record["kinds"]) == list(KINDS)
    assert record["checkpoint"]["sha256"] == Predictor.load(ROOT / "checkpoints" / "cnn").key


def test_shipped_verdicts_on_real_digits_and_on_what_is_none(shipped: Predictor, mnist_test: LabelledDigits):
    cnn = shipped
    found = cnn.predict(mnist_test.images[:2000])
    kinds = [each.verdict.kind for each in found]
    assert kinds.count("not-a-digit") <= 0.03 * len(kinds)
    assert kinds.count("digit") >= 0.95 * len(kinds)
    noise = np.random.default_rng(1).integers(0, 256, (100, 28, 28)).astype(np.uint8)
    assert {each.verdict.kind for each in cnn.predict(noise)} == {"not-a-digit"}
    turned = cnn.unusualness(cnn.run(255 - mnist_test.images[:500]))
    usual = cnn.unusualness(cnn.run(mnist_test.images[:500]))
    assert np.median(usual) < np.quantile(turned, 0.01)


def test_pen_drawn_digits_are_accepted(shipped: Predictor):
    file = data_folder() / "pendigits" / "pendigits-orig.tra.gz"
    if not file.is_file():
        pytest.skip(f"{file} is absent")
    generator, sizes = np.random.default_rng(3), list(SIZES.values())
    pens = read_unipen(file)[::12]
    drawn = [draw(pen, size=sizes[row % 3], generator=generator) for row, pen in enumerate(pens)]
    kinds = [found.verdict.kind for found in shipped.predict([prepare(picture) for picture in drawn])]
    assert kinds.count("not-a-digit") <= 0.05 * len(kinds)
    assert kinds.count("digit") >= 0.9 * len(kinds)


def test_what_is_no_digit_is_told_from_digits(shipped: Predictor, mnist_test: LabelledDigits):
    usual = shipped.unusualness(shipped.run(mnist_test.images[:2000]))
    for key, least in {"stripes": 0.999, "gaussian-noise": 0.999, "inverted": 0.999, "letters": 0.98}.items():
        images = made(key, mnist_test, 150)
        assert detection(usual, shipped.unusualness(shipped.run(images))).auroc >= least, key


def test_the_distribution_of_real_digits_has_all_of_them():
    found = by_hand().spread(np.array([0.0, 1.5, 2.5, 3.5]))
    assert found == pytest.approx([0.25, 0.25, 0.5]), "the last bin takes what lies beyond"


@pytest.mark.parametrize("name", ["cnn", "linear"])
def test_the_shipped_detectors_are_small(name: str):
    assert 0 < (ROOT / "checkpoints" / name / DETECTOR).stat().st_size <= 5_000_000
