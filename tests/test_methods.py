"""Every attribution method against closed forms and captum run alone; many at once; one that fails."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import captum.attr
import numpy as np
import pytest
import torch
from torch import nn

from core import attribution, explanation, methods, models
from core.attribution import Task, maps_of
from core.canonical import Canonical
from core.checkpoint import load_model
from core.errors import ExplanationError
from core.explanation import METHODS, explain, methods_for
from core.methods import DEFAULTS, Options
from core.models import ThreeSevenLinear
from core.predictor import Predictor
from tests.conftest import random_cnn

CONTRIBUTIONS = ("integrated-gradients", "deeplift", "lrp")  # the pixel's own part, of any network


def digit_like(seed: int) -> np.ndarray:
    """Ink in the middle, paper around it."""
    generator = np.random.default_rng(seed)
    pixels = np.zeros((28, 28), np.uint8)
    pixels[6:22, 9:19] = generator.integers(0, 256, (16, 10)) * (generator.random((16, 10)) < 0.6)
    return pixels


@pytest.mark.parametrize("method", CONTRIBUTIONS)
@pytest.mark.parametrize(("target", "sign"), [(3, 1), (7, -1)])
def test_of_a_linear_model_a_pixels_part_is_weight_times_pixel(linear, method: str, target: int, sign: int):
    model, card = load_model(linear.folder)
    weights = model.linear.weight.detach().numpy().reshape(28, 28) / card.normalisation["std"]
    pixels = digit_like(1)
    found = explain(linear, pixels, method=method, target=target)
    assert found.map == pytest.approx(sign * weights * pixels / 255, abs=1e-5)


def test_shap_of_a_linear_model_is_the_sum_over_each_patch(linear: Predictor):
    exact = explain(linear, digit_like(1), method="integrated-gradients", target=3).map
    found = explain(linear, digit_like(1), method="shap", target=3)
    patches = exact.reshape(7, 4, 7, 4).sum(axis=(1, 3))
    assert found.map.reshape(7, 4, 7, 4).sum(axis=(1, 3)) == pytest.approx(patches, abs=2e-3)
    assert np.ptp(found.map.reshape(7, 4, 7, 4), axis=(1, 3)).max() == 0


def test_occlusion_of_a_linear_model_is_the_mean_over_the_windows(linear: Predictor):
    exact = explain(linear, digit_like(1), method="integrated-gradients", target=3).map
    found = explain(linear, digit_like(1), method="occlusion", target=3, options=Options(window=2, stride=2))
    windows = exact.reshape(14, 2, 14, 2).sum(axis=(1, 3))
    assert found.map == pytest.approx(np.kron(windows, np.ones((2, 2))), abs=1e-5)


class TwoLayers(ThreeSevenLinear):
    """2·relu(x₀ + x₁ − 1) − relu(x₂ − x₀): by hand, of three pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.relu, self.last = nn.Linear(784, 2), nn.ReLU(), nn.Linear(2, 1, bias=False)
        for parameter in self.parameters():
            nn.init.zeros_(parameter)
        self.hidden.weight.data[0, :2], self.hidden.weight.data[1, [0, 2]] = 1, torch.tensor([-1.0, 1.0])
        self.hidden.bias.data[0] = -1
        self.last.weight.data = torch.tensor([[2.0, -1.0]])
        del self.linear

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.last(self.relu(self.hidden(images.flatten(1))))


def by_hand(pixels: tuple[float, float, float], options: Options = DEFAULTS) -> Task:
    images = torch.zeros(1, 1, 28, 28)
    images[0, 0, 0, :3] = torch.tensor(pixels)
    network = TwoLayers().requires_grad_(False)
    direction = torch.tensor([[1.0, -1.0]])

    def logits(x: torch.Tensor) -> torch.Tensor:
        return torch.cat([network(x), torch.zeros(len(x), 1)], dim=1)

    return Task(network, logits, images, direction, 0.0, 1.0, 0.0, "block1", options)


# x = (0.5, 1, 2): y = 2·0.5 − 1.5. On the way t·x the first unit wakes at t = 2/3, the second at once.
CLOSED_FORMS = {
    "input-x-gradient": (0.5 * 3, 2, -2),
    "saliency": (3, 2, 1),
    "integrated-gradients": (0.5 * (2 / 3 + 1), 2 / 3, -2),
    "deeplift": (0.5 * (2 * 0.5 / 1.5 + 1), 2 * 0.5 / 1.5, -2),
}


@pytest.mark.parametrize("method", CLOSED_FORMS)
def test_a_two_layer_network_is_explained_as_by_hand(method: str):
    found = maps_of(method, by_hand((0.5, 1, 2), Options(steps=500)))[0]
    assert found[0, :3] == pytest.approx(CLOSED_FORMS[method], abs=2e-3)
    assert np.abs(found).sum() == pytest.approx(np.abs(CLOSED_FORMS[method]).sum(), abs=5e-3)


def test_guided_backpropagation_passes_positive_signals_only():
    task = by_hand((0.5, 1, 2))
    found = captum.attr.GuidedBackprop(task.private_model).attribute(
        task.images.requires_grad_(True), additional_forward_args=(task.directions,)
    )
    assert found[0, 0, 0, :3].tolist() == [2, 2, 0]  # the second unit speaks against: nothing goes through


@pytest.mark.parametrize("method", ["occlusion", "shap"])
def test_methods_without_gradients_see_what_is_lost(method: str):
    found = maps_of(method, by_hand((0.5, 1, 2), Options(window=4, stride=4)))[0]
    # All three pixels lie in one window and one patch: without them y is 0.
    total = found[0, 0] if method == "occlusion" else found[:4, :4].sum()
    assert total == pytest.approx(1.0 - 1.5, abs=1e-4)
    assert np.abs(found[4:]).max() < 1e-6


def test_what_complete_methods_owe_is_told_and_kept(cnn: Predictor, linear: Predictor):
    pixels = digit_like(2)
    black = np.zeros((1, 28, 28), np.uint8)
    logits = [cnn.run(each).logits[0] for each in (pixels[None], black)]
    for method in METHODS:
        found = explain(cnn, pixels, method=method, target=4, against=9)
        complete = methods.METHODS[method].complete
        assert (found.owed is not None) == complete == (found.gap is not None)
        if complete:
            owed = (logits[0] - logits[1])[4] - (logits[0] - logits[1])[9]
            assert found.owed == pytest.approx(owed, abs=1e-4)
    fine = explain(cnn, pixels, method="integrated-gradients", target=4, options=Options(steps=400))
    coarse = explain(cnn, pixels, method="integrated-gradients", target=4, options=Options(steps=2))
    assert abs(fine.gap or 9) < 0.01 * abs(fine.owed or 0) + 0.02
    assert abs(coarse.gap or 0) > abs(fine.gap or 9)
    shap = explain(cnn, pixels, method="shap", target=4)
    assert shap.gap == pytest.approx(0, abs=2e-3)


def test_lrp_hands_back_all_evidence_where_nothing_goes_to_biases():
    network = random_cnn(3)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.running_mean.zero_()
        if isinstance(layer, (nn.BatchNorm2d, nn.Conv2d, nn.Linear)):
            layer.bias.data.zero_()
    images = torch.from_numpy(digit_like(3)[None, None].astype(np.float32) / 255)
    direction = torch.zeros(1, 10)
    direction[0, 4], direction[0, 9] = 1, -1
    task = Task(network.requires_grad_(False), network, images, direction, 0.0, 1.0, 0.0, "block3", DEFAULTS)
    assert maps_of("lrp", task).sum() == pytest.approx(float(task.evidence(images, direction)), rel=1e-3)


def alone(name: str, model: nn.Module, images: torch.Tensor, target: int, black: float) -> np.ndarray:
    """captum used as its documentation does, on a network of its own."""
    inputs = images.clone().requires_grad_(True)
    match name:
        case "guided-gradcam":
            found = captum.attr.GuidedGradCam(model, model.conv_layers[12]).attribute(
                inputs, target, interpolate_mode="bilinear"
            )
        case "saliency":
            found = captum.attr.Saliency(model).attribute(inputs, target)
        case "integrated-gradients":
            found = captum.attr.IntegratedGradients(model).attribute(inputs, black, target, n_steps=32)
        case "deeplift":
            found = captum.attr.DeepLift(model).attribute(inputs, black, target)
        case "occlusion":
            found = captum.attr.Occlusion(model).attribute(
                inputs, (1, 4, 4), strides=(1, 2, 2), baselines=black, target=target
            )
    return found[0, 0].detach().numpy()


@pytest.mark.parametrize(
    "method", ["guided-gradcam", "saliency", "integrated-gradients", "deeplift", "occlusion"]
)
def test_a_map_is_what_captum_gives_alone(cnn: Predictor, method: str):
    pixels = digit_like(4)
    model, _ = load_model(cnn.folder)
    black = float(cnn.normalised(np.zeros((1, 28, 28), np.uint8))[0, 0, 0, 0])
    images = torch.from_numpy(cnn.normalised(pixels[None]))
    expected = alone(method, model, images, 6, black)
    found = explain(cnn, pixels, method=method, target=6)
    assert np.abs(found.map - expected).max() < 1e-4 * max(1e-3, np.abs(expected).max())


@pytest.mark.parametrize("method", ["input-x-gradient", "integrated-gradients", "occlusion", "shap"])
def test_evidence_against_another_digit_is_the_difference(cnn: Predictor, method: str):
    pixels = digit_like(5)
    four, nine = (explain(cnn, pixels, method=method, target=digit).map for digit in (4, 9))
    found = explain(cnn, pixels, method=method, target=4, against=9)
    assert found.map == pytest.approx(four - nine, abs=2e-3 * float(np.abs(four).max()))
    assert (found.target, found.against, found.question) == (4, 9, "4 against 9")
    back = explain(cnn, pixels, method=method, target=9, against=4)
    assert back.map == pytest.approx(-found.map, abs=1e-3 * found.strength)


def test_another_baseline_is_another_question(cnn: Predictor):
    black, white = (
        explain(cnn, digit_like(6), method="integrated-gradients", options=Options(baseline=name)).map
        for name in ("black", "white")
    )
    assert np.abs(black[:6]).max() == 0  # paper is as in the baseline
    assert np.abs(white[:6]).max() > 0


def test_of_two_classes_a_digit_is_always_held_against_the_other(linear: Predictor):
    pixels = digit_like(7)
    plain = explain(linear, pixels, method="deeplift", target=3)
    against = explain(linear, pixels, method="deeplift", target=3, against=7)
    assert np.array_equal(plain.map, against.map)
    assert "gradcam" not in methods_for(linear)
    assert "guided-gradcam" not in methods_for(linear)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target": 4, "against": 4}, "4 can't be held against itself; choose another digit"),
        ({"against": 11}, "does not know the digit 11"),
        ({"options": Options(steps=1)}, "steps=1: give a whole number from 2 to 500"),
        ({"options": Options(window=3, stride=4)}, "stride=4: give a whole number from 1 to 3"),
        ({"options": Options(baseline="red")}, "Unknown baseline 'red'; choose one of black, grey, white"),
    ],
)
def test_what_makes_no_sense_is_refused(cnn: Predictor, options: dict, message: str):
    with pytest.raises(ExplanationError, match=message):
        explain(cnn, digit_like(8), **options)


def test_eight_threads_with_different_methods_give_what_one_gives(cnn: Predictor, linear: Predictor):
    pictures = [digit_like(seed) for seed in range(3)]
    fast = Options(steps=8, stride=4)

    def found(method: str, number: int) -> np.ndarray:
        return explain(cnn, pictures[number], method=method, target=number, options=fast).map

    serial = {(m, n): found(m, n) for m in METHODS for n in range(3)}
    answers = [cnn.predict(pixels).logits for pixels in pictures]
    start = threading.Barrier(8)

    def work(thread: int) -> None:
        start.wait()
        for turn in range(24):
            method, number = METHODS[(turn + thread) % len(METHODS)], (turn + thread) % 3
            assert np.array_equal(found(method, number), serial[method, number]), method
            assert np.array_equal(cnn.predict(pictures[number]).logits, answers[number])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))


@pytest.mark.parametrize("method", METHODS)
def test_a_method_that_fails_leaves_the_others_as_they_were(cnn, monkeypatch, method: str):
    """Fails in the middle of the network, when captum's hooks hang on it."""
    pixels = digit_like(9)
    model = explanation._twin(cnn.folder, cnn.key)._model
    others = [name for name in ("gradcam", "saliency", "deeplift", "lrp") if name != method]
    before = [explain(cnn, pixels, method=name).map for name in others]
    weights = [value.clone() for value in model.state_dict().values()]

    def fail(*_args: object, **_options: object) -> None:
        raise RuntimeError("a failure")

    with monkeypatch.context() as patch:
        patch.setattr(nn.MaxPool2d, "forward", fail)
        patch.setattr(Predictor, "logits", fail)
        with pytest.raises(RuntimeError, match="a failure"):
            explain(cnn, pixels, method=method)
    assert not any(m._forward_hooks or m._forward_pre_hooks or m._backward_hooks for m in model.modules())
    assert not any(hasattr(m, "rule") for m in model.modules())
    assert all(torch.equal(a, b) for a, b in zip(weights, model.state_dict().values(), strict=True))
    assert not explanation._Twin.lock.locked()
    for name, expected in zip(others, before, strict=True):
        assert np.array_equal(explain(cnn, pixels, method=name).map, expected), name


def test_random_samples_leave_the_random_numbers_of_others_alone(cnn: Predictor):
    torch.manual_seed(11)
    expected = torch.rand(3)
    torch.manual_seed(11)
    explain(cnn, digit_like(1), method="shap")
    assert torch.equal(torch.rand(3), expected)


def test_options_are_compared_by_value():
    assert replace(DEFAULTS, steps=DEFAULTS.steps) == DEFAULTS
    assert methods.problem(DEFAULTS) is None


def test_another_question_about_a_digit_finds_its_changed_pictures_answered(cnn, monkeypatch):
    pixels = digit_like(10)
    expected = {m: explain(cnn, pixels, method=m, target=2).map for m in ("shap", "occlusion")}
    attribution._recent.clear()
    for method in expected:
        explain(cnn, pixels, method=method, target=1)
    monkeypatch.setattr(Predictor, "logits", None)
    for method, found in expected.items():
        assert np.array_equal(explain(cnn, pixels, method=method, target=2).map, found)
    with pytest.raises(TypeError):  # another digit is not answered yet
        explain(cnn, digit_like(11), method="occlusion", target=2)
    monkeypatch.undo()
    for seed in range(6):
        explain(cnn, digit_like(seed), method="occlusion", options=Options(window=2, stride=1))
    assert 0 < len(attribution._recent) <= attribution.RECENT


def test_lrp_hands_back_a_share_of_the_evidence_and_no_multiple(optdigits):
    """With inputs of both signs its sums come near 0, where a pixel is about as bright as the mean."""
    shipped, digits = Predictor.load("cnn"), optdigits.images[:60]
    evidence = shipped.run(digits).logits.max(axis=1)
    shares = [each.map.sum() for each in explanation.explain_batch(shipped, digits, method="lrp")] / evidence
    assert shares.min() > -0.2
    assert shares.max() < 1


def test_the_form_for_lrp_is_the_same_network(cnn: Predictor, linear: Predictor):
    for predictor, direction in ((cnn, torch.eye(10)[4]), (linear, torch.tensor([1.0, -1.0]))):
        model, card = load_model(predictor.folder)
        black = -card.normalisation["mean"] / card.normalisation["std"]
        images = torch.from_numpy(predictor.normalised(digit_like(4)[None]))
        expected = (models.class_logits(model(images)) @ direction).detach()
        found = Canonical(model, direction, black)(images - black)[0].detach()
        assert found == pytest.approx(expected, abs=1e-4)
