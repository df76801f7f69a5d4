"""Noise and blur: what a poor sensor, a rough glass or a moving camera does to a digit."""

import numpy as np
from jaxtyping import Float32, UInt8
from scipy import fft, ndimage

from core.warp import SIDE

Digits = UInt8[np.ndarray, "n 28 28"]

# By severity, 1 to 5. All of them are MNIST-C's own (Mu and Gilmer 2019; its `corruptions.py`).
PHOTONS = (60, 25, 12, 5, 3)  # that a white pixel gets on average
STRUCK = (0.03, 0.06, 0.09, 0.17, 0.27)  # share of pixels that are made black or white
GLASS = ((0.7, 1, 2), (0.9, 2, 1), (1.0, 2, 3), (1.1, 3, 2), (1.5, 4, 2))  # blur px, reach px, passes
MOTION = ((10, 3), (15, 5), (15, 8), (15, 12), (20, 15))  # radius px, fading px
SWING = 45.0  # degrees either way from the horizontal that a motion blur may have


def shot_noise(images: Digits, severity: int, generator: np.random.Generator) -> Digits:
    """Light comes in portions: Poisson noise with `PHOTONS` at full brightness."""
    photons = PHOTONS[severity - 1]
    caught = generator.poisson(images.astype(np.float32) * (photons / 255))
    return _bytes(caught.astype(np.float32) * np.float32(255 / photons))


def impulse_noise(images: Digits, severity: int, generator: np.random.Generator) -> Digits:
    """A share `STRUCK` of the pixels becomes black or white, one as likely as the other."""
    chance = generator.random(images.shape, dtype=np.float32)
    struck = STRUCK[severity - 1]
    salted = np.where(chance < struck / 2, np.uint8(255), images)
    return np.where(chance > 1 - struck / 2, np.uint8(0), salted)


def glass_blur(images: Digits, severity: int, generator: np.random.Generator) -> Digits:
    """As through frosted glass: blurred, neighbours swapped at random, blurred again."""
    sigma, reach, passes = GLASS[severity - 1]
    # A row a pixel, a column a digit: every digit's pixel is swapped at once, with its own neighbour.
    pixels = blurred(images, sigma).reshape(len(images), -1).T.copy()
    every = np.arange(len(images))
    for _ in range(passes):
        places = [(y, x) for y in range(SIDE - reach, reach, -1) for x in range(SIDE - reach, reach, -1)]
        steps = generator.integers(-reach, reach, (len(places), 2, len(images)), dtype=np.int16)
        steps *= generator.random((len(places), 1, len(images)), dtype=np.float32) < 0.5
        for (y, x), (down, right) in zip(places, steps, strict=True):
            here, there = y * SIDE + x, (y + down) * SIDE + x + right
            kept = pixels[here].copy()
            pixels[here] = pixels[there, every]
            pixels[there, every] = kept
    shaken = pixels.T.reshape(images.shape)
    return _bytes(_smooth(shaken, sigma))


def motion_blur(images: Digits, severity: int, generator: np.random.Generator) -> Digits:
    """Smeared along a line of its own angle; half a normal curve, as ImageMagick's, fades the trail."""
    radius, fading = MOTION[severity - 1]
    angles = np.radians(generator.uniform(-SWING, SWING, len(images)))
    side = 2 * SIDE  # room for a trail that leaves the picture
    trails = np.zeros((len(images), side + 1, 2 * side + 1), dtype=np.float32)
    every = np.arange(len(images))
    weights = np.exp(-(np.arange(2 * radius + 1) ** 2) / (2 * fading**2))
    for step, weight in enumerate(weights / weights.sum()):
        if step >= SIDE:  # none of the digit is seen from so far
            break
        y, x = step * np.sin(angles) + SIDE, step * np.cos(angles)
        top, left = np.floor(y).astype(int), np.floor(x).astype(int)
        for row, high in ((top, 1 - (y - top)), (top + 1, y - top)):
            for column, wide in ((left, 1 - (x - left)), (left + 1, x - left)):
                trails[every, row, column] += (weight * high * wide).astype(np.float32)
    return _bytes(_convolved(images, trails[:, :, : SIDE + 1]))


def _convolved(images: Digits, kernels: Float32[np.ndarray, "n 57 29"]) -> Float32[np.ndarray, "n 28 28"]:
    """Each digit with its own kernel, whose middle is at row 28, column 0; black beyond the picture."""
    shape = (fft.next_fast_len(SIDE + 57 - 1, real=True), fft.next_fast_len(SIDE + 29 - 1, real=True))
    spectrum = fft.rfft2(images.astype(np.float32), shape) * fft.rfft2(kernels, shape)
    return fft.irfft2(spectrum, shape)[:, SIDE : 2 * SIDE, :SIDE].astype(np.float32)  # type: ignore[no-any-return]


def blurred(images: Digits, sigma: float) -> Digits:
    """A Gaussian blur of standard deviation `sigma`, px; black beyond the picture."""
    return _bytes(_smooth(images, sigma))


def _smooth(images: Digits, sigma: float) -> Float32[np.ndarray, "n 28 28"]:
    found = ndimage.gaussian_filter(images.astype(np.float32), (0, sigma, sigma), mode="constant")
    return np.asarray(found)


def _bytes(images: Float32[np.ndarray, "n 28 28"]) -> Digits:
    return np.rint(images).clip(0, 255).astype(np.uint8)  # type: ignore[no-any-return]
