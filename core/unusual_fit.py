"""Fits a detector of unusual inputs to a checkpoint, on training digits and on made-up pictures alone."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from torch import nn

from core.card import ModelCard, update_card
from core.datasets import LabelledDigits
from core.errors import DatasetError
from core.outliers import cut_digits, redrawn, scrawls
from core.outputs import Outputs
from core.paths import CARD, DETECTOR
from core.predictor import Predictor
from core.unusual import CLAMP, Detector, distance_of, inputs, nearest, of_length_1

SEED = 23
BANK_PLAIN, BANK_REDRAWN = 2500, 1500  # digits in the bank, as they are and as a pen would draw them
LEAST_BANK = 20
PLAIN, REDRAWN, SCRAWLS, CUT = 40_000, 12_000, 28_000, 20_000  # pictures to learn from
SPREAD = 5000  # training digits that neither bank nor network has seen: what is usual is measured on them
WIDTH, EPOCHS, BATCH = 256, 8, 256
LIKE_A_DIGIT = 0.0  # scrawls that are nearer to the training digits than the mean digit is are left out
BYTES_A_BANK = 4_000_000
ACCEPTED = 0.99  # of the digits that nothing was fitted to

Progress = Callable[[str, int, int], None]
Pixels = UInt8[np.ndarray, "_n 28 28"]


def silent(stage: str, done: int, total: int) -> None:
    """Reports nothing."""


@dataclass(frozen=True, eq=False)
class Material:
    """The pictures: training digits in three disjoint parts, some of them redrawn, and made-up ones."""

    bank: Pixels
    learn: Pixels
    spread: Pixels
    scrawls: Pixels
    cut: Pixels


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
    banks = _banks(predictor.run(material.bank))
    spread = nearest(predictor.run(material.spread), banks)
    mean, std = spread.mean(axis=0), spread.std(axis=0)
    sums = distance_of(spread, mean, std)

    def strange(pixels: Pixels) -> Outputs:
        distances = distance_of(nearest(predictor.run(pixels), banks), mean, std)
        return predictor.run(pixels[distances > LIKE_A_DIGIT])

    digits = inputs(predictor.run(material.learn))
    others = np.concatenate([inputs(strange(material.scrawls)), inputs(strange(material.cut))])
    arrays = {
        "distance.mean": mean,
        "distance.std": std,
        "distance.sum_std": sums.std(keepdims=True),
        **_learned(digits, others, progress),
        "learned.mean": np.zeros(1, np.float32),
        "learned.std": np.ones(1, np.float32),
        "reference": np.zeros(1, np.float32),
    }
    learned = Detector(banks, arrays).learned(predictor.run(material.spread))
    arrays |= {"learned.mean": learned.mean(keepdims=True), "learned.std": learned.std(keepdims=True)}
    reference = Detector(banks, arrays).score(predictor.run(held_out.only(predictor.classes).images))
    return Detector(banks, arrays | {"reference": np.sort(reference)})


def gather(predictor: Predictor, training: LabelledDigits, progress: Progress = silent) -> Material:
    """The pictures to fit on; with few training digits, fewer of everything.

    Raises:
        DatasetError: too few digits of the model's classes.
    """
    known = training.only(predictor.classes)
    others = training.images[~np.isin(training.labels, predictor.classes)]
    wanted = BANK_PLAIN + BANK_REDRAWN + PLAIN + SPREAD
    share = min(1.0, len(known) / wanted)
    sizes = [int(share * size) for size in (BANK_PLAIN, BANK_REDRAWN, PLAIN, SPREAD)]
    if sizes[0] < LEAST_BANK:
        raise DatasetError(
            f"{training.name} has {len(known)} digits of the model's classes: too few to fit to."
        )
    order = np.random.default_rng(SEED).permutation(len(known))
    plain, drawn, learn, spread = (known.images[rows] for rows in np.split(order, np.cumsum(sizes))[:4])
    again = learn[: int(share * REDRAWN)]
    drawings = redrawn(
        np.concatenate([drawn, again]), progress=lambda *step: progress("digits drawn again", *step)
    )
    made_up = scrawls(int(share * SCRAWLS), seed=SEED, progress=lambda *step: progress("scrawls", *step))
    cut = cut_digits(learn, known.labels[order[sum(sizes[:2]) :][: len(learn)]], int(share * CUT), seed=SEED)
    if len(others):  # to a model of fewer classes the other digits are no less strange
        cut = np.concatenate([cut, others[: len(cut)]])
    return Material(
        np.concatenate([plain, drawings[: len(drawn)]]),
        np.concatenate([learn, drawings[len(drawn) :]]),
        spread,
        made_up,
        cut,
    )


def _banks(outputs: Outputs) -> dict[str, Float32[np.ndarray, "m _"]]:
    """All blocks but the first, whose means say little more than how much ink there is."""
    names = list(outputs.features)[1:] or list(outputs.features)
    size = BYTES_A_BANK // 2 // sum(outputs.features[name].shape[1] for name in names)
    chosen = np.linspace(0, len(outputs.logits) - 1, min(size, len(outputs.logits))).astype(int)
    banks = {name: of_length_1(outputs.features[name][chosen]) for name in names}
    # As they will be read back: the distances are small enough for the rounding to matter.
    return {name: of_length_1(bank.astype(np.float16).astype(np.float32)) for name, bank in banks.items()}


def _learned(
    digits: Float32[np.ndarray, "n d"], others: Float32[np.ndarray, "m d"], progress: Progress
) -> dict[str, np.ndarray]:
    """The weights of the small network."""
    mean, std = digits.mean(axis=0), digits.std(axis=0) + np.float32(1e-6)
    values = torch.from_numpy(((np.concatenate([digits, others]) - mean) / std).clip(-CLAMP, CLAMP))
    targets = torch.cat([torch.zeros(len(digits)), torch.ones(len(others))])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
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
        beside = predictor.folder / f".{CARD}.{DETECTOR}"
        beside.write_bytes(content)
        beside.replace(predictor.folder / DETECTOR)
        verdict = card.verdict | {
            "unusual_above": above,
            "accepted": ACCEPTED,
            "accepted_of": f"{len(detector.arrays['reference'])} digits of {held_out.name}",
        }
        hashes = card.hashes | {DETECTOR: hashlib.sha256(content).hexdigest()}
        return replace(card, verdict=verdict, hashes=hashes)

    return update_card(predictor.folder, change, key=predictor.key)
