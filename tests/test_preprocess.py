"""Any picture to MNIST's convention: what must not matter, and what the result must look like."""

import contextlib

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from core.datasets import LabelledDigits
from core.errors import NothingDrawn, PictureError
from core.preprocess import (
    DIGIT_SIDE,
    THICKNESS_BAND,
    VERSION,
    _spread,
    prepare,
    prepared_pixels,
    stroke_width,
)
from tests.drawings import SEVEN, TWO, drawn, likeness, photo


def box(pixels: np.ndarray) -> tuple[int, int]:
    """Height and width of what is clearly inked."""
    inked = pixels > 25
    return int(inked.any(axis=1).sum()), int(inked.any(axis=0).sum())


def width_of(pixels: np.ndarray) -> float:
    return stroke_width(pixels.astype(np.float32) / 255)


def test_dark_on_light_gives_exactly_what_light_on_dark_gives():
    picture = drawn(TWO)
    assert np.array_equal(prepare(picture).pixels, prepare(255 - picture).pixels)


def test_ink_is_white_on_black():
    pixels = prepare(255 - drawn(SEVEN)).pixels
    assert pixels[0].max() == 0
    assert pixels.max() > 250


def test_a_fainter_pen_gives_nearly_the_same():
    faint = (drawn(TWO) * 0.4).astype(np.uint8)
    assert np.abs(prepare(faint).pixels.astype(int) - prepare(drawn(TWO)).pixels).max() <= 4


def test_it_does_not_matter_where_the_digit_lies():
    centred = prepare(drawn(TWO, scale=0.5)).pixels
    for shift in ((-60, -50), (55, -40), (3, 61)):
        assert np.array_equal(prepare(drawn(TWO, scale=0.5, shift=shift)).pixels, centred)


@pytest.mark.parametrize("shape", [SEVEN, TWO])
def test_it_hardly_matters_how_large_the_digit_is(shape):
    large = prepare(drawn(shape, side=560, width=36)).pixels
    for scale in (0.25, 0.5, 0.75, 1.3):
        pixels = prepare(drawn(shape, scale=scale, width=18 * scale)).pixels
        assert likeness(pixels, large) > 0.93
    assert likeness(prepare(drawn(SEVEN)).pixels, prepare(drawn(TWO)).pixels) < 0.7


@pytest.mark.parametrize("shape", [SEVEN, TWO])
@pytest.mark.parametrize(("scale", "width"), [(0.3, 8), (1, 18), (1, 30), (1.4, 18)])
def test_the_longer_side_is_twenty_pixels(shape, scale: float, width: int):
    assert abs(max(box(prepare(drawn(shape, scale=scale, width=width)).pixels)) - DIGIT_SIDE) <= 1


@pytest.mark.parametrize("shape", [SEVEN, TWO])
@pytest.mark.parametrize("width", [8, 18, 30])
def test_the_centre_of_mass_is_the_centre(shape, width: int):
    pixels = prepare(drawn(shape, width=width, shift=(30, -20))).pixels
    assert np.abs(np.array(ndimage.center_of_mass(pixels)) - 14).max() <= 0.5


def test_mnist_digits_come_out_as_they_went_in_thin_and_fat_ones_too(mnist_test: LabelledDigits):
    images = mnist_test.images[:600]
    changes = np.array([np.abs(prepare(image).pixels.astype(int) - image).mean() for image in images])
    widths = np.array([width_of(image) for image in images]) / [max(box(image)) for image in images]
    outside = (widths * DIGIT_SIDE < THICKNESS_BAND[0]) | (widths * DIGIT_SIDE > THICKNESS_BAND[1])
    assert outside.mean() > 0.3, "there are strokes that a larger picture would lose or gain"
    assert (changes[outside] < 1).mean() > 0.9
    assert (changes == 0).mean() > 0.65


def test_what_was_prepared_once_hardly_changes_again():
    once = prepare(drawn(TWO)).pixels
    assert np.abs(prepare(once).pixels.astype(int) - once).mean() < 2


@pytest.mark.parametrize("width", [1, 2, 3, 40, 52])
def test_thin_and_fat_strokes_are_brought_near_mnists(width: int):
    low, high = THICKNESS_BAND
    drawing = drawn(TWO, width=width)
    share = width / (box(drawing)[0] - 1) * DIGIT_SIDE
    assert not low <= share <= high, "the drawing must be in need of it"
    assert low - 0.25 <= width_of(prepare(drawing).pixels) <= high + 0.4


@pytest.mark.parametrize("width", [8, 52])
def test_faint_ink_stays_faint_when_strokes_are_moved(width: int):
    """MNIST's strokes are soft, and thin ones faint: moved by a threshold they would be gone."""
    drawing = np.zeros((280, 280), dtype=np.uint8)
    drawing[40:240, 60 : 60 + width] = 255
    drawing[40:240, 180 : 180 + width] = 100
    assert not THICKNESS_BAND[0] <= width / 200 * DIGIT_SIDE <= THICKNESS_BAND[1]
    levels = prepare(drawing).pixels[14].astype(float)
    strong, faint = levels[:14].sum(), levels[14:].sum()
    assert faint / strong == pytest.approx(100 / 255, rel=0.02)


@pytest.mark.parametrize("growth", [0.25, 1.0, 1.75, 4.0, 6.5, -0.25, -1.0, -2.5, -4.75])
@pytest.mark.parametrize("level", [1.0, 0.25])
def test_outlines_move_by_so_many_pixels(growth: float, level: float):
    bar = np.zeros((60, 60), dtype=np.float32)
    bar[:, 20:40] = level
    moved = _spread(bar, growth)[30]
    assert moved.sum() == pytest.approx(level * (20 + 2 * growth), rel=1e-5)
    assert moved.max() == pytest.approx(level)
    disc = (np.hypot(*np.mgrid[-30:31, -30:31]) < 15).astype(np.float32)
    area = float(_spread(disc * level, growth).sum())
    assert area == pytest.approx(level * np.pi * (15 + growth) ** 2, rel=0.05)


def test_usual_strokes_keep_their_thickness():
    drawing = drawn(SEVEN, width=22)
    share = stroke_width(drawing.astype(np.float32) / 255) / box(drawing)[0] * DIGIT_SIDE
    assert width_of(prepare(drawing).pixels) == pytest.approx(share, rel=0.12)


@pytest.mark.parametrize(("width", "length"), [(4, 200), (10, 200), (20, 400)])
def test_the_stroke_width_of_a_bar_is_its_width(width: int, length: int):
    bar = np.zeros((length + 20, width + 20), dtype=np.float32)
    bar[10:-10, 10:-10] = 1
    # Twice the area over the outline: the two ends make it a little less than the width.
    assert stroke_width(bar) == pytest.approx(width * length / (width + length), rel=0.01)
    assert stroke_width(bar.T) == pytest.approx(stroke_width(bar), rel=1e-6)


def test_the_stroke_width_does_not_depend_on_how_dark_the_ink_is():
    bar = np.zeros((60, 30), dtype=np.float32)
    bar[10:50, 10:20] = 1
    assert stroke_width(bar * np.float32(0.5)) == pytest.approx(stroke_width(bar))


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "1", "I;16"])
@pytest.mark.parametrize("level", [0, 255])
def test_an_even_picture_is_nothing_drawn(mode: str, level: int):
    level = level * 257 if mode == "I;16" else level
    colour = (level,) * len(mode) if mode.startswith("RGB") else level
    with pytest.raises(NothingDrawn, match=r"^picture: Nothing drawn: .*Draw or send a digit"):
        prepare(Image.new(mode, (100, 80), colour))


@pytest.mark.parametrize("colour", [(0, 0, 0, 0), (255, 255, 255, 0), (200, 30, 30, 0)])
def test_a_transparent_picture_is_nothing_drawn(colour: tuple[int, int, int, int]):
    with pytest.raises(NothingDrawn):
        prepare(Image.new("RGBA", (280, 280), colour))


def test_nothing_drawn_names_the_file(tmp_path):
    Image.new("L", (50, 50), 128).save(tmp_path / "grey.png")
    with pytest.raises(NothingDrawn, match=r"grey\.png: Nothing drawn"):
        prepare(tmp_path / "grey.png")
    with pytest.raises(NothingDrawn, match=r"^the canvas: Nothing drawn"):
        prepare(np.zeros((9, 9)), name="the canvas")


@pytest.mark.parametrize("shadow", [False, True])
@pytest.mark.parametrize("shape", [SEVEN, TWO])
def test_a_photo_gives_nearly_what_the_clean_picture_gives(shape, shadow: bool):
    ink = np.pad(drawn(shape, side=360, width=20), ((60, 60), (20, 20)))
    clean = prepare(ink).pixels
    for seed in range(3):
        assert likeness(prepare(photo(ink, shadow=shadow, seed=seed)).pixels, clean) > 0.9


def test_without_the_steps_the_pixels_are_the_same():
    for picture in (drawn(TWO), 255 - drawn(SEVEN), photo(drawn(TWO))):
        assert np.array_equal(prepared_pixels(picture), prepare(picture).pixels)
    with pytest.raises(NothingDrawn, match=r"blank\.png: Nothing drawn"):
        prepared_pixels(np.zeros((28, 28), np.uint8), name="blank.png")


def test_the_steps_are_kept_in_order_and_end_with_what_the_model_sees():
    picture = 255 - drawn(TWO)
    digit = prepare(picture)
    assert [step.name for step in digit.steps] == ["Picture", "Ink", "Strokes", "28 × 28"]
    assert digit.steps[-1].picture is digit.pixels
    assert np.array_equal(digit.steps[0].picture, picture)
    assert np.array_equal(digit.steps[1].picture, 255 - picture)


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 2), (3, 3), (1, 5000), (5000, 1), (2, 700), (2000, 3), (28, 29)]
)
@pytest.mark.parametrize("content", ["noise", "dot", "step", "line"])
def test_odd_shapes_end_in_a_digit_or_a_picture_error(shape: tuple[int, int], content: str):
    picture = np.zeros(shape, dtype=np.uint8)
    if content == "noise":
        picture = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    elif content == "dot":
        picture[shape[0] // 2, shape[1] // 2] = 255
    elif content == "step":
        picture[:, shape[1] // 2 :] = 255
    else:
        picture[shape[0] // 2] = 255
    pixels = None
    with contextlib.suppress(PictureError):  # anything else would be a crash
        pixels = prepare(picture).pixels
    if pixels is None:
        with pytest.raises(PictureError, match=r"^picture: "):
            prepare(picture)
        return
    assert pixels.shape == (28, 28)
    assert pixels.max() > 0


@pytest.mark.parametrize("desk", [0.15, 0.3])
def test_the_desk_around_the_paper_falls_out_and_leaves_full_strokes(desk: float):
    ink = drawn(TWO, side=400, width=14, scale=0.5)
    picture = photo(ink, shadow=False).astype(np.float64)
    around = np.ones(picture.shape, dtype=bool)
    around[30:-40, 25:-35] = False
    noise = np.random.default_rng(3).normal(0, 3, picture.shape)
    picture = np.where(around, desk * 255 + noise, picture).clip(0, 255).astype(np.uint8)
    pixels = prepare(picture).pixels
    assert likeness(pixels, prepare(ink).pixels) > 0.9
    assert pixels.max() > 200


# Means of 4 × 4 px.
MADE = {
    (TWO, 6): [
        [0, 0, 0, 0, 0, 0, 0],
        [0, 0, 148, 138, 157, 3, 0],
        [0, 25, 77, 0, 105, 59, 0],
        [0, 0, 0, 16, 168, 7, 0],
        [0, 0, 35, 161, 27, 0, 0],
        [0, 21, 217, 147, 136, 53, 0],
        [0, 0, 0, 0, 0, 0, 0],
    ],
    (SEVEN, 40): [
        [0, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 0],
        [0, 129, 197, 197, 232, 95, 0],
        [0, 0, 0, 2, 189, 12, 0],
        [0, 0, 0, 81, 112, 0, 0],
        [0, 0, 2, 193, 11, 0, 0],
        [0, 0, 62, 118, 0, 0, 0],
    ],
}


@pytest.mark.parametrize("number", range(len(MADE)))
def test_what_is_made_of_a_drawing_changes_with_the_version_alone(number: int):
    (shape, width), expected = list(MADE.items())[number]
    blocks = prepare(drawn(shape, width=width)).pixels.astype(float).reshape(7, 4, 7, 4).mean(axis=(1, 3))
    assert VERSION == 2, "after a change of VERSION these blocks are to be recorded anew"
    np.testing.assert_allclose(blocks, expected, atol=1.5)
