"""A network in the form that layer-wise relevance propagation is defined for."""

import copy

from captum.attr._utils.lrp_rules import GammaRule
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from core.models import DigitCNN, Network

GAMMA = 0.25  # how much more the positive parts of a convolution count


def folded(network: DigitCNN) -> list[nn.Module]:
    """Copies of a network's convolutional layers with batch normalisation folded in, dropout left out."""
    found: list[nn.Module] = []
    for layer in network.conv_layers:
        if isinstance(layer, nn.BatchNorm2d):
            convolution = found.pop()
            assert isinstance(convolution, nn.Conv2d)
            found.append(fuse_conv_bn_eval(convolution, layer))
        elif isinstance(layer, (nn.Conv2d, nn.ReLU, nn.MaxPool2d)):
            found.append(copy.deepcopy(layer))
    return found


class Canonical(nn.Module):
    """A copy of a network with batch normalisation folded into the convolutions and a single output.

    Rules: γ for convolutions, ε for what follows (Montavon et al. 2019, doi:10.1007/978-3-030-28954-6_10).
    The brightness of paper is folded into the first layer, whose inputs are ≥ 0 then, as every other
    layer's are: with inputs of both signs the γ-rule divides by sums near 0, and the map explodes.
    Made anew for each use, as captum changes its weights.

    Input: normalised images less `black`, ≥ 0, (batch, 1, 28, 28). Output: (batch, 1), logits · direction.

    Args:
        network: left as it is.
        direction: one number a class.
        black: what the network reads for a black pixel, ≤ 0.
    """

    def __init__(self, network: Network, direction: Tensor, black: float):
        super().__init__()
        self.black, self.frame = black, 0  # px around the picture
        self.window = network.window
        convolutions: list[nn.Module] = []
        if isinstance(network, DigitCNN):
            convolutions = folded(network)
            first = convolutions[0]
            assert isinstance(first, nn.Conv2d)
            assert first.bias is not None
            assert isinstance(first.padding[0], int)
            first.bias.data += black * first.weight.data.sum(dim=(1, 2, 3))
            # What the network reads around the picture is 0, which is no black: it is put there by hand.
            self.frame, first.padding = first.padding[0], (0, 0)
            for layer in convolutions:
                if isinstance(layer, nn.Conv2d):
                    layer.rule = GammaRule(GAMMA)
            hidden, last = network.fc_layers[1], network.fc_layers[4]
            assert isinstance(last, nn.Linear)
            head: list[nn.Module] = [copy.deepcopy(hidden), nn.ReLU(), _one_output(last, direction)]
        else:
            only = _one_output(network.linear, direction[:1])
            only.bias.data += black * only.weight.data.sum(dim=1)
            head = [only]
        self.layers, self.flat = nn.ModuleList([*convolutions, *head]), len(convolutions)

    def forward(self, images: Tensor) -> Tensor:
        values = nn.functional.pad(
            images[:, :, self.window, self.window], [self.frame] * 4, value=-self.black
        )
        for number, layer in enumerate(self.layers):
            values = layer(values.flatten(1) if number == self.flat else values)
        return values


def _one_output(last: nn.Linear, direction: Tensor) -> nn.Linear:
    combined = nn.Linear(last.in_features, 1)
    combined.weight.data = direction[None] @ last.weight.data
    combined.bias.data = direction[None] @ last.bias.data
    return combined
