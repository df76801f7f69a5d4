"""The same training as in `core.scratch`, as one writes it with PyTorch: nn.Linear, autograd, SGD."""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from jaxtyping import Float64
from torch import Tensor, nn

from core.scratch import (
    PIXELS,
    EpochState,
    ScratchConfig,
    ScratchDigits,
    Weights,
    batches,
    beginning,
    started,
    state,
)

Column = Float64[Tensor, " n"]


def loss_of(z: Column, y: Column, loss: str) -> Column:
    """What each digit costs."""
    if loss == "distance":
        return (y - torch.sigmoid(z)).abs()
    return F.binary_cross_entropy_with_logits(z, y, reduction="none")


def learn(
    model: nn.Linear, digits: ScratchDigits, config: ScratchConfig, epoch: int
) -> tuple[nn.Linear, float, float]:
    """One epoch: the model, changed in place, the mean loss and the accuracy of the digits on the way."""
    cost, right = 0.0, 0
    optimiser = torch.optim.SGD(model.parameters(), lr=config.rate)
    for rows in batches(len(digits), config, epoch):
        x, y = torch.from_numpy(digits.rows(rows)), torch.from_numpy(digits.targets[rows])
        z = model(x)[:, 0]
        loss = loss_of(z, y, config.loss)
        cost += float(loss.detach().sum())
        right += int(((z > 0) == (y == 1)).sum())
        optimiser.zero_grad()
        torch.autograd.backward(loss.mean())
        optimiser.step()
    return model, cost / len(digits), right / len(digits)


def linear(weights: Weights) -> nn.Linear:
    """A layer with these weights, in float64."""
    model = nn.Linear(PIXELS, 1, dtype=torch.float64)
    with torch.no_grad():
        model.weight.copy_(torch.from_numpy(weights.w)[None])
        model.bias.fill_(weights.b)
    return model


def weights_of(model: nn.Linear) -> Weights:
    """A layer's weights."""
    return Weights(model.weight.detach()[0].double().numpy().copy(), float(model.bias.detach()))


def train(config: ScratchConfig, training: ScratchDigits, validation: ScratchDigits) -> Iterator[EpochState]:
    """As `core.scratch.train`, on the same batches in the same order."""
    model = linear(started(config))
    yield beginning(config, training, validation)
    for epoch in range(1, config.epochs + 1):
        model, loss, accuracy = learn(model, training, config, epoch)
        yield state(epoch, weights_of(model), loss, accuracy, validation, config.loss)
