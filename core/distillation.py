"""Teachers: trained networks whose averaged answers a new one learns from, beside the labels."""

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from core.checkpoint import load_for_training
from core.config import TrainConfig
from core.errors import TrainingError
from core.learner import logits_of
from core.models import Network
from core.paths import runs_folder
from core.training_data import Pixels, Teach

# What decides the distorted digits that the teachers look at.
DISTORTIONS = (
    *("rotation", "translation", "scale", "shear", "aspect", "elastic"),
    *("thinner", "thicker", "blots", "upstroke", "bar", "drawn"),
)
SAMPLED = 97  # every so many digits tell one view from another
SIZES = {"cuda": 4096}  # digits that a teacher looks at together


def teachers_of(config: TrainConfig, device: torch.device) -> Teach | None:
    """The teachers that a configuration names; None if it names none.

    Raises:
        CheckpointError: a teacher is missing, damaged or of another architecture.
        TrainingError: there is one without the other: teachers and a share of the loss for them.
    """
    if bool(config.teachers) != bool(config.distillation):
        raise TrainingError(
            f"--teachers names {len(config.teachers)} checkpoints, and --distillation is "
            f"{config.distillation}. Give both, or neither: `python train.py cnn --seeds 4` leaves "
            "checkpoints in runs/ that can teach."
        )
    if not config.teachers:
        return None
    models, keys = [], []
    for name in config.teachers:
        model, card = load_for_training(name, config.architecture)
        models.append(model.to(device).eval())
        keys.append(card.hashes["model.safetensors"])
    views = [getattr(config, field) for field in DISTORTIONS]
    key = hashlib.sha256(
        json.dumps([sorted(keys), views, device.type, config.precision]).encode()
    ).hexdigest()[:12]
    layout = torch.channels_last if config.channels_last else torch.contiguous_format
    models = [model.to(memory_format=layout) for model in models]
    return Ensemble(models, runs_folder() / f"teachers-{key}", config.precision)


class Ensemble:
    """The mean of several networks' logits.

    They are kept on disk by view: other seeds learn from the same views, and need not ask again.
    """

    def __init__(self, models: list[Network], cache: Path, precision: str):
        self.models, self.cache, self.precision = models, cache, precision

    def __call__(self, view: int, images: Pixels) -> Float[Tensor, "n classes"]:
        """The teachers' logits for a view of the training digits (float16)."""
        name = hashlib.sha256(images[::SAMPLED].cpu().numpy().tobytes()).hexdigest()[:12]
        path = self.cache / f"view-{view}-{name}.npy"
        with suppress(FileNotFoundError, ValueError, EOFError):  # not there, or damaged
            return torch.from_numpy(np.load(path)).to(images.device)
        with torch.autocast(images.device.type, torch.bfloat16, enabled=self.precision == "bfloat16"):
            each = [
                logits_of(model, images, size=SIZES.get(images.device.type, 512)) for model in self.models
            ]
        logits = torch.stack(each).float().mean(dim=0).half()
        self.cache.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        with beside.open("wb") as file:
            np.save(file, logits.cpu().numpy())
        beside.replace(path)
        return logits.clone()
