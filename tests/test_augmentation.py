"""Affine distortions against pictures moved by hand and against SciPy."""

import math

import numpy as np
import pytest
import torch
from scipy import ndimage

from core.augmentation import Affine, Augmentation, Blots, Elastic, Thickness

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


@pytest.mark.usefixtures("at_the_end")
def test_aspect_makes_a_square_wider_than_high_at_the_same_area():
    image = torch.zeros(1, 1, 28, 28)
    image[0, 0, 8:20, 8:20] = 1  # 12 × 12 px about the centre
    wide = Affine(degrees=0, translate=0, scale=(1, 1), shear=0, aspect=0.44)(image, generator())[0, 0]
    width, height = float(wide[14].sum()), float(wide[:, 14].sum())
    # A ratio of 1.44 is 1.2 times as wide and 1.2 times less high.
    assert (width, height) == (pytest.approx(12 * 1.2, abs=0.3), pytest.approx(12 / 1.2, abs=0.3))


def test_an_elastic_displacement_has_its_amplitude_at_the_nodes():
    field = Elastic(amplitude=0.7, nodes=6).field(4000, generator())
    corners = field[:, [0, 0, -1, -1], [0, -1, 0, -1]] * 14  # nodes lie on the corner pixels; in px
    assert corners.std().item() == pytest.approx(0.7, rel=0.02)
    assert corners.mean().item() == pytest.approx(0, abs=0.01)
    apart = (field[:, 0, 0, 0] * field[:, -1, -1, 0]).mean() * 14**2
    assert apart.item() == pytest.approx(0, abs=0.03)  # far nodes know nothing of each other


def test_an_elastic_displacement_is_what_bicubic_interpolation_makes_of_its_nodes():
    nodes = torch.randn(3, 2, 25, generator=generator())
    expected = torch.nn.functional.interpolate(nodes.view(3, 2, 5, 5), 28, mode="bicubic", align_corners=True)
    field = Elastic(amplitude=14, nodes=5).field(3, generator())  # 14 px are one unit
    torch.testing.assert_close(field.permute(0, 3, 1, 2), expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    ("amount", "width"), [(1.0, 6.0), (0.5, 4.25), (0.0, 4.0), (-0.5, 3.75), (-1.0, 2.0)]
)
def test_thickness_is_gained_or_lost_on_each_side_by_the_cube_of_chance(
    monkeypatch, amount: float, width: float
):
    monkeypatch.setattr(torch, "rand", lambda count, **_options: torch.full((count,), (amount + 1) / 2))
    thick = Thickness(thinner=1, thicker=1)(bar(), generator())
    assert thick[0, 0, :, 14].sum().item() == pytest.approx(width, abs=1e-5)


def test_thickness_agrees_with_scipys_grey_morphology(monkeypatch):
    images = torch.rand(6, 1, 28, 28, generator=generator())
    square = {"footprint": np.ones((1, 1, 3, 3)), "mode": "constant", "cval": 0}
    for end, reference in ((1.0, ndimage.grey_dilation), (0.0, ndimage.grey_erosion)):
        monkeypatch.setattr(torch, "rand", lambda count, end=end, **_options: torch.full((count,), end))
        found = Thickness(thinner=1, thicker=1)(images, generator()).numpy()
        np.testing.assert_allclose(found, reference(images.numpy(), **square), atol=1e-6)


def ring(hole: int) -> torch.Tensor:
    image = torch.zeros(1, 1, 28, 28)
    image[0, 0, 8:20, 8:20] = 1
    image[0, 0, 10 : 10 + hole, 10 : 10 + hole] = 0
    return image


@pytest.mark.parametrize(("hole", "left"), [(4, 0), (6, 36)])
def test_blots_fill_a_small_hole_and_leave_a_large_one(hole: int, left: int):
    blotted = Blots(share=1)(ring(hole), generator())
    assert 144 - int(blotted.sum()) == left
    assert float(blotted[0, 0, :8].max()) == 0  # the outline stays where it was


def test_blots_befall_their_share_and_change_nothing_else():
    images = ring(4).repeat(2000, 1, 1, 1)
    blotted = Blots(share=0.25)(images, generator())
    filled = blotted[:, 0, 11, 11] == 1
    assert float(filled.float().mean()) == pytest.approx(0.25, abs=0.03)
    assert torch.equal(blotted[~filled], images[~filled])


def test_the_whole_augmentation_is_its_parts_with_one_sampling():
    images = blob().repeat(8, 1, 1, 1)
    affine, elastic, thickness = Affine(degrees=20), Elastic(0.8), Thickness(0.5, 0.5)
    whole = Augmentation(affine=affine, elastic=elastic, thickness=thickness)(images, generator(5))
    random = generator(5)
    grid = affine.grid(8, random) + elastic.field(8, random)
    warped = torch.nn.functional.grid_sample(images, grid, align_corners=False)
    torch.testing.assert_close(whole, thickness(warped, random))
    assert torch.equal(Augmentation()(images, generator()), images)
