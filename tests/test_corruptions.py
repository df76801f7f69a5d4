"""The fifteen corruptions: what each does to arrays made by hand, and to real digits on average."""

import time
from itertools import pairwise

import numpy as np
import pytest

from core.corruptions import BRIGHTNESS, CORRUPTIONS, SEVERITIES, TRANSLATE, corrupted
from core.errors import DistortionError
from core.marks import EDGES, MUD, STRIPE, outlines
from core.noises import STRUCK
from core.warp import shears, shifts, turns, warped, zooms


@pytest.fixture(scope="module")
def digits(optdigits) -> np.ndarray:
    return optdigits.images[:100]


def distance(images: np.ndarray, others: np.ndarray) -> float:
    return float(np.abs(images.astype(int) - others.astype(int)).mean())


def spot(y: int, x: int) -> np.ndarray:
    picture = np.zeros((1, 28, 28), dtype=np.uint8)
    picture[0, y, x] = 255
    return picture


def test_there_are_mnist_cs_fifteen():
    assert len(CORRUPTIONS) == 15


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_severity_0_changes_nothing_and_gives_a_copy(name: str, digits: np.ndarray):
    found = corrupted(digits, name, 0)
    assert np.array_equal(found, digits)
    assert not np.shares_memory(found, digits)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_more_severe_is_farther_from_the_digit_on_average(name: str, digits: np.ndarray):
    before = digits.copy()
    far = [distance(corrupted(digits, name, severity), digits) for severity in SEVERITIES]
    assert far[0] == 0
    assert far[1] > 1
    for less, more in pairwise(far):
        assert more > 0.97 * less  # MNIST-C's motion blur is past its farthest at 5
    assert far[5] > 1.2 * far[1]
    assert np.array_equal(digits, before)  # the digits given are left alone


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_the_same_seed_gives_the_same_and_a_batch_has_its_shape(name: str, digits: np.ndarray):
    first, again = (corrupted(digits, name, 3, seed=4) for _ in range(2))
    assert np.array_equal(first, again)
    assert (first.shape, first.dtype) == (digits.shape, np.uint8)


FIXED = {"scale", "brightness", "stripe", "canny_edges"}  # nothing in them is random


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_another_seed_gives_another_unless_nothing_is_random(name: str, digits: np.ndarray):
    one, other = (corrupted(digits, name, 3, seed=seed) for seed in (1, 2))
    assert np.array_equal(one, other) == (name in FIXED)


@pytest.mark.parametrize("name", ["scale", "brightness", "stripe", "canny_edges"])
def test_a_digit_is_corrupted_alike_alone_and_in_a_batch(name: str, digits: np.ndarray):
    whole = corrupted(digits, name, 4)
    assert np.array_equal(corrupted(digits[7:8], name, 4)[0], whole[7])


def test_no_digits_stay_none():
    for name in CORRUPTIONS:
        assert corrupted(np.zeros((0, 28, 28), dtype=np.uint8), name, 2).shape == (0, 28, 28)


def test_unknown_names_and_severities_are_refused_with_what_there_is(digits: np.ndarray):
    with pytest.raises(DistortionError, match=r"No corruption 'snow'.*canny_edges"):
        corrupted(digits, "snow", 1)
    with pytest.raises(DistortionError, match=r"Severity 6 is none.*0 .* to 5"):
        corrupted(digits, "fog", 6)


def test_translate_moves_by_whole_pixels_to_a_corner():
    for severity, far in enumerate(TRANSLATE, start=1):
        found = corrupted(np.repeat(spot(14, 10), 40, axis=0), "translate", severity)
        places = {tuple(np.argwhere(picture)[0].tolist()) for picture in found}
        assert places == {(14 + down, 10 + right) for down in (-far, far) for right in (-far, far)}
        assert set(np.unique(found)) == {0, 255}


def test_maps_of_known_effect(digits: np.ndarray):
    n = len(digits)
    assert np.array_equal(warped(digits, turns(np.zeros(n))), digits)
    assert np.array_equal(warped(digits, turns(np.full(n, 180.0))), np.rot90(digits, 2, axes=(1, 2)))
    clockwise = np.rot90(digits, -1, axes=(1, 2))
    assert np.array_equal(warped(digits, turns(np.full(n, 90.0))), clockwise)
    right = warped(digits, shifts(np.full(n, 3.0), np.full(n, -2.0)))
    assert np.array_equal(right[:, :26, 3:], digits[:, 2:, :25])
    assert not right[:, :, :3].any()
    assert not right[:, 26:].any()
    half = warped(spot(14, 14), shifts(np.array([0.5]), np.array([0.0])))
    assert half[0, 14, 14:16].tolist() == [128, 128]


def test_half_the_size_is_half_as_wide_about_the_middle():
    block = np.zeros((1, 28, 28), dtype=np.uint8)
    block[0, 6:22, 6:22] = 255
    found = warped(block, zooms(np.array([0.5])))[0] > 127
    assert (np.flatnonzero(found.any(axis=0)) == np.arange(10, 18)).all()
    assert found.sum() == 64


def test_a_shear_moves_the_upper_rows_one_way_and_the_lower_ones_the_other():
    bar = np.zeros((1, 28, 28), dtype=np.uint8)
    bar[0, :, 14] = 255
    found = warped(bar, shears(np.array([1.0])))[0].astype(float)
    middles = found @ np.arange(28) / found.sum(axis=1)
    assert middles[8:20] == pytest.approx(np.arange(8, 20) - 13.5 + 14)


def test_brightness_adds_and_clips(digits: np.ndarray):
    more = round(255 * BRIGHTNESS[4])
    found = corrupted(digits, "brightness", 5)
    assert np.array_equal(found, np.minimum(digits.astype(int) + more, 255))
    assert found.max() == 255
    assert found.min() == more


def test_stripes_are_the_negative_at_the_edges_alone(digits: np.ndarray):
    found = corrupted(digits, "stripe", 3)
    assert STRIPE[2] == 7  # MNIST-C's
    assert np.array_equal(found[:, :, :7], 255 - digits[:, :, :7])
    assert np.array_equal(found[:, :, 21:], 255 - digits[:, :, 21:])
    assert np.array_equal(found[:, :, 7:21], digits[:, :, 7:21])


def test_impulses_strike_the_share_they_should():
    grey = np.full((200, 28, 28), 100, dtype=np.uint8)
    for severity, share in enumerate(STRUCK, start=1):
        found = corrupted(grey, "impulse_noise", severity)
        assert (found == 255).mean() == pytest.approx(share / 2, rel=0.05)
        assert (found == 0).mean() == pytest.approx(share / 2, rel=0.05)


def test_shot_noise_keeps_the_mean_and_leaves_black_black():
    grey = np.full((200, 28, 28), 60, dtype=np.uint8)
    assert corrupted(grey, "shot_noise", 5).mean() == pytest.approx(60, rel=0.02)
    assert not corrupted(np.zeros_like(grey), "shot_noise", 5).any()


def test_mud_covers_the_share_it_should():
    black = np.zeros((200, 28, 28), dtype=np.uint8)
    for severity, share in enumerate(MUD, start=1):
        assert (corrupted(black, "spatter", severity) > 31).mean() == pytest.approx(share, rel=0.15)


def test_a_motion_blur_leaves_a_fading_trail_of_the_same_ink():
    found = corrupted(np.repeat(spot(14, 5), 50, axis=0), "motion_blur", 1).astype(int)
    assert found.sum(axis=(1, 2)) == pytest.approx(255, abs=25)  # a pixel is rounded
    columns = found.sum(axis=(0, 1))
    assert not columns[:5].any()
    assert (np.diff(columns[5:12]) <= 0).all()


def test_lines_only_add_light_and_more_lines_keep_the_fewer(digits: np.ndarray):
    for name in ("dotted_line", "zigzag"):
        one, two = (corrupted(digits, name, severity) for severity in (1, 2))
        assert (one >= digits).all()
        assert (two >= one).all()
        assert ((two > digits).any(axis=(1, 2))).all()


def test_edges_lie_round_a_block_and_nowhere_else():
    pictures = np.zeros((2, 28, 28), dtype=np.uint8)
    pictures[0, 8:20, 8:20] = 255
    found = outlines(pictures)
    assert not found[1].any()  # the neighbour in the batch has none of it
    y, x = np.nonzero(found[0])
    assert (np.maximum(np.abs(y - 13.5), np.abs(x - 13.5)) >= 5).all()
    assert (np.maximum(np.abs(y - 13.5), np.abs(x - 13.5)) <= 7).all()
    assert found[0, 14].sum() == 2  # a px wide on either side
    assert EDGES[4] == 1
    assert np.array_equal(corrupted(pictures, "canny_edges", 5), found * np.uint8(255))


def test_a_thousand_digits_take_a_moment(optdigits):
    images = optdigits.images[:1000]
    for name in CORRUPTIONS:
        start = time.perf_counter()
        corrupted(images, name, 5)
        assert time.perf_counter() - start < 5, name  # a tenth of it on two quiet cores
