"""Kinds of pictures that are no digits: as many as asked for, from their seed, and what they say they are."""

import numpy as np
import pytest
from scipy import ndimage

from core.chimeras import a_stroke_more, cut_digits, mirrored_halves, pieces
from core.labelled import LabelledDigits
from core.made_up import FITTED, KINDS
from core.masses import bars, grain, gratings, shapes, surfaces, thick_outlines
from core.textures import mosaics, outlines, overlays


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_gives_as_many_pictures_as_asked_for(kind: str, optdigits: LabelledDigits):
    make = KINDS[kind].make
    found = make(optdigits.images[:50], optdigits.labels[:50], 6, seed=2)
    assert found.dtype == np.uint8
    assert found.shape == (6, 28, 28)
    assert (found.max(axis=(1, 2)) > 60).all()
    np.testing.assert_array_equal(found, make(optdigits.images[:50], optdigits.labels[:50], 6, seed=2))


def test_kinds_that_are_fitted_come_first():
    assert list(KINDS)[: len(FITTED)] == list(FITTED)
    assert len(FITTED) < len(KINDS)


def test_a_cut_digit_has_a_part_of_either():
    images = np.zeros((2, 28, 28), np.uint8)
    images[0, 4:24, 4:24], images[1, 4:24, 4:24] = 100, 200
    found = cut_digits(images, np.array([1, 7]), 8, seed=0)
    assert len(found) == 8
    for pixels in found:
        assert set(np.unique(pixels)) == {0, 100, 200}
        assert (pixels > 0).sum() == 400, "moved, not cropped"
    first = (found == 100).sum(axis=(1, 2))
    assert first.min() > 0
    assert len(set(first)) > 1, "cut at different places"


def test_digits_of_one_class_are_never_put_together():
    images = np.zeros((3, 28, 28), np.uint8)
    images[:, 5:20, 5:20] = np.array([50, 60, 70])[:, None, None]
    for pixels in cut_digits(images, np.array([1, 1, 7]), 20, seed=1):
        assert 70 in pixels, "no picture of the two 1s alone"


def test_a_piece_lacks_a_part_of_its_digit():
    images = np.zeros((1, 28, 28), np.uint8)
    images[0, 4:24, 4:24] = 200
    found = pieces(images, np.array([3]), 30, seed=0)
    inked = (found > 0).sum(axis=(1, 2))
    assert (inked > 0).all()
    assert (inked < 400).all()
    assert set(np.unique(found)) == {0, 200}
    np.testing.assert_array_equal(found, pieces(images, np.array([3]), 30, seed=0))


def test_a_mirrored_half_is_symmetric_and_of_no_digit_that_is():
    images = np.zeros((2, 28, 28), np.uint8)
    images[:, 4:24, 4:24] = np.arange(1, 401).reshape(20, 20) % 200 + 50
    images[1] = 255
    found = mirrored_halves(images, np.array([7, 8]), 20, seed=0)
    assert len(found) == 20
    assert (found < 255).all(), "no 8"
    for picture in found:
        sides, levels = picture[:, ::-1], picture[::-1]
        turned = [np.roll(each, by, (0, 1)) for each in (sides, levels) for by in np.ndindex(28, 28)]
        assert any((picture == each).all() for each in turned)


def test_a_stroke_more_adds_ink(optdigits: LabelledDigits):
    found = a_stroke_more(optdigits.images[:1], optdigits.labels[:1], 4, seed=0)
    assert len({picture.tobytes() for picture in found}) == 4


def test_digits_over_each_other_hold_both_and_are_of_two_classes():
    images = np.zeros((3, 28, 28), np.uint8)
    images[0, :9], images[1, 9:18], images[2, 18:] = 50, 60, 70
    for picture in overlays(images, np.array([1, 1, 7]), 10, seed=0):
        assert set(np.unique(picture)) in ({0, 50, 70}, {0, 60, 70})


def test_a_mosaic_holds_the_same_pixels_elsewhere():
    image = np.arange(784, dtype=np.int64).reshape(1, 28, 28) % 251
    (found,) = mosaics(image.astype(np.uint8), np.array([3]), 1, seed=0)
    np.testing.assert_array_equal(np.sort(found.ravel()), np.sort(image.ravel()))
    assert (found != image[0]).any()


def test_an_outline_is_hollow():
    image = np.zeros((1, 28, 28), np.uint8)
    image[0, 8:20, 8:20] = 255
    (found,) = outlines(image, np.array([0]), 1, seed=0)
    assert (found[8, 12], found[14, 14]) == (255, 0)


def masses_of(make, count: int) -> np.ndarray:
    return make(np.zeros((0, 28, 28), np.uint8), np.zeros(0, np.int64), count, seed=3)


@pytest.mark.parametrize("make", [shapes, thick_outlines, bars, grain, gratings, surfaces])
def test_a_mass_is_as_large_as_a_digit_with_soft_edges(make):
    for picture in masses_of(make, 12):
        rows, columns = (np.flatnonzero(picture.any(axis=axis)) for axis in (1, 0))
        assert max(np.ptp(rows), np.ptp(columns)) < 20
        assert ((picture > 20) & (picture < 235)).any()


@pytest.mark.parametrize("make", [shapes, thick_outlines, bars])
def test_what_is_drawn_lies_about_its_centre_of_mass(make):
    for picture in masses_of(make, 12):
        sides = [np.flatnonzero(picture.any(axis=axis)) for axis in (1, 0)]
        for middle, side in zip(ndimage.center_of_mass(picture), sides, strict=True):
            at_the_edge = side[0] == 0 or side[-1] == 27
            assert at_the_edge or middle == pytest.approx(14, abs=0.51)


def test_bars_and_shapes_are_masses_and_outlines_are_hollow():
    """What is left when 2 px are taken off all around: of a pen's line, up to 3.6 px wide, nothing."""
    left = {
        make: np.mean(
            [ndimage.binary_erosion(picture > 127, iterations=2).any() for picture in masses_of(make, 40)]
        )
        for make in (shapes, bars)
    }
    assert left[shapes] > 0.9
    assert left[bars] > 0.8
    holes = [ndimage.label(picture < 100)[1] > 1 for picture in masses_of(thick_outlines, 40)]
    assert np.mean(holes) > 0.7


def test_grain_is_black_and_white_or_soft_and_gratings_are_black_and_white():
    """Black and white, the pixels between the two are those that an edge runs through."""

    def share_of_greys(make) -> np.ndarray:
        inner = masses_of(make, 60)[:, 8:20, 8:20]
        return ((inner > 60) & (inner < 195)).mean(axis=(1, 2))

    soft = share_of_greys(grain) > 0.5
    assert 0.2 < soft.mean() < 0.8
    assert share_of_greys(gratings).mean() < 0.3


def test_surfaces_are_of_many_shades_with_edges_between():
    for picture in masses_of(surfaces, 12).astype(int):
        assert len(np.unique(picture)) > 20
