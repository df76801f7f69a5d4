"""One step at a time: the moving average, the teachers' share of the loss, what stays frozen."""

import copy
import math
from dataclasses import replace

import pytest
import torch

from core.config import TrainConfig
from core.learner import Learner, logits_of, normalise, objective
from core.models import DigitCNN, ThreeSevenLinear
from core.training_data import Batch

CONFIG = TrainConfig(batch_size=8, label_smoothing=0.0, precision="float32")


def batch(n: int = 8, classes: int = 10, seed: int = 0) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand(n, 1, 28, 28, generator=generator)
    return Batch(images, torch.randint(0, classes, (n,), generator=generator), None)


def taught(share: float, heat: float) -> tuple[float, float]:
    """The objective, and the same by hand from probabilities."""
    logits = torch.tensor([[2.0, 0.0, -1.0], [0.5, 0.1, 3.0]], dtype=torch.float64)
    teachers = torch.tensor([[1.0, 1.0, -2.0], [0.0, 0.0, 4.0]], dtype=torch.float64)
    targets = torch.tensor([0, 1])
    lesson = Batch(torch.zeros(2, 1, 28, 28), targets, teachers)
    config = replace(CONFIG, distillation=share, temperature=heat)
    hard = sum(
        -math.log(math.exp(row[t]) / sum(map(math.exp, row)))
        for row, t in zip(logits.tolist(), (0, 1), strict=True)
    )
    soft = 0.0
    for row, told in zip(logits.tolist(), teachers.tolist(), strict=True):
        ours, theirs = ([math.exp(z / heat) for z in numbers] for numbers in (row, told))
        p, q = ([x / sum(xs) for x in xs] for xs in (ours, theirs))
        soft += sum(b * math.log(b / a) for a, b in zip(p, q, strict=True))
    expected = (1 - share) * hard / 2 + share * heat**2 * soft / 2
    return float(objective(logits, lesson, config)), expected


@pytest.mark.parametrize(("share", "heat"), [(0.0, 2.0), (0.5, 1.0), (0.8, 2.0), (1.0, 4.0)])
def test_the_objective_is_hintons(share: float, heat: float):
    found, expected = taught(share, heat)
    assert found == pytest.approx(expected, rel=1e-5)


def test_without_teachers_it_is_the_cross_entropy_alone():
    logits, lesson = torch.randn(8, 10), batch()
    alone = torch.nn.functional.cross_entropy(logits, lesson.targets)
    assert objective(logits, lesson, replace(CONFIG, distillation=0.5)) == alone


def test_the_average_follows_the_weights_by_its_decay():
    pupil = Learner(replace(CONFIG, ema=0.9), DigitCNN(), steps_per_epoch=4)
    name = "fc_layers.4.weight"
    expected = pupil.model.state_dict()[name].clone()
    for step in range(1, 16):
        pupil.step(batch(seed=step), whole=8)
        decay = min(0.9, step / (step + 10))  # the first steps' weights are forgotten fast
        expected = decay * expected + (1 - decay) * pupil.model.state_dict()[name]
    torch.testing.assert_close(pupil.average.state_dict()[name], expected)
    assert pupil.served is pupil.average
    counted = "conv_layers.1.num_batches_tracked"
    assert pupil.average.state_dict()[counted] == 0, "counters are no weights"


def test_without_an_average_the_network_itself_is_served_in_evaluation_mode():
    pupil = Learner(CONFIG, DigitCNN(), steps_per_epoch=4)
    pupil.step(batch(), whole=8)
    assert pupil.served is pupil.model
    assert not pupil.served.training


def test_a_frozen_network_learns_in_its_linear_layers_alone():
    model = DigitCNN()
    before = copy.deepcopy(model.state_dict())
    pupil = Learner(replace(CONFIG, frozen=True), model, steps_per_epoch=4)
    for seed in range(3):
        pupil.step(batch(seed=seed), whole=8)
    after = pupil.served.state_dict()
    changed = {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}
    assert changed == {"fc_layers"}, "not even the running means of batch normalisation move"


def test_a_step_reports_the_sum_of_losses_and_the_hits():
    pupil = Learner(replace(CONFIG, dropout=0, head_dropout=0), DigitCNN(), steps_per_epoch=4)
    pupil.model.set_dropout(0, 0)
    twin = copy.deepcopy(pupil.model).train()
    lesson = batch(16)
    logits = twin(normalise(lesson.images))
    loss, hits = pupil.step(lesson, whole=16)
    expected = torch.nn.functional.cross_entropy(logits, lesson.targets, reduction="sum")
    torch.testing.assert_close(loss, expected.detach(), rtol=1e-4, atol=1e-4)
    assert int(hits) == int((logits.argmax(dim=1) == lesson.targets).sum())


def test_bfloat16_reaches_the_same_loss_within_its_rounding():
    torch.manual_seed(0)
    model = DigitCNN()
    model.set_dropout(0, 0)
    losses = {}
    for kind in ("float32", "bfloat16"):
        pupil = Learner(replace(CONFIG, precision=kind), copy.deepcopy(model), steps_per_epoch=10)
        losses[kind] = [float(pupil.step(batch(64, seed=s), whole=64)[0]) / 64 for s in range(4)]
    assert losses["bfloat16"] == pytest.approx(losses["float32"], rel=0.02)
    assert losses["bfloat16"] != losses["float32"]


def test_a_restored_learner_takes_the_same_steps():
    config = replace(CONFIG, ema=0.99)
    pupil = Learner(config, DigitCNN(), steps_per_epoch=10)
    pupil.step(batch(seed=1), whole=8)
    state = copy.deepcopy(pupil.state())
    other = Learner(config, DigitCNN(), steps_per_epoch=10)
    other.restore(state)
    for one in (pupil, other):
        torch.manual_seed(5)
        one.step(batch(seed=2), whole=8)
    for name, value in pupil.served.state_dict().items():
        assert torch.equal(value, other.served.state_dict()[name]), name
    assert pupil.rate == other.rate


def test_logits_come_in_evaluation_mode_one_a_class():
    images = torch.randint(0, 256, (7, 28, 28), dtype=torch.uint8)
    model = ThreeSevenLinear().train()
    found = logits_of(model, images, size=3)
    score = model(images.unsqueeze(1).float() / 255)  # the linear model reads pixels as they are
    torch.testing.assert_close(found, torch.cat([score, torch.zeros(7, 1)], dim=1))
    assert not model.training
