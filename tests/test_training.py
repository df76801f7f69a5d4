"""Training on a few hundred small digits: repeatable, chosen by validation, and loud when it fails."""

import inspect
import io
import math
from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest
import torch

from core import learner, training
from core.config import RECIPES, TrainConfig
from core.datasets import LabelledDigits
from core.errors import TrainingError
from core.learner import Learner, measure, normalise
from core.models import ARCHITECTURES
from core.runs import StepReport, open_run
from core.training import TrainingRun, train
from core.training_data import DeviceDigits
from tests.stripes import digits

CPU = torch.device("cpu")
QUICK = TrainConfig(epochs=3, batch_size=32, precision="float32")
LINEAR = RECIPES["linear"]["reference"]


@pytest.fixture(scope="module")
def data() -> tuple[LabelledDigits, LabelledDigits]:
    return digits(320, 0), digits(200, 1)


@pytest.fixture(scope="module")
def reports() -> list[StepReport]:
    return []


@pytest.fixture(scope="module")
def run(data, reports) -> TrainingRun:
    return train(QUICK, *data, device=CPU, report=reports.append)


def accuracy_of(run: TrainingRun, data: LabelledDigits) -> float:
    images = torch.from_numpy(data.images).unsqueeze(1).float() / 255
    with torch.no_grad():
        found = run.model(normalise(images)).argmax(dim=1).numpy()
    return float((found == data.labels).mean())


def test_the_same_seed_gives_the_same_weights_bit_for_bit(run: TrainingRun, data):
    again = train(QUICK, *data, device=CPU)
    for name, value in run.model.state_dict().items():
        assert torch.equal(value, again.model.state_dict()[name]), name
    timeless = [[{k: v for k, v in row.items() if k != "seconds"} for row in r.history] for r in (run, again)]
    assert timeless[0] == timeless[1]


def test_another_seed_gives_other_weights(run: TrainingRun, data):
    other = train(replace(QUICK, seed=24, epochs=1), *data, device=CPU)
    assert not torch.equal(run.model.fc_layers[4].weight, other.model.fc_layers[4].weight)


def test_the_loss_falls_and_the_digits_are_learned(run: TrainingRun, data):
    losses = [row["loss"] for row in run.history]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.8 * losses[0]
    assert accuracy_of(run, data[1]) > 0.3


def test_the_model_is_the_one_of_the_best_epoch_by_validation(run: TrainingRun, data):
    best = max(run.history, key=lambda row: (row["validation_accuracy"], -row["validation_loss"]))
    assert run.best_epoch == best["epoch"]
    assert accuracy_of(run, data[1]) == pytest.approx(best["validation_accuracy"])
    assert not run.model.training


@pytest.mark.parametrize(("third_loss", "best"), [(0.8, 3), (0.9, 2), (0.95, 2)])
def test_an_earlier_epoch_is_kept_when_later_ones_are_worse(data, monkeypatch, third_loss: float, best: int):
    # The second and the third are equally accurate, so that the loss decides; on a tie the earlier stays.
    measured = iter([(1.0, 0.5), (0.9, 0.7), (third_loss, 0.7), (0.1, 0.6)])
    weights = []

    def pretend(model: torch.nn.Module, _held_out: object) -> tuple[float, float]:
        weights.append(model.fc_layers[4].weight.detach().clone())
        return next(measured)

    monkeypatch.setattr(training, "measure", pretend)
    short = LabelledDigits("few", data[0].images[:40], data[0].labels[:40], "")
    run = train(replace(QUICK, epochs=4), short, data[1], device=CPU)
    assert run.best_epoch == best
    assert torch.equal(run.model.fc_layers[4].weight, weights[best - 1])
    assert not torch.equal(run.model.fc_layers[4].weight, weights[3])


def test_reports_count_every_epoch_to_its_last_step(run: TrainingRun, reports: list[StepReport]):
    assert [(report.step, report.steps, report.epoch) for report in reports] == [
        (10, 30, 1),
        (20, 30, 2),
        (30, 30, 3),
    ]
    assert [report.validation_accuracy for report in reports] == [
        None,
        run.history[0]["validation_accuracy"],
        run.history[1]["validation_accuracy"],
    ]
    assert reports[-1].loss == pytest.approx(run.history[-1]["loss"])


def test_the_rate_rises_for_a_tenth_of_the_steps_and_falls_in_a_cosine():
    config = TrainConfig(architecture="ThreeSevenLinear", epochs=10, learning_rate=3e-3)
    pupil = Learner(config, ARCHITECTURES["ThreeSevenLinear"](), steps_per_epoch=10)
    rates = []
    for _ in range(100):
        rates.append(pupil.rate)
        pupil.optimiser.step()
        pupil.schedule.step()
    assert rates[0] == pytest.approx(3e-3 / 25)
    assert int(np.argmax(rates)) in (9, 10)
    assert max(rates) == pytest.approx(3e-3, rel=2e-3)
    middle = 3e-3 * (1 + math.cos(math.pi / 2)) / 2
    assert rates[54] == pytest.approx(middle, rel=0.03)
    assert rates[-1] < 3e-5
    assert rates[10:] == sorted(rates[10:], reverse=True)


def test_the_defaults_are_the_reference_recipe():
    config = RECIPES["cnn"]["reference"]
    assert (config.learning_rate, config.warm_up, config.weight_decay) == (3e-3, 0.1, 1e-4)
    assert (config.batch_size, config.epochs, config.label_smoothing) == (64, 50, 0.1)
    assert (config.clip_norm, config.seed) == (1.0, 23)


def test_gradients_are_clipped(data, monkeypatch: pytest.MonkeyPatch):
    norms = []
    clip = torch.nn.utils.clip_grad_norm_

    def watched(parameters, limit: float):
        parameters = list(parameters)
        clip(parameters, limit)
        norms.append(math.sqrt(sum(float(p.grad.pow(2).sum()) for p in parameters)))

    monkeypatch.setattr(learner.nn.utils, "clip_grad_norm_", watched)
    train(replace(QUICK, epochs=1, clip_norm=0.05), *data, device=CPU)
    assert len(norms) == 10
    assert max(norms) <= 0.0501


def test_the_linear_model_learns_from_threes_and_sevens_alone(data):
    config = replace(LINEAR, epochs=5)
    train_only, validation = data
    run = train(config, train_only, validation, device=CPU)
    assert run.model.classes == (3, 7)
    only = train(config, train_only.only((3, 7)), validation.only((3, 7)), device=CPU)
    assert torch.equal(run.model.linear.weight, only.model.linear.weight)
    known = validation.only((3, 7))
    with torch.no_grad():
        images = torch.from_numpy(known.images).unsqueeze(1).float() / 255
        threes = run.model(normalise(images))[:, 0].numpy() > 0
    assert ((known.labels == 3) == threes).mean() > 0.95


def test_a_loss_that_is_not_finite_names_the_learning_rate(data, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(learner, "normalise", lambda images: images * float("nan"))
    with pytest.raises(TrainingError, match=r"no longer finite in epoch 1, step 10\. Lower --learning-rate"):
        train(QUICK, *data, device=CPU)


def test_a_loss_that_is_not_finite_leaves_the_last_good_state(data, tmp_path, monkeypatch):
    monkeypatch.setenv("DIGITSCOPE_RUNS", str(tmp_path))
    calls = iter(range(1000))

    def breaks_in_the_third_epoch(images: torch.Tensor) -> torch.Tensor:
        steps = next(calls) - 2  # an epoch is 10 steps, and 1 call to measure it
        return normalise(images) * (float("nan") if steps >= 22 else 1)

    monkeypatch.setattr(learner, "normalise", breaks_in_the_third_epoch)
    with open_run("test", QUICK) as folder:
        with pytest.raises(TrainingError, match=r"in epoch 3, .* Epoch 2's state is kept in .*/test\. Lower"):
            train(QUICK, *data, device=CPU, folder=folder)
        kept = torch.load(io.BytesIO(folder.state()), weights_only=True)
    assert len(kept["history"]) == 2
    for weights in (kept["chosen"], kept["learner"]["model"]):
        assert all(bool(torch.isfinite(value).all()) for value in weights.values())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"architecture": "ResNet"}, r"'ResNet': use one of DigitCNN, ThreeSevenLinear"),
        ({"epochs": 0}, r"--epochs is 0; give a whole number in \[1, ∞\)"),
        ({"warm_up": 1.0}, r"--warm-up is 1\.0; give a number in \(0, 1\)"),
        ({"warm_up": 0}, "--warm-up is 0;"),
        ({"label_smoothing": 1.0}, r"--label-smoothing is 1\.0; give a number in \[0, 1\)"),
        ({"weight_decay": -0.1}, "--weight-decay is -0.1"),
        ({"clip_norm": 0.0}, r"--clip-norm is 0\.0; give a number in \(0, ∞\)"),
        ({"clip_norm": math.inf}, "--clip-norm is inf"),
        ({"rotation": 181}, r"--rotation is 181; give a number in \[0, 180\]"),
        ({"translation": -0.1}, "--translation is -0.1"),
        ({"scale": 1.0}, r"--scale is 1\.0; give a number in \[0, 1\)"),
        ({"shear": 90.0}, "--shear is 90.0"),
        ({"seed": -1}, "--seed is -1; give a whole number"),
        ({"seed": 2**32}, r"--seed is 4294967296; give a whole number in \[0, 4294967296\)"),
        ({"batch_size": -1}, r"--batch-size is -1"),
        ({"learning_rate": 0.0}, r"--learning-rate is 0\.0"),
        ({"learning_rate": float("nan")}, r"--learning-rate is nan"),
    ],
)
def test_a_config_that_cannot_train_is_refused(data, change: dict[str, object], message: str):
    with pytest.raises(TrainingError, match=message):
        train(replace(QUICK, **change), *data, device=CPU)


@pytest.mark.parametrize(("n", "warm_up"), [(96, 0.1), (10, 0.25)])
def test_a_rise_of_a_single_step_is_no_division_by_zero(data, n: int, warm_up: float):
    few = LabelledDigits("few", data[0].images[:n], data[0].labels[:n], "")
    run = train(replace(QUICK, warm_up=warm_up), few, data[1], device=CPU)
    assert len(run.history) == 3


@pytest.mark.parametrize("fails", [False, True])
def test_convolutions_are_in_full_precision_for_the_run_alone(data, monkeypatch, fails: bool):
    seen = []

    def watched(model: torch.nn.Module, held_out: object) -> tuple[float, float]:
        seen.append(torch.backends.cudnn.allow_tf32)
        if fails:
            raise TrainingError("stopped")
        return measure(model, held_out)

    monkeypatch.setattr(training, "measure", watched)
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    with pytest.raises(TrainingError) if fails else nullcontext():
        train(replace(QUICK, epochs=1), *data, device=CPU)
    assert (seen, torch.backends.cudnn.allow_tf32) == ([False], True)


def test_data_without_the_models_digits_is_refused(data):
    with pytest.raises(TrainingError, match="There is no 3 among the digits"):
        train(LINEAR, data[0].only((0, 1)), data[1], device=CPU)


def test_the_test_set_has_no_way_in():
    parameters = list(inspect.signature(train).parameters)
    assert parameters == ["config", "training", "validation", "device", "start", "report", "folder", "watch"]
    assert "mnist" not in inspect.getsource(training).replace("MNIST", "")


def test_measuring_is_the_mean_over_digits_in_evaluation_mode(run: TrainingRun, data):
    held_out = DeviceDigits(data[1], run.model.classes, CPU)
    loss, accuracy = measure(run.model, held_out)
    images = normalise(torch.from_numpy(data[1].images).unsqueeze(1).float() / 255)
    with torch.no_grad():
        chances = run.model(images).double().softmax(dim=1)
    expected = -chances[torch.arange(len(images)), torch.from_numpy(data[1].labels)].log().mean()
    assert loss == pytest.approx(float(expected), rel=1e-4)
    assert accuracy == pytest.approx(accuracy_of(run, data[1]))


def test_measuring_is_on_the_drawn_copies_too_where_there_are(
    run: TrainingRun, data, monkeypatch: pytest.MonkeyPatch
):
    inverted = replace(data[1], images=255 - data[1].images)
    monkeypatch.setattr("core.training_data.drawn_copies", lambda digits: 255 - digits.images)
    classes = run.model.classes
    both = measure(run.model, DeviceDigits(data[1], classes, CPU, drawn=True))
    each = [measure(run.model, DeviceDigits(digits, classes, CPU)) for digits in (data[1], inverted)]
    assert both == pytest.approx(np.mean(each, axis=0), rel=1e-5)
    assert each[0][1] != each[1][1]


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_a_network_that_learns_from_drawn_copies_is_chosen_by_them(
    data, monkeypatch: pytest.MonkeyPatch, share: float
):
    seen = []

    def pretend(_model: torch.nn.Module, held_out: DeviceDigits) -> tuple[float, float]:
        seen.append(held_out.drawn is not None)
        return 1.0, 0.5

    monkeypatch.setattr("core.training_data.drawn_copies", lambda digits: digits.images)
    monkeypatch.setattr(training, "measure", pretend)
    train(replace(QUICK, epochs=1, drawn=share), *data, device=CPU)
    assert seen == [share > 0]


def test_normalising_gives_mnists_zero_mean_and_unit_variance():
    pixels = torch.tensor([0.1307, 0.1307 + 0.3081, 0.0])
    torch.testing.assert_close(normalise(pixels), torch.tensor([0.0, 1.0, -0.1307 / 0.3081]))
