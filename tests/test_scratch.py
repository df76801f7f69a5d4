"""The 3-or-7 model from nothing: its mathematics against autograd and PyTorch, rates that are too high."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from core import scratch, scratch_torch
from core.config import LOSSES
from core.datasets import LabelledDigits
from core.errors import TrainingError
from core.scratch import ScratchConfig, ScratchDigits, Weights, scratch_digits, train


@pytest.fixture(scope="module")
def noise() -> ScratchDigits:
    generator = np.random.default_rng(3)
    images = generator.integers(0, 256, (300, 784), dtype=np.uint8)
    return ScratchDigits(images, generator.integers(0, 2, 300).astype(np.float64))


def drawn(seed: int, scale: float = 1.0) -> Weights:
    values = np.random.default_rng(seed).standard_normal(785) * scale
    return Weights(values[:-1], float(values[-1]))


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("scale", [0.0, 0.05, 1.0])
def test_gradients_are_those_of_autograd(noise: ScratchDigits, loss: str, scale: float):
    x, y, weights = noise.rows(slice(None)), noise.targets, drawn(1, scale)
    dw, db = scratch.gradient(x, y, scratch.forward(x, weights), loss)
    w = torch.tensor(weights.w, requires_grad=True)
    b = torch.tensor(weights.b, dtype=torch.float64, requires_grad=True)
    p = torch.sigmoid(torch.tensor(x) @ w + b)
    target = torch.tensor(y)
    if loss == "distance":  # as the published notebook writes it
        cost = torch.where(target == 1, 1 - p, p).mean()
    else:
        cost = torch.nn.functional.binary_cross_entropy_with_logits(torch.tensor(x) @ w + b, target)
    cost.backward()
    np.testing.assert_allclose(dw, w.grad.numpy(), rtol=0, atol=1e-12)
    assert db == pytest.approx(float(b.grad), abs=1e-12)
    assert float(scratch.loss_of(scratch.forward(x, weights), y, loss).mean()) == pytest.approx(cost.item())


@pytest.mark.parametrize("loss", LOSSES)
def test_gradients_are_the_slopes_of_the_loss(noise: ScratchDigits, loss: str):
    """Against finite differences, which know nothing of the chain rule."""
    x, y, weights = noise.rows(slice(0, 50)), noise.targets[:50], drawn(2, 0.05)
    dw, _ = scratch.gradient(x, y, scratch.forward(x, weights), loss)
    for pixel in (0, 400, 783):
        means = []
        for side in (-1, 1):
            moved = weights.w.copy()
            moved[pixel] += side * 1e-6
            means.append(scratch.loss_of(scratch.forward(x, Weights(moved, weights.b)), y, loss).mean())
        assert dw[pixel] == pytest.approx((means[1] - means[0]) / 2e-6, abs=1e-8)


@pytest.mark.parametrize("start", ["zero", "normal"])
@pytest.mark.parametrize("loss", LOSSES)
def test_pytorch_gives_the_same_weights_step_for_step(noise: ScratchDigits, loss: str, start: str):
    """Batches of one epoch are steps: with an epoch of one batch each state is one step."""
    config = ScratchConfig(loss=loss, start=start, rate=0.05, batch=len(noise), epochs=25, seed=5)
    states = zip(train(config, noise, noise), scratch_torch.train(config, noise, noise), strict=True)
    for ours, theirs in states:
        np.testing.assert_allclose(ours.weights.w, theirs.weights.w, rtol=0, atol=1e-9)
        assert ours.weights.b == pytest.approx(theirs.weights.b, abs=1e-9)
        assert (ours.loss, ours.accuracy) == pytest.approx((theirs.loss, theirs.accuracy))


def test_pytorch_gives_the_same_curves_over_many_batches(noise: ScratchDigits):
    config = ScratchConfig(loss="distance", start="normal", rate=1.0, batch=32, epochs=4)
    pairs = list(zip(train(config, noise, noise), scratch_torch.train(config, noise, noise), strict=True))
    assert len(pairs) == 5
    for ours, theirs in pairs:
        assert ours.validation_loss == pytest.approx(theirs.validation_loss, abs=1e-9)
    assert not np.array_equal(pairs[0][0].weights.w, pairs[-1][0].weights.w)


def test_extreme_logits_neither_overflow_nor_lose_their_cost():
    z = np.array([-1e4, -800.0, 0.0, 800.0, 1e4])
    with np.errstate(all="raise", under="ignore"):
        p = scratch.sigmoid(z)
        cost = scratch.loss_of(z, np.ones(5), "cross-entropy")
    np.testing.assert_array_equal(p, [0, 0, 0.5, 1, 1])
    np.testing.assert_allclose(cost, [1e4, 800, math.log(2), 0, 0], atol=1e-12)


def test_starts_are_zero_or_standard_normal_by_the_seed():
    zero, normal = (scratch.started(ScratchConfig(start=start, seed=9)) for start in ("zero", "normal"))
    assert not zero.w.any()
    assert zero.b == 0
    assert abs(normal.w.mean()) < 0.15
    assert normal.w.std() == pytest.approx(1, abs=0.1)
    faint = scratch.started(ScratchConfig(start="faint", seed=9))
    np.testing.assert_allclose(faint.w, normal.w / 10)
    assert np.array_equal(normal.w, scratch.started(ScratchConfig(start="normal", seed=9)).w)
    assert not np.array_equal(normal.w, scratch.started(ScratchConfig(start="normal", seed=10)).w)


def test_an_epoch_sees_every_digit_once_in_an_order_of_its_own():
    config = ScratchConfig(batch=64)
    first, second = (np.concatenate(scratch.batches(300, config, epoch)) for epoch in (1, 2))
    assert sorted(first) == sorted(second) == list(range(300))
    assert not np.array_equal(first, second)
    assert [len(rows) for rows in scratch.batches(300, config, 1)] == [64, 64, 64, 64, 44]


def test_going_on_from_an_epoch_gives_what_an_unbroken_run_gives(noise: ScratchDigits):
    config = ScratchConfig(start="normal", batch=50, epochs=6)
    whole = list(train(config, noise, noise))
    rest = list(train(config, noise, noise, after=whole[3]))
    assert [state.epoch for state in rest] == [4, 5, 6]
    assert np.array_equal(rest[-1].weights.w, whole[-1].weights.w)


def test_weights_that_are_no_longer_finite_end_the_run(noise: ScratchDigits):
    wild = replace(ScratchConfig(epochs=10), rate=1e308, loss="cross-entropy")
    states = list(train(wild, noise, noise))
    assert len(states) < 11
    assert not np.isfinite(states[-1].validation_loss)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rate": 0.0}, r"rate is 0\.0; give a number in \(0, ∞\)"),
        ({"rate": float("nan")}, "rate is nan"),
        ({"rate": float("inf")}, "rate is inf"),
        ({"batch": 0}, "batch is 0"),
        ({"epochs": 0}, "epochs is 0"),
        ({"seed": -1}, "seed is -1"),
        ({"loss": "hinge"}, "loss is 'hinge'; give one of cross-entropy, distance"),
        ({"start": "ones"}, "start is 'ones'; give one of zero, faint, normal"),
    ],
)
def test_settings_that_cannot_be_are_named(change: dict, message: str):
    with pytest.raises(TrainingError, match=message):
        ScratchConfig(**change)


@pytest.mark.parametrize(("there", "missing"), [(3, 7), (7, 3)])
def test_digits_of_one_class_alone_are_refused(there: int, missing: int):
    images = np.zeros((4, 28, 28), dtype=np.uint8)
    data = LabelledDigits("one", images, np.array([there, there, 5, 0]), "made for a test")
    with pytest.raises(TrainingError, match=f"There is no {missing} among the digits.*everything a {there}"):
        scratch_digits(data)


def test_threes_are_1_and_sevens_0():
    images = np.arange(3 * 784, dtype=np.int64).reshape(3, 28, 28).astype(np.uint8)
    digits = scratch_digits(LabelledDigits("few", images, np.array([7, 3, 4]), "made for a test"))
    assert digits.targets.tolist() == [0, 1]
    np.testing.assert_array_equal(digits.rows(slice(1, 2))[0], images[1].reshape(-1) / 255)


@pytest.fixture(scope="module")
def mnist(mnist_files) -> tuple[ScratchDigits, ScratchDigits]:
    from core.datasets import load_dataset

    train_part, validation = (
        scratch_digits(load_dataset(f"mnist-{part}")) for part in ("train", "validation")
    )
    return train_part, validation


@pytest.mark.parametrize("rate", [1000.0, 300.0])
def test_a_rate_that_is_too_high_on_mnist_is_told_in_words(mnist, rate: float):
    from core.divergence import trouble

    for loss, start in (("cross-entropy", "zero"), ("cross-entropy", "normal")):
        config = ScratchConfig(loss=loss, start=start, rate=rate, epochs=3)
        found = trouble(list(train(config, *mnist)), config)
        assert found is not None
        assert found.kind in ("diverged", "overshoots")
        assert "too high: lower it" in found.words


def test_the_recipes_are_in_no_trouble_on_mnist(mnist):
    from core.divergence import trouble

    for loss, start, rate in (("cross-entropy", "zero", 1.0), ("distance", "normal", 1.0)):
        config = ScratchConfig(loss=loss, start=start, rate=rate, epochs=5)
        states = list(train(config, *mnist))
        for n in range(1, len(states) + 1):
            assert trouble(states[:n], config) is None
