"""Predictions: the same as PyTorch's, for every form of input, from every thread."""

import json
import subprocess
import sys
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from core.checkpoint import load_model
from core.datasets import LabelledDigits
from core.errors import CheckpointError, NothingDrawn, PictureError
from core.learner import normalise
from core.models import class_logits
from core.outputs import softmax
from core.paths import ROOT
from core.predictor import CHUNK, Predictor
from core.preprocess import prepare


def torch_outputs(folder: Path, images: np.ndarray) -> dict[str, np.ndarray]:
    model, _ = load_model(folder)
    with torch.no_grad():
        outputs = model.outputs(normalise(torch.tensor(images).unsqueeze(1).float() / 255))
    return {name: value.numpy() for name, value in outputs.items()}


@pytest.mark.parametrize("kind", ["cnn", "offset_cnn", "linear"])
def test_agrees_with_pytorch_on_a_thousand_random_pictures(request, kind: str, random_pictures: np.ndarray):
    predictor = request.getfixturevalue(kind)
    expected = torch_outputs(predictor.folder, random_pictures)
    found = predictor.run(random_pictures)
    logits = class_logits(torch.from_numpy(expected.pop("logits"))).numpy()
    assert np.abs(found.logits - logits).max() < 1e-4
    assert np.abs(found.embedding - expected.pop("embedding")).max() < 1e-4
    assert list(found.block_means) == list(expected)
    for name, value in expected.items():
        assert np.abs(found.block_means[name] - value).max() < 1e-4


def test_agrees_with_pytorch_on_a_thousand_test_digits(
    cnn: Predictor, cnn_folder: Path, mnist_test: LabelledDigits
):
    images = mnist_test.images[:1000]
    difference = cnn.run(images).logits - torch_outputs(cnn_folder, images)["logits"]
    assert np.abs(difference).max() < 1e-4


def test_probabilities_are_the_softmax_of_the_logits_and_sum_to_one(cnn, random_pictures):
    for prediction in cnn.predict(random_pictures[:50]):
        powers = np.exp(prediction.logits.astype(np.float64))
        assert np.abs(prediction.probabilities - powers / powers.sum()).max() < 1e-6
        assert float(prediction.probabilities.sum()) == pytest.approx(1, abs=1e-6)
        assert prediction.probabilities.dtype == np.float32
        assert prediction.digit == prediction.classes[int(prediction.probabilities.argmax())]
        assert prediction.confidence == pytest.approx(float(prediction.probabilities.max()))
        assert prediction.of(4) == pytest.approx(float(prediction.probabilities[4]))


def test_softmax_does_not_overflow():
    logits = np.array([[1000.0, 1000.0], [-1000.0, 1000.0]], dtype=np.float32)
    assert softmax(logits).tolist() == [[0.5, 0.5], [0.0, 1.0]]


@pytest.mark.parametrize("n", [0, 1, 15, 16, CHUNK, CHUNK + 1])
def test_a_batch_of_any_size_gives_what_single_pictures_give(cnn, random_pictures, n: int):
    images = random_pictures[:n]
    outputs = cnn.run(images)
    assert outputs.logits.shape == (n, 10)
    assert outputs.embedding.shape == (n, 256)
    assert [value.shape for value in outputs.block_means.values()] == [(n, k) for k in (32, 64, 128, 256)]
    assert len(cnn.predict(images)) == n
    for position in {0, n // 2, n - 1} if n else ():
        alone = cnn.run(images[position : position + 1])
        assert np.abs(outputs.logits[position] - alone.logits[0]).max() < 1e-4


def test_memory_grows_by_the_outputs_alone(cnn: Predictor, random_pictures: np.ndarray):
    images = np.tile(random_pictures[:500], (8, 1, 1))
    cnn.run(images[:32])
    tracemalloc.start()
    outputs = cnn.run(images)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    kept = (
        outputs.logits.nbytes + outputs.embedding.nbytes + sum(v.nbytes for v in outputs.block_means.values())
    )
    everything_as_floats = images.size * 4
    # Twice, as the chunks' outputs are joined at the end.
    assert peak < 2 * kept + 3 * CHUNK * 28 * 28 * 4 < 2 * kept + everything_as_floats


def test_every_form_of_one_picture_gives_the_same(cnn: Predictor, seven: np.ndarray, tmp_path: Path):
    path = tmp_path / "seven.png"
    Image.fromarray(seven).save(path)
    digit = prepare(seven)
    forms = [seven, Image.fromarray(seven), path, str(path), path.read_bytes(), digit, digit.pixels]
    expected = cnn.run(digit.pixels[None]).logits[0]
    for form in forms:
        assert np.array_equal(cnn.predict(form).logits, expected)
    for row in cnn.predict(forms):
        assert np.abs(row.logits - expected).max() < 1e-5
    assert np.array_equal(cnn.predict((seven,))[0].logits, expected)


def test_an_array_of_mnists_form_is_taken_as_it_is(cnn: Predictor):
    image = np.zeros((28, 28), dtype=np.uint8)
    image[2:12, 3:6] = 255
    assert np.array_equal(cnn.predict(image).logits, cnn.run(image[None]).logits[0])
    assert not np.array_equal(prepare(image).pixels, image)


@pytest.mark.parametrize("level", [0, 255])
def test_a_blank_picture_is_nothing_drawn(cnn: Predictor, level: int):
    blank = np.full((28, 28), level, dtype=np.uint8)
    with pytest.raises(NothingDrawn, match="picture 0: Nothing drawn"):
        cnn.predict(blank)
    with pytest.raises(NothingDrawn, match="Nothing drawn"):
        cnn.predict(Image.new("L", (280, 280), level))


def test_an_unusable_picture_among_many_is_named_by_its_place(cnn, random_pictures):
    with pytest.raises(NothingDrawn, match=r"^picture 2: Nothing drawn"):
        cnn.predict([random_pictures[0], random_pictures[1], np.zeros((28, 28), np.uint8)])
    with pytest.raises(PictureError, match=r"^picture 1: .*NaN"):
        cnn.predict([random_pictures[0], np.full((9, 9), np.nan)])


def test_the_linear_models_probability_is_the_sigmoid_of_its_sum(linear, linear_folder, random_pictures):
    model, card = load_model(linear_folder)
    weights = model.linear.weight.detach().numpy()[0].astype(np.float64)
    bias = float(model.linear.bias.detach())
    mean, std = card.normalisation["mean"], card.normalisation["std"]
    for image, prediction in zip(random_pictures[:200], linear.predict(random_pictures[:200]), strict=True):
        z = ((image.reshape(784) / 255 - mean) / std) @ weights + bias
        three = 1 / (1 + np.exp(-z))
        assert prediction.classes == (3, 7)
        assert prediction.of(3) == pytest.approx(three, abs=1e-5)
        assert prediction.of(7) == pytest.approx(1 - three, abs=1e-5)
        assert prediction.of(5) == 0
        assert prediction.digit == (3 if three > 0.5 else 7)


def test_the_probability_decides_not_the_logit_compared_with_a_half(linear, linear_folder, random_pictures):
    # Brightness moves the sum along a line: somewhere it lies between 0 and 0.5, where the two rules differ.
    logits = linear.run(random_pictures).logits[:, 0]
    between = np.flatnonzero((logits > 0.05) & (logits < 0.45))
    assert len(between) > 0
    assert {prediction.digit for prediction in linear.predict(random_pictures[between])} == {3}
    assert all(prediction.confidence < 0.62 for prediction in linear.predict(random_pictures[between]))


def test_eight_threads_give_what_one_gives(cnn_folder: Path, random_pictures: np.ndarray):
    fresh = Predictor.load(cnn_folder)
    batches = [random_pictures[start : start + 1 + start % 40] for start in range(0, 400, 10)]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(fresh.run, batches))
    for batch, outputs in zip(batches, together, strict=True):
        assert np.array_equal(outputs.logits, fresh.run(batch).logits)


def test_a_predictor_knows_its_key_and_classes(cnn: Predictor, linear: Predictor):
    assert cnn.classes == tuple(range(10))
    assert linear.classes == (3, 7)
    assert cnn.key == cnn.card.hashes["model.safetensors"] != linear.key


def test_loading_what_is_not_there_says_what_to_do():
    with pytest.raises(CheckpointError, match=r"No checkpoint 'nothing-of-the-kind'.*python train\.py cnn"):
        Predictor.load("nothing-of-the-kind")


def test_predicting_imports_no_torch(cnn_folder: Path, seven: np.ndarray, tmp_path: Path):
    Image.fromarray(seven).save(tmp_path / "seven.png")
    code = (
        "import json, sys\nfrom core.predictor import Predictor\n"
        f"digit = Predictor.load({str(cnn_folder)!r}).predict({str(tmp_path / 'seven.png')!r}).digit\n"
        "heavy = {'torch', 'captum', 'torchvision', 'sklearn', 'matplotlib', 'streamlit'}\n"
        "print(json.dumps([digit, sorted(heavy & set(sys.modules))]))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    digit, heavy = json.loads(result.stdout)
    assert heavy == []
    assert digit == Predictor.load(cnn_folder).predict(seven).digit
