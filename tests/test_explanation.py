"""Explanations against formulas worked out with autograd, in many threads, leaving nothing behind."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from captum.attr import LayerGradCam

from core import attribution, explanation
from core.checkpoint import load_model
from core.errors import CheckpointReplaced, ExplanationError, NothingDrawn
from core.explanation import Explanation, default_method, explain, warm_up
from core.models import ARCHITECTURES
from core.predictor import Predictor
from core.preprocess import prepare


@pytest.fixture(autouse=True)
def _two_threads():
    """So that a test sees whether torch's number of threads is put back."""
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(1)


@pytest.fixture
def twin(cnn: Predictor) -> torch.nn.Module:
    return explanation._twin(cnn.folder, cnn.key)._model


def gradcam_by_hand(predictor: Predictor, pixels: np.ndarray, block: int, target: int) -> np.ndarray:
    model, _ = load_model(predictor.folder)
    end = 5 * (block - 1) + 3  # after the block's ReLU
    inputs = torch.from_numpy(predictor.normalised(pixels[None]))
    activations = model.conv_layers[:end](model.windowed(inputs)).detach().requires_grad_(True)
    logits = model.fc_layers(model.conv_layers[end:](activations))
    (gradients,) = torch.autograd.grad(logits[0, target], activations)
    weights = gradients.mean(dim=(2, 3), keepdim=True)
    small = (weights * activations).sum(dim=1, keepdim=True).relu()
    window, whole = model.window, np.zeros((28, 28), dtype=np.float32)
    side = window.stop - window.start
    large = F.interpolate(small, (side, side), mode="bilinear", align_corners=False)[0, 0]
    whole[window, window] = large.detach().numpy()
    return whole


@pytest.mark.parametrize("block", [1, 2, 3, 4])
@pytest.mark.parametrize("which", ["cnn", "offset_cnn"])
def test_gradcam_is_selvarajus_formula(
    which: str, random_pictures: np.ndarray, block: int, request: pytest.FixtureRequest
):
    cnn = request.getfixturevalue(which)
    for target, pixels in enumerate(random_pictures[:10]):
        found = explain(cnn, pixels, target=target, layer=f"block{block}")
        expected = gradcam_by_hand(cnn, pixels, block, target)
        assert np.abs(found.map - expected).max() < 1e-5 * max(1, expected.max())
        assert (found.target, found.layer, found.method, found.signed) == (
            target, f"block{block}", "gradcam", False,
        )  # fmt: skip


def test_gradcam_is_what_captum_gives_alone(cnn: Predictor, random_pictures: np.ndarray):
    model, _ = load_model(cnn.folder)
    inputs = torch.from_numpy(cnn.normalised(random_pictures[:1]))
    small = LayerGradCam(model, model.conv_layers[12]).attribute(inputs, target=6, relu_attributions=True)
    expected = F.interpolate(small, (28, 28), mode="bilinear")[0, 0].detach().numpy()
    assert np.abs(explain(cnn, random_pictures[0], target=6).map - expected).max() < 1e-5


def test_the_third_block_and_the_predicted_digit_are_the_defaults(cnn: Predictor, seven: np.ndarray):
    found = explain(cnn, seven)
    assert (found.layer, found.target) == ("block3", cnn.predict(seven).digit)
    expected = explain(cnn, prepare(seven), method="gradcam", layer="block3", target=found.target)
    assert np.array_equal(found.map, expected.map)
    assert found.map.dtype == np.float32
    assert found.map.min() >= 0


def test_targets_differ(cnn: Predictor, seven: np.ndarray):
    maps = [explain(cnn, seven, target=digit, layer="block1").map for digit in range(10)]
    assert len({one.tobytes() for one in maps}) > 5


@pytest.mark.parametrize(("target", "sign"), [(3, 1), (7, -1)])
def test_a_linear_models_parts_are_weight_times_pixel(linear, random_pictures, target: int, sign: int):
    model, _ = load_model(linear.folder)
    for pixels in random_pictures[:5]:
        found = explain(linear, pixels, method="input-x-gradient", target=target)
        inputs = linear.normalised(pixels[None])[0, 0]
        expected = sign * inputs * model.linear.weight.detach().numpy().reshape(28, 28)
        assert np.array_equal(found.map, expected)
        assert (found.layer, found.signed, found.note) == ("input", True, None)
        log_odds = sign * float(linear.run(pixels[None]).logits[0, 0])
        assert found.map.sum() + sign * model.linear.bias.item() == pytest.approx(log_odds, abs=1e-4)


def test_input_times_gradient_of_the_cnn_is_autograds(cnn: Predictor, random_pictures: np.ndarray):
    model, _ = load_model(cnn.folder)
    inputs = torch.from_numpy(cnn.normalised(random_pictures[:1])).requires_grad_(True)
    (gradient,) = torch.autograd.grad(model(inputs)[0, 2], inputs)
    found = explain(cnn, random_pictures[0], method="input-x-gradient", target=2)
    assert np.abs(found.map - (inputs * gradient)[0, 0].detach().numpy()).max() < 1e-6


def test_no_positive_evidence_is_said_and_not_divided_by():
    empty = Explanation(np.zeros((28, 28), np.float32), 9, "gradcam", "block3", signed=False)
    assert empty.strength == 0
    assert empty.note == "No positive evidence for 9: nothing in block3 speaks for it."
    against = Explanation(np.full((28, 28), -2, np.float32), 9, "input-x-gradient", "input", signed=True)
    assert (against.strength, against.note) == (2, None)


def test_a_class_without_positive_evidence_gives_an_empty_map(cnn: Predictor, random_pictures: np.ndarray):
    # block 4 is 3×3, so that among random weights some class has none anywhere.
    notes = [
        explain(cnn, pixels, target=target, layer="block4")
        for pixels in random_pictures[:20]
        for target in range(10)
    ]
    assert any(found.note for found in notes)
    assert any(not found.note for found in notes)
    for found in notes:
        assert (found.note is not None) == (found.map.max() == 0)
    assert all(np.isfinite(found.map).all() for found in notes)


def test_each_model_has_its_default_method(cnn: Predictor, linear: Predictor):
    assert (default_method(cnn), default_method(linear)) == ("gradcam", "input-x-gradient")
    warm_up(cnn)
    warm_up(linear)


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("cnn", {"method": "lime"}, "Unknown method 'lime'; choose one of gradcam, input-x-gradient"),
        ("cnn", {"layer": "block5"}, "No layer 'block5'; choose one of block1, block2, block3, block4"),
        ("cnn", {"target": 10}, "does not know the digit 10; choose among 0, 1, 2"),
        (
            "linear",
            {},
            "Grad-CAM needs a convolutional layer and ThreeSevenLinear has none; use method='input",
        ),
        ("linear", {"method": "input-x-gradient", "target": 4}, "digit 4; choose among 3, 7"),
        (
            "linear",
            {"method": "input-x-gradient", "layer": "block1"},
            "not a layer; leave out layer='block1'",
        ),
    ],
)
def test_what_a_model_does_not_have_is_refused_with_what_it_has(request, seven, kind, options, message):
    with pytest.raises(ExplanationError, match=message):
        explain(request.getfixturevalue(kind), seven, **options)


@pytest.mark.parametrize("target", [np.int64(3), np.uint8(3), 3])
def test_a_target_is_any_whole_number(cnn: Predictor, seven: np.ndarray, target: object):
    found = explain(cnn, seven, target=target)
    assert (found.target, type(found.target)) == (3, int)


@pytest.mark.parametrize("target", [True, False, -1])
def test_a_truth_value_is_no_target(cnn: Predictor, seven: np.ndarray, target: object):
    with pytest.raises(ExplanationError, match=rf"does not know the digit {target}; choose among 0, 1"):
        explain(cnn, seven, target=target)


@pytest.mark.parametrize("kind", ARCHITECTURES.values())
def test_an_architectures_layer_names_are_those_of_its_layers(kind: type):
    assert tuple(kind().layers()) == kind.layer_names


def test_a_blank_picture_cannot_be_explained(cnn: Predictor):
    with pytest.raises(NothingDrawn):
        explain(cnn, np.zeros((28, 28), dtype=np.uint8))


def test_a_checkpoint_replaced_in_use_is_noticed(cnn: Predictor):
    with pytest.raises(
        CheckpointReplaced, match=r"was replaced while it was in use\. Load the predictor again"
    ):
        explanation._twin(cnn.folder, "0" * 64)


def test_eight_threads_explaining_and_predicting_give_what_one_gives(cnn, linear, random_pictures):
    pictures = random_pictures[:25]
    serial = [
        (
            explain(cnn, pixels, target=number % 10, layer=f"block{1 + number % 4}").map,
            explain(linear, pixels, method="input-x-gradient").map,
            cnn.predict(pixels).logits,
        )
        for number, pixels in enumerate(pictures)
    ]
    explanation._loaded.cache_clear()  # so that the threads meet while it loads, too
    start = threading.Barrier(8)

    def work(thread: int) -> int:
        start.wait()
        for turn in range(200):
            number = (turn * 7 + thread * 3) % len(pictures)
            gradcam, parts, logits = serial[number]
            pixels = pictures[number]
            found = explain(cnn, pixels, target=number % 10, layer=f"block{1 + number % 4}")
            assert np.array_equal(found.map, gradcam)
            assert np.array_equal(cnn.predict(pixels).logits, logits)
            if turn % 10 == 0:
                assert np.array_equal(explain(linear, pixels, method="input-x-gradient").map, parts)
        return torch.get_num_threads()

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(8))) == [2] * 8
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(torch.get_num_threads).result() == 2


def traces(model: torch.nn.Module) -> dict[str, object]:
    """Everything that captum could leave behind."""
    return {
        "hooks": sum(
            len(hooks)
            for module in model.modules()
            for name, hooks in vars(module).items()
            if name.endswith("hooks") and hooks is not None
        ),
        "training": [module.training for module in model.modules()],
        "requires_grad": [parameter.requires_grad for parameter in model.parameters()],
        "grad": [parameter.grad for parameter in model.parameters()],
        "weights": [value.numpy().tobytes() for value in model.state_dict().values()],
        "threads": torch.get_num_threads(),
        "grad mode": torch.is_grad_enabled(),
    }


def test_explaining_leaves_nothing_behind(cnn: Predictor, twin: torch.nn.Module, seven: np.ndarray):
    before = traces(twin)
    assert (before["hooks"], before["threads"]) == (0, 2)
    for method in explanation.METHODS:
        explain(cnn, seven, method=method)
    assert traces(twin) == before


@pytest.mark.parametrize("place", ["upsampling", "backward", "forward"])
def test_a_failure_leaves_nothing_behind_either(cnn, twin, seven, monkeypatch, place: str):
    before = traces(twin)

    def fail(*_args: object, **_options: object) -> None:
        raise RuntimeError(f"a failure in {place}")

    with monkeypatch.context() as patch:
        if place == "upsampling":
            patch.setattr(attribution.LayerAttribution, "interpolate", fail)
        elif place == "backward":
            patch.setattr(torch.autograd, "grad", fail)
        else:
            patch.setattr(type(twin.fc_layers), "forward", fail)
        with pytest.raises(RuntimeError, match=f"a failure in {place}"):
            explain(cnn, seven)
    assert traces(twin) == before
    expected = gradcam_by_hand(cnn, prepare(seven).pixels, 3, cnn.predict(seven).digit)
    assert np.abs(explain(cnn, seven).map - expected).max() < 1e-5


def test_the_callers_gradient_mode_does_not_matter(cnn: Predictor, seven: np.ndarray, cnn_folder: Path):
    expected = explain(cnn, seven).map
    with torch.no_grad():
        assert np.array_equal(explain(cnn, seven).map, expected)
        assert not torch.is_grad_enabled()
