"""Looks through many digits for the places that excite each channel of a network most."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from core.channels import Channels, Patch
from core.checkpoint import load_model
from core.errors import ExplanationError
from core.labelled import LabelledDigits
from core.models import DigitCNN
from core.predictor import Predictor

PATCHES = 9  # a channel, each of another digit
PIECE = 250  # digits at a time
# What a place of a block's map sees: px between two places, px along the field's side, and where the first
# field begins (before the window where padding is seen).
FIELDS = {"block1": (1, 3, -1), "block2": (2, 8, -3), "block3": (4, 18, -7), "block4": (8, 22, -7)}


def find_patches(
    predictor: Predictor, digits: LabelledDigits, *, progress: Callable[[int, int], None]
) -> Channels:
    """Runs the network over all digits and keeps each channel's strongest places, one a digit.

    Args:
        predictor: of a convolutional network.
        digits: such as `mnist-test`.
        progress: called with (done, total) digits.

    Raises:
        ExplanationError: the model has no convolutional layer.
    """
    if not predictor.layers:
        raise ExplanationError(f"{predictor.card.name} has no convolutional layer; name a CNN.")
    model, _ = load_model(predictor.folder)
    assert isinstance(model, DigitCNN)
    best: dict[str, np.ndarray] = {}
    for start in range(0, len(digits), PIECE):
        images = torch.from_numpy(predictor.normalised(digits.images[start : start + PIECE]))
        for name, found in _strongest(model, images).items():
            found[0] += start
            together = np.concatenate([best[name], found], axis=1) if name in best else found
            order = np.argsort(-together[2], axis=0, kind="stable")[:PATCHES]
            best[name] = np.take_along_axis(together, order[None], axis=1)
        progress(min(start + PIECE, len(digits)), len(digits))
    patches = {
        name: tuple(_patches(name, found[:, :, channel], model.window) for channel in range(found.shape[2]))
        for name, found in best.items()
    }
    return Channels(predictor.key, digits.name, len(digits), patches)


@torch.inference_mode()
def _strongest(model: Any, images: torch.Tensor) -> dict[str, np.ndarray]:
    """By block: (digit, place, activation) × digits × channels, each digit's strongest place."""
    found, handles = {}, []

    def keep(name: str) -> Callable[..., None]:
        def hook(_layer: object, _inputs: object, output: torch.Tensor) -> None:
            values, places = output.flatten(2).max(dim=2)
            rows = torch.arange(len(output))[:, None].expand_as(values)
            found[name] = torch.stack([rows.double(), places.double(), values.double()]).numpy()

        return hook

    for name, layer in model.layers().items():
        handles.append(layer.register_forward_hook(keep(name)))
    model(images)
    for handle in handles:
        handle.remove()
    return found


def _patches(name: str, found: np.ndarray, window: slice) -> tuple[Patch, ...]:
    step, size, first = FIELDS[name]
    side = (window.stop - window.start) // step
    patches = []
    for digit, place, activation in found.T:
        if activation <= 0:
            continue
        row, column = divmod(int(place), side)
        top, left = (window.start + first + step * place for place in (row, column))
        patches.append(
            Patch(
                int(digit),
                max(window.start, top),
                max(window.start, left),
                min(window.stop, top + size),
                min(window.stop, left + size),
                round(float(activation), 4),
            )
        )
    return tuple(patches)
