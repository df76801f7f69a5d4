"""The networks: sizes, published names, shapes and what they serve."""

import pytest
import torch

from core.models import DigitCNN, ThreeSevenLinear, class_logits, network_for, parameter_count
from tests.conftest import random_cnn


def test_the_cnn_has_160842_parameters_and_the_linear_model_785():
    assert parameter_count(DigitCNN()) == 160_842
    assert parameter_count(ThreeSevenLinear()) == 785


def test_a_wider_network_has_every_channel_so_many_times():
    wide = DigitCNN(width=3)
    shapes = {name: tuple(value.shape) for name, value in wide.state_dict().items()}
    assert shapes["conv_layers.0.weight"] == (96, 1, 3, 3)
    assert shapes["conv_layers.15.weight"] == (768, 384, 1, 1)
    assert (shapes["fc_layers.1.weight"], shapes["fc_layers.4.weight"]) == ((384, 768), (10, 384))
    assert wide.eval()(torch.zeros(2, 1, 28, 28)).shape == (2, 10)


@pytest.mark.parametrize(("channels", "width"), [(32, 1), (64, 2), (256, 8), (288, 1), (31, 1)])
def test_a_network_is_as_wide_as_the_weights_that_are_meant_for_it(channels: int, width: int):
    weights = {"conv_layers.0.weight": torch.zeros(channels, 1, 3, 3)}
    network = network_for("DigitCNN", weights)
    assert len(network.state_dict()["conv_layers.0.weight"]) == 32 * width
    assert network_for("DigitCNN", {}).state_dict().keys() == network.state_dict().keys()
    assert isinstance(network_for("ThreeSevenLinear", weights), ThreeSevenLinear)


def test_state_dict_has_exactly_the_published_names_and_shapes():
    channels = {0: (32, 1, 3), 5: (64, 32, 3), 10: (128, 64, 3), 15: (256, 128, 1)}
    expected: dict[str, tuple[int, ...]] = {}
    for position, (out, into, kernel) in channels.items():
        expected[f"conv_layers.{position}.weight"] = (out, into, kernel, kernel)
        expected[f"conv_layers.{position}.bias"] = (out,)
        for name in ("weight", "bias", "running_mean", "running_var"):
            expected[f"conv_layers.{position + 1}.{name}"] = (out,)
        expected[f"conv_layers.{position + 1}.num_batches_tracked"] = ()
    expected |= {"fc_layers.1.weight": (128, 256), "fc_layers.1.bias": (128,)}
    expected |= {"fc_layers.4.weight": (10, 128), "fc_layers.4.bias": (10,)}
    assert {name: tuple(value.shape) for name, value in DigitCNN().state_dict().items()} == expected


def test_blocks_halve_the_side_from_28_to_1():
    model = random_cnn()
    shapes = []
    for position in (4, 9, 14, 19):
        model.conv_layers[position].register_forward_hook(lambda *call: shapes.append(tuple(call[2].shape)))
    model(torch.rand(2, 1, 28, 28))
    assert shapes == [(2, 32, 14, 14), (2, 64, 7, 7), (2, 128, 3, 3), (2, 256, 1, 1)]


def test_a_network_with_an_offset_is_the_same_one_given_the_middle_of_the_picture():
    model, whole = random_cnn(offset=3), random_cnn()
    images = torch.rand(2, 1, 28, 28)
    shapes = []
    for position in (4, 9, 14, 19):
        model.conv_layers[position].register_forward_hook(lambda *call: shapes.append(tuple(call[2].shape)))
    with torch.no_grad():
        logits = model(images)
        middle = whole.fc_layers(whole.conv_layers(images[:, :, 3:27, 3:27]))
        torch.testing.assert_close(logits, middle, rtol=0, atol=0)
        assert shapes == [(2, 32, 12, 12), (2, 64, 6, 6), (2, 128, 3, 3), (2, 256, 1, 1)]
        torch.testing.assert_close(model.outputs(images)["logits"], logits)
    assert parameter_count(model) == 160_842


@pytest.mark.parametrize(("offset", "first", "last"), [(0, 0, 22), (3, 3, 25), (4, 4, 26)])
def test_what_pooling_drops_is_never_read_and_an_offset_moves_it_off_the_digit(
    offset: int, first: int, last: int
):
    images = torch.rand(4, 1, 28, 28, requires_grad=True)
    random_cnn(offset=offset)(images).square().sum().backward()
    seen = images.grad.abs().sum(dim=(0, 1)) > 0
    for axis in (0, 1):
        assert torch.nonzero(seen.any(dim=axis)).flatten().tolist() == list(range(first, last + 1))


def test_layers_are_the_relus_before_pooling():
    model = random_cnn()
    sizes = {}
    for name, layer in model.layers().items():
        assert isinstance(layer, torch.nn.ReLU)
        layer.register_forward_hook(lambda _m, _i, out, name=name: sizes.update({name: out.shape[-1]}))
    model(torch.rand(1, 1, 28, 28))
    assert sizes == {"block1": 28, "block2": 14, "block3": 7, "block4": 3}
    assert ThreeSevenLinear().layers() == {}


def test_outputs_serve_the_forward_pass_and_the_mean_of_every_block():
    model = random_cnn()
    ends = {}
    for number, position in enumerate((4, 9, 14, 19), start=1):
        model.conv_layers[position].register_forward_hook(
            lambda _m, _i, out, key=f"block{number}": ends.update({key: out.detach()})
        )
    images = torch.rand(3, 1, 28, 28)
    with torch.no_grad():
        logits = model(images)
        outputs = model.outputs(images)
    assert list(outputs) == ["logits", "embedding", "block1", "block2", "block3", "block4"]
    torch.testing.assert_close(outputs["logits"], logits, rtol=0, atol=0)
    torch.testing.assert_close(outputs["embedding"], ends["block4"][:, :, 0, 0], rtol=0, atol=0)
    for key, end in ends.items():
        by_hand = end.sum(dim=(2, 3)) / (end.shape[2] * end.shape[3])
        torch.testing.assert_close(outputs[key], by_hand)


def test_the_linear_model_is_a_weighted_sum_of_the_pixels():
    model = ThreeSevenLinear()
    images = torch.rand(4, 1, 28, 28)
    by_hand = (images.reshape(4, 784) * model.linear.weight).sum(dim=1, keepdim=True) + model.linear.bias
    with torch.no_grad():
        outputs = model.outputs(images)
    torch.testing.assert_close(outputs["logits"], by_hand)
    torch.testing.assert_close(outputs["embedding"], images.reshape(4, 784))
    assert model.classes == (3, 7)


def test_softmax_of_one_log_odds_is_its_sigmoid():
    log_odds = torch.tensor([[-30.0], [-1.5], [0.0], [0.25], [30.0]])
    probabilities = class_logits(log_odds).softmax(dim=1)
    torch.testing.assert_close(probabilities[:, :1], torch.sigmoid(log_odds))
    torch.testing.assert_close(probabilities[:, 1:], torch.sigmoid(-log_odds))


def test_ten_logits_stay_as_they_are():
    logits = torch.rand(3, 10)
    assert class_logits(logits) is logits


def test_shapes_are_checked_while_testing():
    with pytest.raises(Exception, match=r"batch 1 28 28"):
        DigitCNN()(torch.zeros(1, 1, 29, 28))
