"""Digits that a network can learn in seconds: stripes in noise."""

import numpy as np

from core.datasets import LabelledDigits


def digits(n: int, seed: int) -> LabelledDigits:
    """Ten patterns of stripes in noise, one a digit: easy, but not at first sight."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 10, n)
    patterns = np.zeros((10, 28, 28))
    for digit in range(10):
        patterns[digit, 4 + 2 * digit : 6 + 2 * digit, 4:24] = 200
        patterns[digit, 4:24, 22 - 2 * digit : 24 - 2 * digit] = 200
    images = patterns[labels] + generator.integers(0, 55, (n, 28, 28))
    return LabelledDigits(f"stripes-{seed}", images.astype(np.uint8), labels, "made for a test")
