"""MNIST-C's fifteen corruptions, which leave a digit readable to people, at five severities each.

N. Mu, J. Gilmer, "MNIST-C: A Robustness Benchmark for Computer Vision", 2019 (arXiv:1906.02337). Written
anew for batches; the parameters by severity are MNIST-C's where it has five, else ours, and say so. No
training uses them, but recipes with augmentation (`core.augmentation`) shift, turn, scale and shear a little.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, UInt8

from core.errors import DistortionError
from core.marks import canny_edges, dotted_line, fog, spatter, stripe, zigzag
from core.noises import glass_blur, impulse_noise, motion_blur, shot_noise
from core.warp import shears, shifts, turns, warped, zooms

Digits = UInt8[np.ndarray, "n 28 28"]
Corruption = Callable[[Digits, int, np.random.Generator], Digits]

# By severity, 1 to 5; MNIST-C's own.
SHEAR = (0.2, 0.4, 0.6, 0.8, 1.0)  # radians from the upright, either way
SCALE = (0.9, 0.8, 0.7, 0.6, 0.5)  # share of its size
ROTATE = (0.2, 0.4, 0.6, 0.8, 1.0)  # radians, either way
BRIGHTNESS = (0.1, 0.2, 0.3, 0.4, 0.5)  # of full brightness
TRANSLATE = (1, 2, 3, 4, 5)  # px along each axis, either way


def shear(images: Digits, severity: int, generator: np.random.Generator) -> Digits:
    """Leaning to one side, as italics: by the angle `SHEAR`."""
    lean = np.tan(SHEAR[severity - 1]) * _either_way(len(images), generator)
    return warped(images, shears(lean))


def scale(images: Digits, severity: int, generator: np.random.Generator) -> Digits:
    """Smaller, about the picture's middle."""
    return warped(images, zooms(np.full(len(images), SCALE[severity - 1])))


def rotate(images: Digits, severity: int, generator: np.random.Generator) -> Digits:
    """Turned about the picture's middle, left or right."""
    return warped(images, turns(np.degrees(ROTATE[severity - 1]) * _either_way(len(images), generator)))


def brightness(images: Digits, severity: int, generator: np.random.Generator) -> Digits:
    """Brighter everywhere, the background too; what is white stays white."""
    more = round(255 * BRIGHTNESS[severity - 1])
    return (images.astype(np.int16) + more).clip(0, 255).astype(np.uint8)


def translate(images: Digits, severity: int, generator: np.random.Generator) -> Digits:
    """Moved by whole pixels towards one of the four corners."""
    far = TRANSLATE[severity - 1]
    right, down = (far * _either_way(len(images), generator) for _ in range(2))
    return warped(images, shifts(right, down))


def _either_way(count: int, generator: np.random.Generator) -> Float[np.ndarray, " count"]:
    """-1 or 1, one a picture."""
    return generator.choice(np.array([-1.0, 1.0]), count)


CORRUPTIONS: dict[str, Corruption] = {
    "shot_noise": shot_noise,
    "impulse_noise": impulse_noise,
    "glass_blur": glass_blur,
    "motion_blur": motion_blur,
    "shear": shear,
    "scale": scale,
    "rotate": rotate,
    "brightness": brightness,
    "translate": translate,
    "stripe": stripe,
    "fog": fog,
    "spatter": spatter,
    "dotted_line": dotted_line,
    "zigzag": zigzag,
    "canny_edges": canny_edges,
}
SEVERITIES = (0, 1, 2, 3, 4, 5)


def corrupted(images: Digits, name: str, severity: int, *, seed: int = 0) -> Digits:
    """A new batch of digits under one corruption; those of another severity have the same chances.

    Args:
        images: in MNIST's convention.
        name: one of `CORRUPTIONS`.
        severity: 1 (mild) to 5; 0 leaves the digits as they are.
        seed: of what is random. The same for each severity: a direction, a line or a blot stays.

    Raises:
        DistortionError: no such corruption or severity.
    """
    if name not in CORRUPTIONS:
        raise DistortionError(f"No corruption {name!r}. Choose one of {', '.join(CORRUPTIONS)}.")
    if severity not in SEVERITIES:
        raise DistortionError(
            f"Severity {severity!r} is none: choose one of 0 (unchanged) to {max(SEVERITIES)}."
        )
    if severity == 0 or not len(images):
        return images.copy()
    place = list(CORRUPTIONS).index(name)
    return CORRUPTIONS[name](images, severity, np.random.default_rng([seed, place]))
