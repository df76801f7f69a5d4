"""Whatever picture comes: a digit in MNIST's form or a sentence, the same wherever and however it lies."""

import os

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from core.errors import PictureError
from core.preprocess import PreparedDigit, prepare
from tests.drawings import SEVEN, TWO, drawn, likeness

# The same examples in CI every time; elsewhere new ones are looked for.
few = settings(
    max_examples=25,
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
SHAPES = arrays.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=60)
MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "LAB", "HSV", "I", "F", "I;16")


def checked(picture: object) -> PreparedDigit | None:
    """What `prepare` makes of a picture, in range and shape; None where it was refused in a sentence."""
    try:
        digit = prepare(picture)
    except PictureError as error:
        refusal = str(error)
    else:
        refusal = ""
    if refusal:
        assert refusal.startswith("picture: ")
        return None
    assert (digit.pixels.dtype, digit.pixels.shape) == (np.uint8, (28, 28))
    assert digit.pixels.max() > 0
    assert all(step.picture.dtype == np.uint8 and step.picture.size for step in digit.steps)
    return digit


@few
@given(arrays.arrays(st.sampled_from([np.uint8, np.uint16, np.int32, np.bool_]), SHAPES))
def test_any_array_of_integers_is_a_digit_or_a_sentence(picture: np.ndarray):
    checked(picture)


@few
@given(arrays.arrays(st.sampled_from([np.float16, np.float32, np.float64]), SHAPES))
def test_any_array_of_floats_is_a_digit_or_a_sentence(picture: np.ndarray):
    checked(picture)


@few
@given(st.sampled_from(MODES), st.integers(1, 90), st.integers(1, 90), st.integers(0, 2**32 - 1))
def test_any_picture_of_any_mode_is_a_digit_or_a_sentence(mode: str, width: int, height: int, seed: int):
    generator = np.random.default_rng(seed)
    grey = Image.fromarray((generator.random((height, width)) < 0.2).astype(np.uint8) * 255)
    if mode == "I;16":
        checked(Image.fromarray(generator.integers(0, 2**16, (height, width), dtype=np.uint16)))
    elif mode == "PA":
        checked(grey.convert("P").convert("PA"))
    elif mode in ("LAB", "HSV"):
        checked(Image.frombytes(mode, (width, height), generator.bytes(3 * width * height)))
    else:
        checked(grey.convert(mode))


@few
@given(st.sampled_from([SEVEN, TWO]), st.integers(-60, 60), st.integers(-60, 60), st.booleans())
def test_place_and_polarity_change_nothing(shape, right: int, down: int, inverted: bool):
    here = prepare(drawn(shape, scale=0.5)).pixels
    moved = drawn(shape, scale=0.5, shift=(right, down))
    there = prepare(255 - moved if inverted else moved).pixels
    assert np.abs(there.astype(int) - here).max() <= 2  # of 255


@few
@given(st.sampled_from([SEVEN, TWO]), st.floats(0.25, 1.3), st.integers(280, 600))
def test_size_changes_next_to_nothing(shape, scale: float, side: int):
    usual = prepare(drawn(shape)).pixels
    other = drawn(shape, side=side, scale=scale, width=18 * scale * side / 280)
    assert likeness(prepare(other).pixels, usual) > 0.9
