"""Epochs: the same for the same seed and number, each digit once, distorted anew."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.allographs import Allographs
from core.augmentation import Affine, Augmentation, Blots, Elastic, Thickness
from core.config import RECIPES, TrainConfig
from core.errors import TrainingError
from core.training_data import DeviceDigits, TrainingData, augmentation
from tests.stripes import digits

STILL = TrainConfig(batch_size=32, rotation=0.0, translation=0.0, scale=0.0, shear=0.0)
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def on_device() -> DeviceDigits:
    return DeviceDigits(digits(100, 0), tuple(range(10)), CPU)


def pixels(batches) -> torch.Tensor:
    return torch.cat([batch.images for batch in batches])


def test_an_epoch_has_every_digit_once_with_its_target(on_device: DeviceDigits):
    batches = list(TrainingData(on_device, STILL).epoch(1))
    assert [len(batch) for batch in batches] == [32, 32, 32, 4]
    found = {
        image.numpy().tobytes(): int(t) for b in batches for image, t in zip(b.images, b.targets, strict=True)
    }
    expected = {
        (image.float() / 255)[None].numpy().tobytes(): int(t)
        for image, t in zip(on_device.images, on_device.targets, strict=True)
    }
    assert found == expected


def test_an_epoch_follows_from_the_seed_and_its_number_alone(on_device: DeviceDigits):
    config = replace(STILL, rotation=10.0)
    data = TrainingData(on_device, config)
    first, second = pixels(data.epoch(1)), pixels(data.epoch(2))
    assert not torch.equal(first, second)
    assert torch.equal(second, pixels(TrainingData(on_device, config).epoch(2))), "also without the first"
    assert not torch.equal(first, pixels(TrainingData(on_device, replace(config, seed=24)).epoch(1)))


def test_shares_of_a_batch_are_all_of_it(on_device: DeviceDigits):
    batch = next(TrainingData(on_device, STILL).epoch(1))
    shares = [batch.share(rank, 3) for rank in range(3)]
    assert [len(share) for share in shares] == [11, 11, 10]
    assert sorted(torch.cat([share.targets for share in shares]).tolist()) == sorted(batch.targets.tolist())
    torch.testing.assert_close(shares[1].images, batch.images[1::3])


def test_teachers_are_asked_once_a_view_and_their_answers_stay_with_the_digits(on_device: DeviceDigits):
    asked = []

    def teach(view: int, images: torch.Tensor) -> torch.Tensor:
        asked.append(view)
        return images.float().mean(dim=(1, 2))[:, None].repeat(1, 10)  # an answer that tells the picture

    config = replace(STILL, rotation=10.0, seed=5, views=3)
    data = TrainingData(on_device, config, teach)
    for batch in data.epoch(2):
        expected = batch.images.mean(dim=(1, 2, 3)) * 255
        torch.testing.assert_close(batch.taught[:, 0], expected, rtol=1e-4, atol=1e-3)
    first = pixels(data.epoch(1)).flatten(1).sum(dim=1).sort().values
    list(data.epoch(3))
    again = pixels(data.epoch(4)).flatten(1).sum(dim=1).sort().values
    assert asked == [1, 0, 2, 0]
    torch.testing.assert_close(first, again)  # view 0 again: the same distortions


def test_so_large_a_share_of_the_digits_is_drawn(monkeypatch: pytest.MonkeyPatch):
    data = digits(2000, 0)
    monkeypatch.setattr("core.training_data.drawn_copies", lambda found: 255 - found.images)
    on_device = DeviceDigits(data, tuple(range(10)), CPU, drawn=True)
    source = TrainingData(on_device, replace(STILL, drawn=0.25))
    images = source.distorted(torch.Generator().manual_seed(0), slice(500, 2000))
    own, inverted = (
        (images == expected[500:]).flatten(1).all(dim=1)
        for expected in (on_device.images, 255 - on_device.images)
    )
    assert (own ^ inverted).all()
    assert float(inverted.float().mean()) == pytest.approx(0.25, abs=0.035)
    assert DeviceDigits(data, tuple(range(10)), CPU).drawn is None, "copies cost time: only if wanted"


def test_the_augmentation_has_the_configurations_ranges():
    found, allographs = augmentation(RECIPES["cnn"]["reference"])
    reference = Affine(degrees=10, translate=0.1, scale=(0.9, 1.1), shear=5)
    assert (found, allographs) == (Augmentation(affine=reference), None)
    config = TrainConfig(elastic=0.7, thinner=0.2, thicker=0.3, blots=0.1, upstroke=0.4, bar=0.5, aspect=0.08)
    found, allographs = augmentation(config)
    assert found == Augmentation(
        Blots(0.1), replace(reference, aspect=0.08), Elastic(0.7), Thickness(0.2, 0.3)
    )
    assert allographs == Allographs(0.4, 0.5)
    assert augmentation(STILL) == (None, None)


def test_distortions_are_rounded_to_bytes_of_the_same_mean(on_device: DeviceDigits):
    data = TrainingData(on_device, replace(STILL, thicker=1e-9))
    distorted = data.distorted(torch.Generator().manual_seed(0))
    assert distorted.dtype == torch.uint8
    assert int((distorted.int() - on_device.images.int()).abs().max()) <= 1


def test_targets_are_rows_of_the_networks_classes():
    few = DeviceDigits(digits(200, 1), (3, 7), CPU)
    assert set(few.targets.tolist()) == {0, 1}
    np.testing.assert_array_equal(few.digits.numpy() == 7, few.targets.numpy() == 1)


def test_data_without_the_classes_is_refused():
    with pytest.raises(TrainingError, match=r"stripes-0 has no digit of the classes \(3, 7\)"):
        DeviceDigits(digits(50, 0).only((0, 1)), (3, 7), CPU)
