"""Inside the network: filters, activation maps, and which channels carry the evidence for a digit."""

from dataclasses import dataclass

import numpy as np
import torch
from captum.attr import LayerGradientXActivation
from jaxtyping import Bool, Float32, UInt8
from torch import nn

from core.attribution import Evidence, task_of
from core.errors import ExplanationError
from core.explanation import private_network
from core.models import DigitCNN
from core.predictor import Predictor


@dataclass(frozen=True, eq=False)
class Block:
    """One convolutional block on one digit, after its ReLU and before pooling.

    Attributes:
        name: `block1` to `block4`.
        activations: a map a channel, ≥ 0.
        evidence: what each channel gives, Σ activation · ∂evidence/∂activation over its map, in logits; > 0
            speaks for the target (captum's LayerGradientXActivation, summed).
    """

    name: str
    activations: Float32[np.ndarray, "channels side side"]
    evidence: Float32[np.ndarray, " channels"]

    @property
    def order(self) -> list[int]:
        """The channels, those that speak loudest for or against the target first."""
        return [int(row) for row in np.argsort(-np.abs(self.evidence), kind="stable")]


def look_inside(
    predictor: Predictor, image: UInt8[np.ndarray, "28 28"], target: int, against: int | None = None
) -> tuple[Block, ...]:
    """Every block on one digit.

    Args:
        predictor: of a convolutional network.
        image: in MNIST's convention.
        target: the digit that the evidence is for.
        against: and against which; None for the target's own logit.

    Raises:
        ExplanationError: the model has no convolutional layer.
    """
    _check(predictor)
    targets = np.array([target], dtype=np.int64)
    with private_network(predictor) as network, torch.enable_grad():
        task = task_of(predictor, network, image[None], targets, against=against)
        blocks = []
        for name, layer in network.layers().items():
            outputs: list[torch.Tensor] = []
            handle = layer.register_forward_hook(lambda *found, kept=outputs: kept.append(found[2]))
            try:
                parts = LayerGradientXActivation(Evidence(network), layer).attribute(
                    task.images.clone().requires_grad_(True), additional_forward_args=(task.directions,)
                )
            finally:
                handle.remove()
            activations = outputs[-1][0].detach().numpy()
            evidence = parts[0].detach().sum(dim=(1, 2)).numpy()
            blocks.append(Block(name, activations, evidence))
    return tuple(blocks)


def first_filters(predictor: Predictor) -> Float32[np.ndarray, "filters 3 3"]:
    """The first layer's weights, a filter a channel; > 0 answers to ink.

    Raises:
        ExplanationError: the model has no convolutional layer.
    """
    _check(predictor)
    with private_network(predictor) as network:
        first = network.conv_layers[0] if isinstance(network, DigitCNN) else None
        assert isinstance(first, nn.Conv2d)
        return np.array(first.weight[:, 0].numpy())


def unseen(predictor: Predictor) -> Bool[np.ndarray, "28 28"]:
    """The pixels that no answer depends on: those outside a network's window, and those that pooling drops:
    of an odd number of rows the last one. Maps of a layer (Grad-CAM's) may mark places there all the same.

    Found by a network of the same layers that passes something on from every pixel that it reads.
    """
    with private_network(predictor) as network, torch.enable_grad():
        picture = torch.ones(1, 1, 28, 28, requires_grad=True)
        read = picture[:, :, network.window, network.window]
        layers: list[nn.Module] = list(network.conv_layers) if isinstance(network, DigitCNN) else []
        nn.Sequential(*(_passing_on(layer) for layer in layers))(read).sum().backward()
    assert picture.grad is not None
    return np.asarray(picture.grad[0, 0].numpy() == 0)


def _passing_on(layer: nn.Module) -> nn.Module:
    if isinstance(layer, nn.Conv2d):
        same = nn.Conv2d(1, 1, layer.kernel_size, padding=layer.padding, bias=False)  # type: ignore[arg-type]
        nn.init.ones_(same.weight)
        return same
    if isinstance(layer, nn.MaxPool2d):
        return nn.AvgPool2d(layer.kernel_size, layer.stride)
    return nn.Identity()


def _check(predictor: Predictor) -> None:
    if not predictor.layers:
        raise ExplanationError(
            f"{predictor.card.architecture} has no convolutional layer to look into; choose a CNN."
        )
