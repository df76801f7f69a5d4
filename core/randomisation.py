"""Networks whose weights are destroyed, layer by layer from the top: a map of them must change."""

import copy

import numpy as np
import torch
from jaxtyping import Bool, Float32, Float64
from scipy.stats import rankdata
from torch import nn

from core.models import DigitCNN, Network

SEED = 23


def stages_of(network: Network) -> tuple[str, ...]:
    """What is destroyed at each stage, on top of all before: from the outputs down to the pixels."""
    return tuple(_groups(network))


def destroyed(network: Network, stage: int) -> Network:
    """A copy whose upper layers, stage 0 to `stage`, have their weights shuffled.

    Every parameter's values are permuted at random (those of a batch normalisation by channel), so that they
    keep their distribution and lose what was learned (after Adebayo et al. 2018, arXiv:1810.03292, who draw
    new ones). Deterministic.
    """
    changed = copy.deepcopy(network)
    generator = torch.Generator().manual_seed(SEED)
    for layers in list(_groups(changed).values())[: stage + 1]:
        for layer in layers:
            _shuffle(layer, generator)
    return changed


def _groups(network: Network) -> dict[str, list[nn.Module]]:
    if not isinstance(network, DigitCNN):
        return {"weights": [network.linear]}
    groups: dict[str, list[nn.Module]] = {
        "logits": [network.fc_layers[4]],
        "hidden layer": [network.fc_layers[1]],
    }
    size = len(network.conv_layers) // len(network.layer_names)
    for number, name in reversed(list(enumerate(network.layer_names))):
        groups[name] = list(network.conv_layers[size * number : size * number + 2])
    return groups


@torch.no_grad()
def _shuffle(layer: nn.Module, generator: torch.Generator) -> None:
    if isinstance(layer, nn.BatchNorm2d):
        order = torch.randperm(layer.num_features, generator=generator)
        for values in (layer.weight, layer.bias, layer.running_mean, layer.running_var):
            assert values is not None
            values.copy_(values[order])
        return
    for values in layer.parameters():
        order = torch.randperm(values.numel(), generator=generator)
        values.copy_(values.flatten()[order].reshape(values.shape))


def likeness(
    one: Float32[np.ndarray, "n 28 28"],
    other: Float32[np.ndarray, "n 28 28"],
    where: Bool[np.ndarray, "n 28 28"],
) -> Float64[np.ndarray, " n"]:
    """Spearman's rank correlation of two maps over some pixels, in [−1, 1]; 0 where a map is even there."""
    return np.array(
        [_spearman(a[w], b[w]) for a, b, w in zip(one, other, where, strict=True)], dtype=np.float64
    )


def _spearman(one: Float32[np.ndarray, " m"], other: Float32[np.ndarray, " m"]) -> float:
    a, b = (rankdata(values) for values in (one, other))
    a, b = a - a.mean(), b - b.mean()
    length = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / length if length else 0.0
