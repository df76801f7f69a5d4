"""Upstrokes, feet and bars, drawn where a hand would draw them and nowhere else."""

import numpy as np
import pytest
import torch

from core.allographs import Allographs, _drawn

ALWAYS = Allographs(upstroke=1, bar=1)


def generator(seed: int = 3) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def one() -> torch.Tensor:
    """An upright stroke of 2 × 20 px."""
    image = torch.zeros(1, 1, 28, 28)
    image[0, 0, 4:24, 13:15] = 1
    return image


def seven() -> torch.Tensor:
    """A roof of 12 × 2 px and an upright stem on its right."""
    image = torch.zeros(1, 1, 28, 28)
    image[0, 0, 4:6, 8:20] = 1
    image[0, 0, 4:24, 18:20] = 1
    return image


def many(image: torch.Tensor, digit: int, n: int = 200) -> tuple[torch.Tensor, torch.Tensor]:
    return image.repeat(n, 1, 1, 1), torch.full((n,), digit)


def test_a_stroke_is_the_set_of_points_near_its_axis():
    start, end, width = torch.tensor([[6.0, 5.0]]), torch.tensor([[18.0, 14.0]]), torch.tensor([3.0])
    drawn = _drawn(torch.zeros(1, 1, 28, 28), start, end, width)[0, 0].numpy()
    y, x = np.mgrid[:28, :28].astype(float)
    along = ((x - 6) * 12 + (y - 5) * 9) / 15  # the axis is 15 px long, its direction (0.8, 0.6)
    beyond = np.maximum(0, np.maximum(-along, along - 15))
    distance = np.hypot((y - 5) * 0.8 - (x - 6) * 0.6, beyond)
    np.testing.assert_allclose(drawn, (2 - distance).clip(0, 1), atol=1e-5)


def test_an_upstroke_leads_down_to_the_left_from_the_upper_end_of_a_1():
    images, digits = many(one(), 1)
    added = (Allographs(upstroke=1, bar=0)(images, digits, generator()) - images)[:, 0]
    upper, lower = added[:, :22], added[:, 23:]  # a foot, where there is one, lies at the bottom
    assert float(upper[:, :, 16:].max()) == 0, "nothing right of the stem"
    assert bool((upper[:, :, :13].sum(dim=(1, 2)) > 2).all()), "each has one"
    footed = lower.sum(dim=(1, 2)) > 1
    assert float(footed.float().mean()) == pytest.approx(1 / 3, abs=0.1)


def test_a_bar_crosses_the_stem_of_a_7_about_half_way_down():
    images, digits = many(seven(), 7)
    added = (ALWAYS(images, digits, generator()) - images)[:, 0]
    assert bool((added[:, :, :18].sum(dim=(1, 2)) > 0.5).all())
    assert bool((added[:, :, 20:].sum(dim=(1, 2)) > 0.5).all())
    rows = (added.sum(dim=2) * torch.arange(28)).sum(dim=1) / added.sum(dim=(1, 2))
    assert float(rows.min()) > 11
    assert float(rows.max()) < 20


def test_the_other_digits_stay_as_they_are():
    images = torch.rand(40, 1, 28, 28, generator=generator())
    digits = torch.tensor([0, 2, 3, 4, 5, 6, 8, 9] * 5)
    assert torch.equal(ALWAYS(images, digits, generator()), images)


def test_the_share_is_kept_and_the_input_is_left_alone():
    images, digits = many(one(), 1, n=3000)
    before = images.clone()
    changed = (Allographs(upstroke=0.3, bar=0)(images, digits, generator()) != images).flatten(1).any(dim=1)
    assert float(changed.float().mean()) == pytest.approx(0.3, abs=0.03)
    assert torch.equal(images, before)


def test_ink_stays_in_range_and_an_empty_picture_is_no_error():
    images, digits = many(torch.zeros(1, 1, 28, 28), 7, n=5)
    drawn = ALWAYS(images, digits, generator())
    assert bool(torch.isfinite(drawn).all())
    assert 0 <= float(drawn.min()) <= float(drawn.max()) <= 1
