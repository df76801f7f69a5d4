"""The map's colours over the digit."""

import numpy as np
import pytest
from matplotlib import colormaps

from core.explanation import Explanation
from core.overlay import heat, overlay


def explanation(values: np.ndarray, *, signed: bool) -> Explanation:
    layer = "input" if signed else "block3"
    return Explanation(values.astype(np.float32), 4, "gradcam", layer, signed=signed)


def bytes_of(palette: str, at: float) -> list[int]:
    return [round(255 * channel) for channel in colormaps[palette](at)[:3]]


@pytest.fixture
def ramp() -> np.ndarray:
    return np.linspace(0, 5, 784).reshape(28, 28)


def test_an_unsigned_map_runs_from_nothing_to_its_maximum_in_cividis(ramp: np.ndarray):
    colours = heat(explanation(ramp, signed=False))
    assert colours[0, 0].tolist() == [*bytes_of("cividis", 0.0), 0]
    assert colours[-1, -1].tolist() == [*bytes_of("cividis", 1.0), 255]
    alpha = colours[..., 3].ravel().astype(int)
    assert (np.diff(alpha) >= 0).all()
    assert alpha[196] == pytest.approx(255 * (196 / 783) ** 0.5, abs=1)


def test_a_signed_map_is_symmetric_about_zero(ramp: np.ndarray):
    colours = heat(explanation(ramp - 2.5, signed=True))
    assert colours[0, 0].tolist() == [*bytes_of("PuOr", 0.0), 255]
    assert colours[-1, -1].tolist() == [*bytes_of("PuOr", 1.0), 255]
    assert np.abs(colours[..., 3].astype(int) - colours[::-1, ::-1, 3]).max() <= 1
    lopsided = heat(explanation(np.where(ramp > 4, ramp, -1), signed=True))
    assert lopsided[0, 0, :3].tolist() == bytes_of("PuOr", 0.4)


def test_the_scale_of_a_map_does_not_change_its_colours(ramp: np.ndarray):
    small, large = (heat(explanation(ramp * factor, signed=False)) for factor in (1e-3, 1e3))
    assert np.abs(small.astype(int) - large).max() <= 1


@pytest.mark.parametrize("signed", [False, True])
def test_a_map_of_nothing_hides_nothing(signed: bool):
    nothing = explanation(np.zeros((28, 28)), signed=signed)
    pixels = np.random.default_rng(0).integers(0, 256, (28, 28), dtype=np.uint8)
    picture = np.asarray(overlay(pixels, nothing, side=28))
    assert np.array_equal(picture, np.repeat(pixels[..., None], 3, axis=2))


@pytest.mark.parametrize("opacity", [0.0, 0.5, 1.0])
def test_the_digit_shows_through_by_the_opacity(opacity: float):
    values = np.zeros((28, 28))
    values[3, 4] = 2
    pixels = np.full((28, 28), 200, dtype=np.uint8)
    picture = np.asarray(overlay(pixels, explanation(values, signed=False), opacity=opacity, side=28))
    top = np.array(bytes_of("cividis", 1.0))
    assert np.abs(picture[3, 4] - (200 * (1 - opacity) + top * opacity)).max() <= 1
    assert picture[0, 0].tolist() == [200, 200, 200]


def test_enlarging_keeps_the_pixels_sharp(ramp: np.ndarray):
    pixels = np.random.default_rng(0).integers(0, 256, (28, 28), dtype=np.uint8)
    small, large = (
        np.asarray(overlay(pixels, explanation(ramp, signed=False), side=side)) for side in (28, 280)
    )
    assert np.array_equal(large, small.repeat(10, axis=0).repeat(10, axis=1))


def test_two_maps_on_one_scale_can_be_compared(ramp: np.ndarray):
    weak, strong = explanation(ramp / 4, signed=False), explanation(ramp, signed=False)
    together = heat(weak, top=strong.strength)
    assert together[-1, -1].tolist() == [*bytes_of("cividis", 0.25), 128]
    assert np.array_equal(heat(strong, top=strong.strength), heat(strong))
    assert heat(weak)[-1, -1].tolist() == heat(strong)[-1, -1].tolist()
    nothing = heat(explanation(0 * ramp, signed=False), top=0.0)
    assert not nothing[..., 3].any()
