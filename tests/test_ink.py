"""Which pixels the pen touched."""

import numpy as np
import pytest
from scipy import ndimage

from core.errors import NothingDrawn
from core.ink import find_ink
from tests.drawings import SEVEN, TWO, drawn, paper, photo


def field(picture: np.ndarray) -> np.ndarray:
    return picture.astype(np.float32) / np.float32(255)


def overlap(found: np.ndarray, true: np.ndarray) -> float:
    """Intersection over union."""
    return float((found & true).sum() / (found | true).sum())


def test_on_an_even_background_ink_is_the_distance_from_it():
    brightness = np.full((10, 12), 0.25, dtype=np.float32)
    brightness[3:7, 4] = 0.75
    brightness[4, 5] = 0.5
    expected = np.zeros((10, 12))
    expected[3:7, 4] = 1
    expected[4, 5] = 0.5
    assert np.abs(find_ink(brightness) - expected).max() < 1e-6


def test_both_polarities_give_the_same_ink():
    picture = field(drawn(TWO))
    assert np.abs(find_ink(1 - picture) - find_ink(picture)).max() < 1e-6


def test_a_digit_that_fills_the_picture_to_its_edges_keeps_its_polarity():
    zero = field(drawn(TWO))
    rows, columns = (np.flatnonzero(zero.any(axis=axis)) for axis in (1, 0))
    cropped = zero[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    assert np.abs(find_ink(cropped) - cropped).max() < 0.01
    assert np.abs(find_ink(1 - cropped) - cropped).max() < 0.01


def test_specks_are_dropped_and_real_strokes_kept():
    picture = drawn(SEVEN).copy()
    picture[250:253, 20:23] = 255
    picture[160:168, 60:160] = 255
    ink = find_ink(field(picture))
    assert ink[250:253, 20:23].max() == 0
    assert ink[163, 70] == 1


def test_touching_strokes_of_two_parts_are_both_kept():
    picture = np.zeros((60, 60), dtype=np.float32)
    picture[10:30, 10:14] = 1
    picture[35:55, 40:44] = 1
    assert np.array_equal(find_ink(picture), picture)


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_an_even_field_is_nothing_drawn(level: float):
    with pytest.raises(NothingDrawn, match="Nothing drawn: the picture is even"):
        find_ink(np.full((28, 28), level, dtype=np.float32))


def test_a_stroke_too_faint_to_see_is_nothing_drawn():
    brightness = np.full((50, 50), 0.5, dtype=np.float32)
    brightness[10:40, 20:25] = 0.54
    with pytest.raises(NothingDrawn):
        find_ink(brightness)


@pytest.mark.parametrize("noise", [0.008, 0.015, 0.02, 0.03])
@pytest.mark.parametrize("seed", [0, 1])
def test_an_evenly_lit_sheet_with_noise_is_nothing_drawn(noise: float, seed: int):
    sheet = 0.8 + np.random.default_rng(seed).normal(0, noise, (400, 300))
    with pytest.raises(NothingDrawn):
        find_ink(sheet.clip(0, 1).astype(np.float32))


@pytest.mark.parametrize("seed", [0, 1])
def test_an_empty_sheet_in_uneven_light_is_nothing_drawn(seed: int):
    with pytest.raises(NothingDrawn):
        find_ink(paper(seed=seed).clip(0, 1).astype(np.float32))


@pytest.mark.parametrize("shape", [SEVEN, TWO])
@pytest.mark.parametrize("light_pen", [False, True])
def test_in_a_photo_with_a_shadow_the_ink_is_where_the_pen_was(shape, light_pen: bool):
    true = np.pad(drawn(shape, side=280, width=16), 20)
    picture = field(photo(true))
    ink = find_ink(1 - picture if light_pen else picture)
    assert overlap(ink > 0.5, true > 127) > 0.75


def test_what_reaches_in_from_a_photos_edge_is_dropped():
    true = np.pad(drawn(SEVEN, side=280, width=16), 20)
    with_thumb = true.copy()
    with_thumb[120:180, :45] = 255
    ink = find_ink(field(photo(with_thumb)))
    assert ink[130:170, :30].max() < 0.5
    assert ndimage.label(ink > 0.5, np.ones((3, 3)))[1] == 1
