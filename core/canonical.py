"""A network in the form that layer-wise relevance propagation is defined for."""

import copy

from captum.attr._utils.lrp_rules import GammaRule
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from core.models import DigitCNN, Network

GAMMA = 0.25  # how much more the positive parts of a convolution count


class Canonical(nn.Module):
    """A copy of a network with batch normalisation folded into the convolutions and a single output.

    Rules: γ for convolutions, ε for what follows (Montavon et al. 2019, doi:10.1007/978-3-030-28954-6_10).
    Made anew for each use, as captum changes its weights.

    Input: normalised images less `black`, (batch, 1, 28, 28). Output: (batch, 1), logits · direction.

    Args:
        network: left as it is.
        direction: one number a class.
        black: what the network reads for a black pixel.
    """

    def __init__(self, network: Network, direction: Tensor, black: float):
        super().__init__()
        brightness = nn.Conv2d(1, 1, 1)
        nn.init.ones_(brightness.weight)
        nn.init.constant_(brightness.bias, black)  # type: ignore[arg-type]
        convolutions: list[nn.Module] = [brightness]
        if isinstance(network, DigitCNN):
            layers = list(network.conv_layers)
            for place, layer in enumerate(layers):
                if isinstance(layer, nn.Conv2d):
                    normalisation = layers[place + 1]
                    assert isinstance(normalisation, nn.BatchNorm2d)
                    fused = fuse_conv_bn_eval(layer, normalisation)
                    fused.rule = GammaRule(GAMMA)
                    convolutions.append(fused)
                elif isinstance(layer, (nn.ReLU, nn.MaxPool2d)):
                    convolutions.append(copy.deepcopy(layer))
            hidden, last = network.fc_layers[1], network.fc_layers[4]
            assert isinstance(last, nn.Linear)
            head: list[nn.Module] = [copy.deepcopy(hidden), nn.ReLU(), _one_output(last, direction)]
        else:
            head = [_one_output(network.linear, direction[:1])]
        self.convolutions, self.head = nn.Sequential(*convolutions), nn.Sequential(*head)

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.convolutions(images).flatten(1))  # type: ignore[no-any-return]


def _one_output(last: nn.Linear, direction: Tensor) -> nn.Linear:
    combined = nn.Linear(last.in_features, 1)
    combined.weight.data = direction[None] @ last.weight.data
    combined.bias.data = direction[None] @ last.bias.data
    return combined
