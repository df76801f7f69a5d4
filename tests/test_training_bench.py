"""The training benchmark measures what it says: the published loop as published, ours as trained."""

import time
from dataclasses import replace

import pytest
import torch

from core import training_bench
from core.augmentation import Affine
from core.config import RECIPES
from core.parts import Parts
from core.training_bench import PilDigits, measured_speeds
from tests.stripes import digits

CPU = torch.device("cpu")
PARTS = Parts(*(digits(20, seed) for seed in range(3)))


def test_speeds_are_images_over_seconds(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(training_bench, "SECONDS", {"cpu": 0.2})

    def slow() -> int:
        time.sleep(0.02)
        return 10

    def fast() -> int:
        time.sleep(0.02)
        return 40

    speeds = measured_speeds({"slow": slow, "fast": fast}, CPU)
    assert [len(found) for found in speeds.values()] == [training_bench.ROUNDS] * 2
    fastest = {name: max(found) for name, found in speeds.items()}
    assert fastest["fast"] / fastest["slow"] == pytest.approx(4, rel=0.2)
    assert 300 < fastest["slow"] <= 10 / 0.02


def test_the_published_pipeline_distorts_within_the_reference_recipe():
    data = PilDigits(digits(3, 0))
    image, label = data[1]
    assert image.shape == (1, 28, 28)
    assert label == int(data.data.labels[1])
    reference = RECIPES["cnn"]["reference"]
    rotation, affine = data.transform.transforms[1:3]
    assert rotation.degrees == [-reference.rotation, reference.rotation]
    ours = Affine(reference.rotation, reference.translation, (0.9, 1.1), reference.shear)
    assert (affine.translate, affine.scale) == ((ours.translate, ours.translate), ours.scale)
    assert affine.shear == [-ours.shear, ours.shear]


def test_our_loop_takes_distorted_batches_of_the_recipes_size():
    data = digits(2000, 0)
    config = replace(RECIPES["cnn"]["plain"], drawn=0.0)
    step = training_bench._ours(data, config, CPU)
    assert [step() for _ in range(3)] == [config.batch_size] * 3


def test_without_a_gpu_its_rows_are_not_measured(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(training_bench, "_throughput", lambda *_: iter(()))
    rows = list(training_bench._rows(PARTS, CPU))
    assert [row.limit for row in rows] == [20, 2, 10]
    assert all(row.value is None and row.reached is None and "no CUDA" in row.against for row in rows)


def test_a_goal_is_met_by_the_first_rung_whose_mean_reaches_it(monkeypatch: pytest.MonkeyPatch):
    reached = {1: 0.985, 2: 0.991, 3: 0.993, 4: 0.995}

    def pretend(config, parts, device, seed: int) -> tuple[float, float]:
        return config.epochs * 0.5, reached.get(config.epochs, 0.996) + 0.0001 * (seed - 3)

    kept = []
    monkeypatch.setattr(training_bench, "drawn_copies", lambda part: kept.append(part))
    monkeypatch.setattr("core.training_data.drawn_copies", lambda part: part.images)
    monkeypatch.setattr(training_bench, "_seconds", pretend)
    loaded, *rows = list(training_bench._times_on_gpu(PARTS, CPU))
    assert [(row.figure, row.value, row.n) for row in rows] == [
        ("50 epochs on a GPU", 25.0, 1),
        ("time to 99.0% on a GPU", 1.0, 5),
        ("time to 99.4% on a GPU", 2.0, 5),
    ]
    assert rows[1].against == "2 epochs, validation 99.10% ± 0.02%"
    assert kept == [PARTS.training, PARTS.validation], "no run waits for copies to be made"
    assert 0 < loaded.value < 5
    assert loaded.figure.startswith("data onto the GPU")
