"""Every detector against its formula, written out in NumPy in double precision, on the same features."""

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from core.checkpoint import load_model
from core.datasets import LabelledDigits
from core.detector_kinds import KINDS, NEIGHBOURS, possible
from core.detectors import Detectors
from core.errors import DatasetError
from core.models import class_logits
from core.paths import ROOT, WEIGHTS
from core.predictor import Predictor


@pytest.fixture(scope="module")
def training(optdigits: LabelledDigits) -> LabelledDigits:
    return optdigits.take(np.arange(0, 1600))


@pytest.fixture(scope="module")
def images(optdigits: LabelledDigits) -> np.ndarray:
    noise = np.random.default_rng(0).integers(0, 256, (40, 28, 28), dtype=np.uint8)
    return np.concatenate([optdigits.images[1600:1700], noise])


@pytest.fixture(scope="module")
def shipped() -> Predictor:
    return Predictor.load(ROOT / "checkpoints" / "cnn")


@pytest.fixture(scope="module")
def scores(shipped: Predictor, training: LabelledDigits, images: np.ndarray) -> dict[str, np.ndarray]:
    return Detectors.fit(shipped, training).score(images)


def likelihoods(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def test_what_needs_the_logits_alone(shipped: Predictor, images: np.ndarray, scores: dict[str, np.ndarray]):
    logits = shipped.run(images).logits.astype(np.float64)
    shares = likelihoods(logits / shipped.card.temperature)
    np.testing.assert_allclose(scores["softmax"], -shares.max(axis=1), atol=1e-9)
    np.testing.assert_allclose(scores["logit"], -logits.max(axis=1), atol=1e-9)
    np.testing.assert_allclose(scores["energy"], -np.log(np.exp(logits).sum(axis=1)), atol=1e-9)
    np.testing.assert_allclose(scores["entropy"], -(shares * np.log(shares)).sum(axis=1), atol=1e-5)


def test_the_nearest_training_digits(shipped, training, images, scores):
    features, bank = (shipped.run(each).embedding.astype(np.float64) for each in (images, training.images))
    features, bank = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in (features, bank))
    distances = np.linalg.norm(features[:, None] - bank[None], axis=2)
    np.testing.assert_allclose(scores["knn"], np.sort(distances, axis=1)[:, NEIGHBOURS - 1], atol=1e-4)


def test_the_distance_to_the_class_means(shipped, training, images, scores):
    features, known = (shipped.run(each).embedding.astype(np.float64) for each in (images, training.images))
    alive = known.std(axis=0) > 0
    features, known = features[:, alive], known[:, alive]
    means = np.stack([known[training.labels == digit].mean(axis=0) for digit in range(10)])
    around = known - means[training.labels]
    inverse = np.linalg.inv(around.T @ around + 1e-6 * np.eye(len(around.T)))
    offsets = features[:, None] - means
    expected = (np.einsum("nkd,de,nke->nk", offsets, inverse, offsets) / 2).min(axis=1)
    np.testing.assert_allclose(scores["mahalanobis"], expected, rtol=0.02)


def test_what_the_main_directions_leave_over(shipped, training, images, scores):
    weights = {name: value.astype(np.float64) for name, value in load_file(shipped.folder / WEIGHTS).items()}
    first, last = ({part: weights[f"fc_layers.{n}.{part}"] for part in ("weight", "bias")} for n in (1, 4))
    hidden, known = (
        np.maximum(shipped.run(each).embedding @ first["weight"].T + first["bias"], 0)
        for each in (images, training.images)
    )
    origin = -np.linalg.pinv(last["weight"]) @ last["bias"]
    _, directions = np.linalg.eigh((known - origin).T @ (known - origin))
    rest = directions[:, : hidden.shape[1] // 2]
    logits, known_logits = (each @ last["weight"].T + last["bias"] for each in (hidden, known))
    left_over, known_left = (np.linalg.norm((each - origin) @ rest, axis=1) for each in (hidden, known))
    alpha = known_logits.max(axis=1).mean() / known_left.mean()
    expected = alpha * left_over - np.log(np.exp(logits).sum(axis=1))
    np.testing.assert_allclose(scores["vim"], expected, atol=0.01)


def test_odin_is_the_softmax_after_a_step_against_the_loss(shipped, images, scores):
    model, card = load_model(shipped.folder)
    inputs = torch.from_numpy(shipped.normalised(images)).requires_grad_(True)
    logits = class_logits(model(inputs)) / 1000
    torch.nn.functional.cross_entropy(logits, logits.argmax(dim=1), reduction="sum").backward()
    stepped = inputs.detach() - 0.0014 / card.normalisation["std"] * inputs.grad.sign()
    with torch.inference_mode():
        expected = -(class_logits(model(stepped)) / 1000).softmax(dim=1).amax(dim=1)
    np.testing.assert_allclose(scores["odin"], expected.numpy(), atol=1e-5)


def test_the_shipped_opinions_are_among_them(shipped, images, scores):
    outputs = shipped.run(images)
    assert list(scores) == list(KINDS)
    np.testing.assert_allclose(scores["both"], shipped.unusualness(outputs), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(scores["distance"], shipped.detector.distance(outputs), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(scores["learned"], shipped.detector.learned(outputs), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["both", "distance", "mahalanobis", "knn", "vim"])
def test_what_looks_at_the_picture_is_higher_for_noise_than_for_digits(scores, name: str):
    """The others hang on how sure the network is, and it may be surer of noise than of these digits."""
    assert np.median(scores[name][100:]) > np.median(scores[name][:100])


@pytest.mark.parametrize("name", ["softmax", "logit", "energy", "entropy"])
def test_what_looks_at_the_answer_is_higher_the_less_sure_it_is(scores, shipped, images, name: str):
    logits = np.sort(shipped.run(images).logits, axis=1)
    sure = logits[:, -1] - logits[:, -2]
    assert np.median(scores[name][sure < np.median(sure)]) > np.median(scores[name][sure >= np.median(sure)])


def test_without_training_digits_the_others_are_there(shipped: Predictor, images: np.ndarray):
    found = Detectors.fit(shipped, None)
    assert found.names == possible(shipped, fitted=False)
    assert set(KINDS) - set(found.names) == {"mahalanobis", "knn", "vim"}
    assert list(found.score(images[:3])) == list(found.names)
    assert all(len(scores) == 0 for scores in found.score(images[:0]).values())


def test_a_model_of_two_classes_has_them_all(linear: Predictor, optdigits, training):
    found = Detectors.fit(linear, training)  # fitted to random weights, which have no detector of their own
    scores = found.score(optdigits.only((3, 7)).images[:20])
    assert list(scores) == [name for name, kind in KINDS.items() if not kind.shipped]
    assert all(np.isfinite(each).all() for each in scores.values())


def test_gradients_leave_the_number_of_threads_alone(shipped: Predictor, images: np.ndarray):
    before = torch.get_num_threads()
    Detectors.fit(shipped, None).score(images[:70])
    assert torch.get_num_threads() == before


def test_too_few_digits_are_refused(shipped: Predictor, training: LabelledDigits):
    with pytest.raises(DatasetError, match=r"^optdigits has 30 digits .*; 200 are the least to fit to\."):
        Detectors.fit(shipped, training.take(np.arange(30)))
