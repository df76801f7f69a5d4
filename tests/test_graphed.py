"""Recorded gradients are the same as computed ones, whatever the batch, and leave no trace."""

from dataclasses import replace

import pytest
import torch

from core.config import TrainConfig
from core.learner import Learner
from core.models import DigitCNN
from core.training_data import Batch

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here")

CONFIG = TrainConfig(batch_size=16, dropout=0.0, head_dropout=0.0, label_smoothing=0.0, precision="float32")


def batches(*sizes: int, taught: bool = False) -> list[Batch]:
    torch.manual_seed(0)
    return [
        Batch(
            torch.rand(n, 1, 28, 28, device="cuda"),
            torch.randint(0, 10, (n,), device="cuda"),
            torch.randn(n, 10, device="cuda") if taught else None,
        )
        for n in sizes
    ]


@pytest.mark.parametrize("taught", [False, True])
def test_steps_give_the_same_weights_as_without_graphs(taught: bool):
    config = replace(CONFIG, distillation=0.5 if taught else 0.0, ema=0.9)
    found = []
    for graphs in (True, False):
        torch.manual_seed(1)
        learner = Learner(replace(config, cuda_graphs=graphs), DigitCNN().cuda(), steps_per_epoch=6)
        assert learner.graphed is graphs
        told = [learner.step(batch, whole=len(batch)) for batch in batches(16, 16, 7, 16, 7, taught=taught)]
        found.append((learner.served.state_dict(), [(float(loss), int(hits)) for loss, hits in told]))
    (ours, ours_told), (theirs, theirs_told) = found
    for name, value in ours.items():
        torch.testing.assert_close(value, theirs[name], rtol=1e-3, atol=1e-5, msg=name)
    assert [hits for _, hits in ours_told] == [hits for _, hits in theirs_told]
    assert [loss for loss, _ in ours_told] == pytest.approx([loss for loss, _ in theirs_told], rel=1e-3)


def test_the_recording_moves_no_statistics_and_no_random_numbers():
    learner = Learner(CONFIG, DigitCNN().cuda(), steps_per_epoch=6)
    torch.cuda.manual_seed(5)
    expected = torch.rand(3, device="cuda")
    torch.cuda.manual_seed(5)
    (batch,) = batches(16)
    torch.cuda.manual_seed(5)
    learner.step(batch, whole=16)
    assert learner.model.state_dict()["conv_layers.1.num_batches_tracked"] == 1
    torch.cuda.manual_seed(5)
    torch.testing.assert_close(torch.rand(3, device="cuda"), expected)
