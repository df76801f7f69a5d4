"""The two networks: a CNN for the ten digits and a linear model that knows only 3 and 7."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

from core.config import MOST_OFFSET

BLOCK_CHANNELS = (32, 64, 128, 256)
WIDEST = 8
LAYERS_PER_BLOCK = 5  # convolution, batch normalisation, ReLU, max pooling, dropout
SIDE = 28

Images = Float[Tensor, "batch 1 28 28"]


def _block(channels_in: int, channels_out: int, kernel: int) -> list[nn.Module]:
    return [
        nn.Conv2d(channels_in, channels_out, kernel, padding=kernel // 2),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Dropout2d(0.25),
    ]


def _needed_convolution(layer: nn.Module, features: Tensor) -> Tensor:
    """A 3×3 convolution without the last row and column where the pooling behind it drops them.

    They are a quarter of the third block's work (7 → 3); the rest is computed exactly as before.
    """
    assert isinstance(layer, nn.Conv2d)
    if layer.kernel_size == (1, 1) or features.shape[2] % 2 == 0:
        return layer(features)  # type: ignore[no-any-return]
    padded = nn.functional.pad(features, (1, 0, 1, 0))
    return nn.functional.conv2d(padded, layer.weight, layer.bias)


class DigitCNN(nn.Module):
    """Four convolutional blocks and two linear layers: 160,842 parameters, ten classes.

    Input: normalised images, float32, (batch, 1, 28, 28). Output: logits, (batch, 10).
    Names and shapes of the parameters are those of the public project abdurafay19/Digit-Classifier.

    Args:
        width: channels and features as a multiple of the shipped network's, 1 to 8. Wider ones are
            there to teach it (`core.distillation`); the shapes in the comments are those of width 1.
        offset: rows at the top, and columns at the left, that are cut off, 0 to 4. Of 28 rows, pooling drops
            so many that no answer depends on the last five, where a digit's foot is; cut at both ends to 24,
            the picture lies where the network looks. The published network has 0 (28 rows).
    """

    classes: tuple[int, ...] = tuple(range(10))
    layer_names: tuple[str, ...] = ("block1", "block2", "block3", "block4")

    def __init__(self, width: int = 1, offset: int = 0) -> None:
        super().__init__()
        self.width, self.offset = width, offset
        first, second, third, last = (width * channels for channels in BLOCK_CHANNELS)
        self.conv_layers = nn.Sequential(
            *_block(1, first, kernel=3),  # (batch, 32, 14, 14)
            *_block(first, second, kernel=3),  # (batch, 64, 7, 7)
            *_block(second, third, kernel=3),  # (batch, 128, 3, 3)
            *_block(third, last, kernel=1),  # (batch, 256, 1, 1)
        )
        self.fc_layers = nn.Sequential(
            nn.Flatten(),  # (batch, 256)
            nn.Linear(last, third),
            nn.ReLU(),
            nn.Dropout(0.25),
            nn.Linear(third, 10),
        )

    def set_dropout(self, blocks: float, head: float) -> None:
        """The share of channels dropped behind each block, and of features before the last layer."""
        for layer in (*self.conv_layers, *self.fc_layers):
            if isinstance(layer, nn.Dropout2d):
                layer.p = blocks
            elif isinstance(layer, nn.Dropout):
                layer.p = head

    @property
    def window(self) -> slice:
        """The rows, and the columns, that are looked at: all 28, or 24 of them, so that every block's maps
        cover them whole."""
        return slice(self.offset, self.offset + SIDE - MOST_OFFSET) if self.offset else slice(0, SIDE)

    def windowed(self, images: Images) -> Float[Tensor, "batch 1 side side"]:
        """What the first layer is given."""
        return images[:, :, self.window, self.window]

    def forward(self, images: Images) -> Float[Tensor, "batch 10"]:
        return self.fc_layers(self.conv_layers(self.windowed(images)))  # type: ignore[no-any-return]

    def outputs(self, images: Images) -> dict[str, Tensor]:
        """Everything that is served: `logits` (batch, 10), `embedding` (batch, 256) and
        `block1` … `block4`, the spatial mean of each block's output (batch, 32 / 64 / 128 / 256)."""
        means = {}
        features = self.windowed(images)
        for number in range(1, len(BLOCK_CHANNELS) + 1):
            block = self.conv_layers[LAYERS_PER_BLOCK * (number - 1) : LAYERS_PER_BLOCK * number]
            features = block[1:](_needed_convolution(block[0], features))
            means[f"block{number}"] = nn.functional.avg_pool2d(features, features.shape[2:]).flatten(1)
        return {"logits": self.fc_layers(features), "embedding": features.flatten(1), **means}

    def layers(self) -> dict[str, nn.Module]:
        """The layers that a class activation map can be taken from: each block's ReLU, before
        pooling (28×28, 14×14, 7×7 and 3×3; with an offset 24×24, 12×12, 6×6 and 3×3)."""
        return {
            name: self.conv_layers[LAYERS_PER_BLOCK * number + 2]
            for number, name in enumerate(self.layer_names)
        }


class ThreeSevenLinear(nn.Module):
    """One weight a pixel and a bias: 785 parameters that tell a 3 from a 7.

    Input: normalised images, float32, (batch, 1, 28, 28). Output: (batch, 1), the log-odds that
    the digit is a 3; its sigmoid is the probability of the first class.
    """

    classes: tuple[int, ...] = (3, 7)
    layer_names: tuple[str, ...] = ()
    window = slice(0, SIDE)  # the rows, and the columns, that are looked at

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(28 * 28, 1)

    def forward(self, images: Images) -> Float[Tensor, "batch 1"]:
        return self.linear(images.flatten(1))  # type: ignore[no-any-return]

    def outputs(self, images: Images) -> dict[str, Tensor]:
        """`logits` (batch, 1) and `embedding` (batch, 784): a linear model's features are the pixels."""
        return {"logits": self(images), "embedding": images.flatten(1)}

    def layers(self) -> dict[str, nn.Module]:
        """None: there is no convolution to take a class activation map from."""
        return {}


Network = DigitCNN | ThreeSevenLinear

ARCHITECTURES: dict[str, type[DigitCNN] | type[ThreeSevenLinear]] = {
    "DigitCNN": DigitCNN,
    "ThreeSevenLinear": ThreeSevenLinear,
}


def network_for(architecture: str, weights: Mapping[str, Tensor], *, offset: int = 0) -> Network:
    """An untrained network of an architecture, as wide as the weights that are meant for it.

    Weights that fit no width get a network of width 1, which will refuse them.
    """
    if architecture != "DigitCNN":
        return ARCHITECTURES[architecture]()
    first = weights.get("conv_layers.0.weight")
    width = 0 if first is None or not first.ndim else len(first) // BLOCK_CHANNELS[0]
    return DigitCNN(width if 1 <= width <= WIDEST else 1, offset)


def class_logits(logits: Float[Tensor, "batch outputs"]) -> Float[Tensor, "batch classes"]:
    """One logit a class: a single output z, the log-odds of the first of two classes, becomes
    (z, 0), whose softmax is (sigmoid(z), 1 - sigmoid(z))."""
    if logits.shape[1] > 1:
        return logits
    return torch.cat([logits, torch.zeros_like(logits)], dim=1)


def parameter_count(model: nn.Module) -> int:
    """The number of trainable numbers; running statistics of batch normalisation don't count."""
    return sum(parameter.numel() for parameter in model.parameters())
