"""One network being trained: its optimiser, its schedule and the moving average of its weights."""

import copy
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from core.checkpoint import MNIST_NORMALISATION
from core.config import TrainConfig
from core.graphed import GraphedGradients
from core.models import DigitCNN, Network, ThreeSevenLinear, class_logits
from core.training_data import Batch, DeviceDigits, Pixels, as_floats

AVERAGE_WARM_UP = 10  # steps; the average must not remember the first, random weights


def normalise(images: Tensor) -> Tensor:
    """Pixels in [0, 1] to MNIST's zero mean and unit variance."""
    return (images - MNIST_NORMALISATION["mean"]) / MNIST_NORMALISATION["std"]


class Learner:
    """Takes steps, and hands out the network that a visitor would meet.

    Args:
        config: the recipe.
        model: on the device it is trained on.
        steps_per_epoch: for the schedule.
        processes: how many train together; each calls `step` with its share of a batch.
    """

    def __init__(self, config: TrainConfig, model: Network, steps_per_epoch: int, *, processes: int = 1):
        self.config, self.processes = config, processes
        layout = torch.channels_last if config.channels_last else torch.contiguous_format
        self.model = model.to(memory_format=layout)
        self.average = copy.deepcopy(self.model).eval() if config.ema else None
        self.device_type = next(model.parameters()).device.type
        self.frozen = _freeze(model) if config.frozen else []
        self.trained = [p for p in model.parameters() if p.requires_grad]
        self.network: nn.Module = DistributedDataParallel(model) if processes > 1 else model
        if config.compile:
            self.network = torch.compile(self.network)  # type: ignore[assignment]
        on_gpu = self.device_type == "cuda"
        self.optimiser = torch.optim.AdamW(
            self.trained,
            lr=config.learning_rate,
            weight_decay=config.weight_decay,
            foreach=not on_gpu,
            fused=on_gpu,
        )
        self.graphed = on_gpu and config.cuda_graphs and processes == 1 and not config.compile
        self._graphs: dict[int, GraphedGradients] = {}  # by the size of the batch
        self.schedule = _one_cycle(self.optimiser, config, config.epochs * steps_per_epoch + 1)
        self.steps = 0
        self._pairs = self._averaged_with()

    @property
    def rate(self) -> float:
        """The learning rate of the next step."""
        return float(self.schedule.get_last_lr()[0])

    @property
    def served(self) -> Network:
        """The averaged network where there is one, else the network itself; in evaluation mode."""
        return (self.average or self.model).eval()

    def step(self, batch: Batch, *, whole: int) -> tuple[Tensor, Tensor]:
        """One step of the optimiser.

        Args:
            batch: this process's share.
            whole: how many digits all shares hold together.

        Returns:
            The share's summed loss and number of hits, as tensors on the device: reading them waits.
        """
        self.network.train()
        for layer in self.frozen:  # their running statistics must not move either
            layer.eval()
        if self.graphed:
            if len(batch) not in self._graphs:
                self._graphs[len(batch)] = GraphedGradients(self._gradients, self.model, batch)
            loss, hits = self._graphs[len(batch)](batch)
        else:
            loss, hits = self._gradients(batch, whole)
        self.optimiser.step()
        self.schedule.step()
        self.steps += 1
        self._follow()
        return loss * len(batch), hits

    def _gradients(self, batch: Batch, whole: int) -> tuple[Tensor, Tensor]:
        """Leaves the clipped gradients at the parameters; returns the share's mean loss and its hits."""
        images = normalise(batch.images)
        if self.config.channels_last:
            images = images.contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device_type, torch.bfloat16, enabled=self.config.precision == "bfloat16"):
            outputs = self.network(images)
        logits = class_logits(outputs.float())
        loss = objective(logits, batch, self.config)
        self.optimiser.zero_grad(set_to_none=True)
        # Processes average their gradients, which must weigh as many digits as each of them saw.
        torch.autograd.backward(loss * (self.processes * len(batch) / whole))
        nn.utils.clip_grad_norm_(self.trained, self.config.clip_norm)
        return loss.detach(), (logits.argmax(dim=1) == batch.targets).sum()

    @torch.no_grad()
    def _follow(self) -> None:
        """Moves the average: average ← decay · average + (1 − decay) · weights (Polyak, Juditsky 1992)."""
        if self.average is None:
            return
        decay = min(self.config.ema, self.steps / (self.steps + AVERAGE_WARM_UP))
        torch._foreach_lerp_(*self._pairs, 1 - decay)

    def _averaged_with(self) -> tuple[list[Tensor], list[Tensor]]:
        """The average's weights and running statistics, and those that they follow; counters are neither."""
        both = (list(m.state_dict().values()) if m else [] for m in (self.average, self.model))
        ours, theirs = ([tensor for tensor in found if tensor.is_floating_point()] for found in both)
        return ours, theirs

    def state(self) -> dict[str, Any]:
        """Everything that later steps depend on."""
        return {
            "model": self.model.state_dict(),
            "average": self.average.state_dict() if self.average else None,
            "optimiser": self.optimiser.state_dict(),
            "schedule": self.schedule.state_dict(),
            "steps": self.steps,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Goes on from where `state` was taken."""
        self.model.load_state_dict(state["model"])
        if self.average:
            self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.schedule.load_state_dict(state["schedule"])
        self.steps = state["steps"]


def objective(logits: Float[Tensor, "batch classes"], batch: Batch, config: TrainConfig) -> Tensor:
    """(1 − d) · cross-entropy + d · T² · KL(teachers ‖ network) at temperature T.

    After Hinton, Vinyals, Dean, "Distilling the knowledge in a neural network" (2015), arXiv:1503.02531;
    the T² keeps the second term's gradient as large as the first one's.
    """
    loss = F.cross_entropy(logits, batch.targets, label_smoothing=config.label_smoothing)
    if batch.taught is None:
        return loss
    heat = config.temperature
    divergence = F.kl_div(
        F.log_softmax(logits / heat, dim=1),
        F.log_softmax(batch.taught.float() / heat, dim=1),
        log_target=True,
        reduction="batchmean",
    )
    return (1 - config.distillation) * loss + config.distillation * heat**2 * divergence


def _freeze(model: Network) -> list[nn.Module]:
    """The layers in front of the linear ones, without gradients."""
    layers = [model.conv_layers] if isinstance(model, DigitCNN) else []
    for layer in layers:
        layer.requires_grad_(False)
    return list(layers)


def _one_cycle(
    optimiser: torch.optim.Optimizer, config: TrainConfig, total: int
) -> torch.optim.lr_scheduler.OneCycleLR:
    warm_up = config.warm_up
    if warm_up * total == 1:  # torch divides by the rise's steps less one
        warm_up *= 1 + 1e-6
    return torch.optim.lr_scheduler.OneCycleLR(
        optimiser, max_lr=config.learning_rate, total_steps=total, pct_start=warm_up
    )


@torch.inference_mode()
def logits_of(model: nn.Module, images: Pixels, *, size: int = 512) -> Tensor:
    """One logit a class for images as bytes, in evaluation mode and full precision."""
    model.eval()
    # As the architecture is trained here (core.checkpoint.TRAINED_WITH).
    plain = isinstance(model, ThreeSevenLinear)
    floats = (as_floats(part) for part in torch.split(images, size))
    batches = floats if plain else map(normalise, floats)
    return torch.cat([class_logits(model(batch)) for batch in batches])


def measure(model: nn.Module, data: DeviceDigits) -> tuple[float, float]:
    """Mean cross-entropy and accuracy in evaluation mode, on the digits and on their drawn copies if any."""
    images = [data.images] if data.drawn is None else [data.images, data.drawn]
    logits = logits_of(model, torch.cat(images))
    targets = torch.cat([data.targets] * len(images))
    loss = F.cross_entropy(logits, targets)
    return float(loss), float((logits.argmax(dim=1) == targets).float().mean())
