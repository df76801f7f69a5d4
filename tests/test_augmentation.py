"""Affine distortions against pictures moved by hand and against SciPy."""

import math

import numpy as np
import pytest
import torch
from scipy import ndimage

from core.augmentation import Affine

STILL = Affine(degrees=0, translate=0, scale=(1, 1), shear=0)


def generator(seed: int = 3) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every random number is 1: each range yields its upper end."""
    monkeypatch.setattr(torch, "rand", lambda count, **_options: torch.ones(count))


def blob() -> torch.Tensor:
    """A smooth, lopsided picture: bilinear sampling of it is accurate."""
    y, x = np.mgrid[:28, :28]
    picture = np.exp(-((y - 10) ** 2 / 18 + (x - 16) ** 2 / 40))
    picture += 0.5 * np.exp(-((y - 19) ** 2 + (x - 9) ** 2) / 9)
    return torch.from_numpy(picture.clip(0, 1).astype(np.float32))[None, None]


def moments(image: torch.Tensor) -> tuple[float, float, float]:
    """Centre of mass (y, x) and the angle of the main axis, degrees."""
    field = image.numpy().astype(np.float64)
    y, x = (axis - 13.5 for axis in np.mgrid[:28, :28])
    total = field.sum()
    cy, cx = (field * y).sum() / total, (field * x).sum() / total
    yy, xx = (field * (y - cy) ** 2).sum(), (field * (x - cx) ** 2).sum()
    xy = (field * (y - cy) * (x - cx)).sum()
    return float(cy), float(cx), math.degrees(0.5 * math.atan2(2 * xy, xx - yy))


def bar() -> torch.Tensor:
    image = torch.zeros(64, 1, 28, 28)
    image[:, 0, 12:16, 4:24] = 1
    return image


def test_ranges_of_nothing_change_nothing():
    images = torch.rand(5, 1, 28, 28, generator=generator())
    torch.testing.assert_close(STILL(images, generator()), images, rtol=0, atol=1e-5)


@pytest.mark.usefixtures("at_the_end")
def test_a_shift_of_an_eighth_moves_a_dot_by_three_and_a_half_pixels():
    image = torch.zeros(1, 1, 28, 28)
    image[0, 0, 10, 20] = 1
    moved = Affine(degrees=0, translate=1 / 8, scale=(1, 1), shear=0)(image, generator())[0, 0]
    # The map goes from output to input, so the dot moves the other way: from (10, 20) to (6.5, 16.5).
    expected = torch.zeros(28, 28)
    expected[6:8, 16:18] = 0.25
    torch.testing.assert_close(moved, expected, rtol=0, atol=1e-4)


@pytest.mark.usefixtures("at_the_end")
def test_a_shift_of_a_seventh_moves_a_picture_by_four_whole_pixels():
    image = blob()
    moved = Affine(degrees=0, translate=1 / 7, scale=(1, 1), shear=0)(image, generator())
    torch.testing.assert_close(moved[0, 0, :24, :24], image[0, 0, 4:, 4:], rtol=0, atol=1e-4)
    assert float(moved[0, 0, 24:].abs().max()) < 1e-4
    assert float(moved[0, 0, :, 24:].abs().max()) < 1e-4


@pytest.mark.usefixtures("at_the_end")
@pytest.mark.parametrize("degrees", [-30.0, 10.0, 45.0])
def test_rotation_agrees_with_scipy(degrees: float):
    image = blob()
    turned = Affine(degrees=degrees, translate=0, scale=(1, 1), shear=0)(image, generator())[0, 0].numpy()
    reference = ndimage.rotate(image[0, 0].numpy(), degrees, reshape=False, order=1, mode="grid-constant")
    assert np.abs(turned - reference).max() < 1e-4


def test_random_rotations_fill_their_range_and_nothing_beyond():
    turned = Affine(degrees=20, translate=0, scale=(1, 1), shear=0)(bar(), generator())
    angles = [moments(image[0])[2] for image in turned]
    assert min(angles) > -20.5
    assert max(angles) < 20.5
    assert min(angles) < -15
    assert max(angles) > 15


def test_random_shifts_stay_within_their_share_of_the_side():
    moved = Affine(degrees=0, translate=0.1, scale=(1, 1), shear=0)(bar(), generator())
    centres = np.array([moments(image[0])[:2] for image in moved])
    assert np.abs(centres).max() < 2.8 + 0.01
    assert (np.abs(centres).max(axis=0) > 2.3).all()


def test_shear_moves_the_top_against_the_bottom_and_leaves_the_rows():
    image = torch.zeros(64, 1, 28, 28)
    image[:, 0, 4:24, 12:16] = 1
    sheared = Affine(degrees=0, translate=0, scale=(1, 1), shear=10)(image, generator())
    columns = torch.arange(28.0)
    slopes = []
    for picture in sheared[:, 0]:
        top = float((picture[6] * columns).sum() / picture[6].sum())
        bottom = float((picture[21] * columns).sum() / picture[21].sum())
        slopes.append((bottom - top) / 15)
        torch.testing.assert_close(picture.sum(dim=1), image[0, 0].sum(dim=1), rtol=0, atol=1e-4)
    limit = math.tan(math.radians(10))
    assert max(map(abs, slopes)) < limit + 0.005
    assert max(slopes) > 0.7 * limit
    assert min(slopes) < -0.7 * limit


@pytest.mark.parametrize("zoom", [0.8, 1.25])
def test_the_inked_area_grows_with_the_square_of_the_zoom(zoom: float):
    image = blob()
    zoomed = Affine(degrees=0, translate=0, scale=(zoom, zoom), shear=0)(image, generator())
    assert float(zoomed.sum() / image.sum()) == pytest.approx(zoom**2, rel=0.03)


def test_values_stay_between_zero_and_one():
    images = (torch.rand(50, 1, 28, 28, generator=generator()) > 0.5).float()
    distorted = Affine()(images, generator())
    assert float(distorted.min()) >= 0
    assert float(distorted.max()) <= 1 + 1e-6


def test_the_same_seed_gives_the_same_distortions_and_another_seed_others():
    images = torch.rand(8, 1, 28, 28, generator=generator())
    first, again = (Affine()(images, generator(1)) for _ in range(2))
    assert torch.equal(first, again)
    assert not torch.equal(first, Affine()(images, generator(2)))


def test_every_picture_of_a_batch_gets_its_own_distortion():
    distorted = Affine()(blob().repeat(8, 1, 1, 1), generator())
    assert len({image.numpy().tobytes() for image in distorted}) == 8
