"""Inside the network against autograd; what a channel sees against the gradient's reach; the known truth."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from core import checkpoint
from core.card import sha256
from core.channels import keep_channels, read_channels
from core.checkpoint import load_model
from core.errors import CheckpointError, ExplanationError
from core.excitation import FIELDS, PATCHES, find_patches
from core.explanation import METHODS, explain, explain_batch, methods_for
from core.inside import first_filters, look_inside, unseen
from core.known_truth import compare, true_parts
from core.labelled import LabelledDigits
from core.models import ThreeSevenLinear
from core.paths import CHANNELS
from core.predictor import Predictor
from tests.conftest import card_for
from tests.test_methods import digit_like


def digits(n: int = 12) -> LabelledDigits:
    images = np.stack([digit_like(seed) for seed in range(n)])
    return LabelledDigits("made up", images, np.zeros(n, dtype=np.int64), "a test")


@pytest.mark.parametrize("block", [1, 2, 3, 4])
def test_a_channels_evidence_is_its_activation_times_the_slope(cnn: Predictor, block: int):
    model, _ = load_model(cnn.folder)
    pixels, end = digit_like(1), 5 * (block - 1) + 3
    inputs = torch.from_numpy(cnn.normalised(pixels[None]))
    activations = model.conv_layers[:end](model.windowed(inputs)).detach().requires_grad_(True)
    logits = model.fc_layers(model.conv_layers[end:](activations))[0]
    (slope,) = torch.autograd.grad(logits[4] - logits[9], activations)
    found = look_inside(cnn, pixels, 4, against=9)[block - 1]
    assert found.name == f"block{block}"
    assert found.activations == pytest.approx(activations[0].detach().numpy(), abs=1e-5)
    assert found.evidence == pytest.approx(
        (activations * slope).sum(dim=(2, 3))[0].detach().numpy(), abs=1e-4
    )
    strongest = np.abs(found.evidence)[found.order]
    assert (np.diff(strongest) <= 0).all()


def test_the_first_filters_are_the_weights(cnn: Predictor):
    model, _ = load_model(cnn.folder)
    assert np.array_equal(first_filters(cnn), model.conv_layers[0].weight[:, 0].detach().numpy())


@pytest.mark.parametrize("which", ["cnn", "offset_cnn"])
@pytest.mark.parametrize("block", FIELDS)
def test_a_patch_is_all_that_its_channel_sees(which: str, block: str, request: pytest.FixtureRequest):
    cnn = request.getfixturevalue(which)
    model, _ = load_model(cnn.folder)
    data = digits()
    found = find_patches(cnn, data, progress=lambda *step: None).patches[block]
    end = 5 * (int(block[-1]) - 1) + 3
    seen = 0
    for channel, patches in list(enumerate(found))[:12]:
        for patch in patches[:2]:
            inputs = torch.from_numpy(cnn.normalised(data.images[[patch.digit]])).requires_grad_(True)
            output = model.conv_layers[:end](model.windowed(inputs))[0, channel]
            assert float(output.detach().max()) == pytest.approx(patch.activation, abs=2e-4)
            (slope,) = torch.autograd.grad(output.max(), inputs)
            outside = slope[0, 0].clone()
            outside[patch.top : patch.bottom, patch.left : patch.right] = 0
            assert float(outside.abs().max()) == 0
            seen += 1
    assert seen > 4


def test_each_channel_has_its_strongest_digits_in_order(cnn: Predictor):
    data = digits(30)
    model, _ = load_model(cnn.folder)
    with torch.no_grad():
        inputs = model.windowed(torch.from_numpy(cnn.normalised(data.images)))
        peaks = model.conv_layers[:3](inputs).amax(dim=(2, 3)).numpy()
    done: list[tuple[int, int]] = []
    found = find_patches(cnn, data, progress=lambda *step: done.append(step))
    for channel, patches in enumerate(found.patches["block1"]):
        strongest = [value for value in np.sort(peaks[:, channel])[::-1][:PATCHES] if value > 0]
        assert [patch.activation for patch in patches] == pytest.approx(strongest, abs=2e-4)
        assert len({patch.digit for patch in patches}) == len(patches)
    assert done[-1] == (30, 30)


def test_patches_lie_with_their_checkpoint_and_only_with_it(cnn_folder: Path, tmp_path: Path):
    folder = shutil.copytree(cnn_folder, tmp_path / "cnn")
    assert read_channels(folder) is None
    predictor = Predictor.load(folder)
    found = find_patches(predictor, digits(), progress=lambda *step: None)
    card = keep_channels(predictor, found)
    assert card.hashes[CHANNELS] == sha256(folder / CHANNELS)
    assert read_channels(folder) == found
    content = json.loads((folder / CHANNELS).read_text()) | {"n": 13}
    (folder / CHANNELS).write_text(json.dumps(content))
    with pytest.raises(CheckpointError, match="its SHA-256 differs"):
        read_channels(folder)


def test_a_linear_model_has_no_inside(linear: Predictor):
    for call in (
        lambda: look_inside(linear, digit_like(1), 3),
        lambda: first_filters(linear),
        lambda: find_patches(linear, digits(), progress=lambda *step: None),
    ):
        with pytest.raises(ExplanationError, match="no convolutional layer"):
            call()


@pytest.fixture(scope="module")
def plain_linear(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    """Whose pixels are not normalised, as of the shipped one."""
    torch.manual_seed(2)
    model = ThreeSevenLinear()
    folder = tmp_path_factory.mktemp("linear") / "linear"
    from dataclasses import replace

    card = replace(card_for(model, "linear"), normalisation=checkpoint.PLAIN_PIXELS)
    checkpoint.save(folder, model, card, [])
    return Predictor.load(folder)


@pytest.mark.parametrize("target", [3, 7])
def test_where_the_truth_is_known_the_methods_that_owe_it_give_it(plain_linear: Predictor, target: int):
    pixels = digit_like(4)
    truth = true_parts(plain_linear, pixels, target)
    model, _ = load_model(plain_linear.folder)
    weights = model.linear.weight.detach().numpy().reshape(28, 28)
    assert truth == pytest.approx((1 if target == 3 else -1) * weights * pixels / 255, abs=1e-7)
    found = {
        name: compare(plain_linear, truth, explain(plain_linear, pixels, method=name, target=target))
        for name in methods_for(plain_linear)
    }
    assert {name for name, close in found.items() if close.owed} == {
        "integrated-gradients", "input-x-gradient", "deeplift", "lrp",
    }  # fmt: skip
    for name, close in found.items():
        assert close.equal is close.owed, name
        assert close.correlation > 0.999 if close.owed else close.correlation < 0.999, name
    assert len(found) == len(METHODS) - 2


def test_the_cnn_has_no_known_truth(cnn: Predictor):
    with pytest.raises(CheckpointError, match="name a ThreeSevenLinear"):
        true_parts(cnn, digit_like(1), 4)


def test_what_no_answer_depends_on_is_found(cnn: Predictor, linear: Predictor, random_pictures: np.ndarray):
    where = unseen(cnn)
    assert (where[:23, :23].any(), where[23:].all(), where[:, 23:].all()) == (False, True, True)
    pixels = random_pictures[0]
    other = np.where(where, 255 - pixels, pixels)
    assert np.array_equal(cnn.run(other[None]).logits, cnn.run(pixels[None]).logits)
    slopes = explain_batch(cnn, random_pictures[:96], method="saliency")
    assert np.array_equal(np.max([each.map for each in slopes], axis=0) > 0, ~where)
    assert not unseen(linear).any()
