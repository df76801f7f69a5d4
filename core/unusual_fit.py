"""Fits a detector of unusual inputs to a checkpoint, on training digits and on made-up pictures alone."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float32
from torch import nn

from core.card import ModelCard, attach
from core.datasets import LabelledDigits
from core.outliers import redrawn
from core.outputs import Outputs
from core.paths import DETECTOR
from core.predictor import Predictor
from core.unusual import (
    CHOSEN,
    CLAMP,
    Detector,
    Form,
    distance_of,
    inputs,
    nearest,
    of_length_1,
)
from core.unusual_material import SEED, Material, Progress, gather, silent

WIDTH, EPOCHS, BATCH = 256, 8, 256
LIKE_A_DIGIT = 0.0  # scrawls that are nearer to the training digits than the mean digit is are left out
BYTES_A_BANK = 4_000_000
ACCEPTED = 0.995  # of the digits that nothing was fitted to
LEAST_INK = np.float32(0.1)  # brightness, 0 to 255: digits without any ink outside differ by nothing
DRAWN_AGAIN = 2  # every second of them once more, as a pen would draw it

Distance = Callable[[Outputs], Float32[np.ndarray, " _n"]]
Lessons = Float32[np.ndarray, "_n _d"]


def fit_detector(
    predictor: Predictor, training: LabelledDigits, held_out: LabelledDigits, *, progress: Progress = silent
) -> Detector:
    """A detector for one checkpoint.

    Args:
        predictor: the checkpoint.
        training: digits that the network may have learned from.
        held_out: others, for the reference distribution of scores.
        progress: called with (stage, done, total).

    Raises:
        DatasetError: too few digits of the model's classes.
    """
    material = gather(predictor, training, progress)
    banks = banks_of(predictor.run(material.bank))
    spread = predictor.run(material.spread)
    near = nearest(spread, banks)
    mean, std = near.mean(axis=0), near.std(axis=0)
    digits, others = lessons(
        predictor, material, lambda outputs: distance_of(nearest(outputs, banks), mean, std)
    )
    arrays = {
        "distance.mean": mean,
        "distance.std": std,
        "distance.sum_std": distance_of(near, mean, std).std(keepdims=True),
        **learned_from(digits, np.concatenate(list(others.values())), progress),
        "learned.mean": np.zeros(1, np.float32),
        "learned.std": np.ones(1, np.float32),
        "reference": np.zeros(1, np.float32),
        **_outside(spread),
    }
    learned = Detector(banks, arrays).learned(spread)
    arrays |= {"learned.mean": learned.mean(keepdims=True), "learned.std": learned.std(keepdims=True)}
    usual = held_out.only(predictor.classes).images
    again = redrawn(
        usual[::DRAWN_AGAIN], progress=lambda *step: progress("held-out digits drawn again", *step)
    )
    reference = Detector(banks, arrays).score(predictor.run(np.concatenate([usual, again])))
    return Detector(banks, arrays | {"reference": np.sort(reference)})


def _outside(digits: Outputs) -> dict[str, np.ndarray]:
    """How much ink digits have where a network with an offset sees none."""
    if digits.outside is None:
        return {}
    std = np.maximum(digits.outside.std(keepdims=True), LEAST_INK)
    return {"outside.mean": digits.outside.mean(keepdims=True), "outside.std": std}


def banks_of(outputs: Outputs, form: Form = CHOSEN) -> dict[str, Float32[np.ndarray, "m _"]]:
    """The features that distances are measured to, of as many digits as the file has room for."""
    names = form.names(outputs.features)
    size = BYTES_A_BANK // 2 // sum(outputs.features[name].shape[1] for name in names)
    chosen = np.linspace(0, len(outputs.logits) - 1, min(size, len(outputs.logits))).astype(int)
    banks = {name: of_length_1(outputs.features[name][chosen]) for name in names}
    # As they will be read back: the distances are small enough for the rounding to matter.
    return {name: of_length_1(bank.astype(np.float16).astype(np.float32)) for name, bank in banks.items()}


def lessons(
    predictor: Predictor, material: Material, distance: Distance
) -> tuple[Lessons, dict[str, Lessons]]:
    """What the small network learns from: its inputs for digits, and for the made-up pictures by kind.

    Args:
        predictor: the checkpoint.
        material: the pictures.
        distance: gives the pictures' distances: those that are as near as digits are left out.
    """
    others = {}
    for name, pixels in material.made_up.items():
        outputs = predictor.run(pixels)
        others[name] = inputs(outputs)[distance(outputs) > LIKE_A_DIGIT]
    return inputs(predictor.run(material.learn)), others


def learned_from(digits: Lessons, others: Lessons, progress: Progress = silent) -> dict[str, np.ndarray]:
    """The weights of the small network."""
    mean, std = digits.mean(axis=0), digits.std(axis=0) + np.float32(1e-6)
    values = torch.from_numpy(((np.concatenate([digits, others]) - mean) / std).clip(-CLAMP, CLAMP))
    targets = torch.cat([torch.zeros(len(digits)), torch.ones(len(others))])
    threads = torch.get_num_threads()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        torch.set_num_threads(1)  # steps as small as these are slower with two
        network = nn.Sequential(
            nn.Linear(values.shape[1], WIDTH), nn.ReLU(), nn.Dropout(0.3), nn.Linear(WIDTH, 1)
        )
        optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=1e-3)
        for epoch in range(EPOCHS):
            for rows in torch.split(torch.randperm(len(values)), BATCH):
                loss = nn.functional.binary_cross_entropy_with_logits(
                    network(values[rows])[:, 0], targets[rows]
                )
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
            progress("learning", epoch + 1, EPOCHS)
    torch.set_num_threads(threads)
    weights = {name: value.detach().numpy() for name, value in network.named_parameters()}
    return {
        "input.mean": mean,
        "input.std": std,
        "hidden.weight": weights["0.weight"],
        "hidden.bias": weights["0.bias"],
        "output.weight": weights["3.weight"][0],
        "output.bias": weights["3.bias"],
    }


def keep_detector(predictor: Predictor, detector: Detector, held_out: LabelledDigits) -> ModelCard:
    """Puts a detector into its checkpoint, and what it accepts into the card, at once.

    Raises:
        CheckpointError: the checkpoint can't be written, or is of other weights by now.
    """
    content = detector.to_bytes()
    above = float(np.quantile(detector.arrays["reference"], ACCEPTED))

    def change(card: ModelCard) -> ModelCard:
        verdict = card.verdict | {
            "unusual_above": above,
            "accepted": ACCEPTED,
            "accepted_of": f"{len(held_out.only(card.classes))} digits of {held_out.name}, "
            "every second one also drawn again",
        }
        return replace(card, verdict=verdict)

    return attach(predictor.folder, DETECTOR, content, key=predictor.key, change=change)
