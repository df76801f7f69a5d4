"""Which form the score of unusualness takes: chosen on digits and on made-up pictures alone.

`python -m core choose-detector` compares every form in `CANDIDATES`. Its material is MNIST's training and
validation digits, and the kinds of `core.made_up`. The small network that judges a kind has never met it: it
is fitted to all the others (leave one out). None of the sets that `measure-detector` reports on is read.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from core.detection import detection
from core.labelled import LabelledDigits
from core.made_up import FITTED, KINDS
from core.outliers import redrawn
from core.outputs import Outputs
from core.predictor import Predictor
from core.unusual import CHOSEN, Detector, Features, Form, Scores, nearest
from core.unusual_fit import DRAWN_AGAIN, banks_of, learned_from, lessons
from core.unusual_material import SEED, Pixels, Progress, gather, silent, varied

WEIGHTS = (0.5, 1.0, 2.0, 4.0)
BLOCKS = ((2, 3, 4), (1, 2, 3, 4), (2, 3), (3, 4))
ALL = Form("distance", 1.0, (1, 2, 3, 4))
CANDIDATES = (
    *(
        Form(combination, weight, blocks)
        for blocks in BLOCKS
        for combination in ("fisher", "softplus", "maximum")
        for weight in WEIGHTS
    ),
    *(Form("distance", 1.0, blocks) for blocks in BLOCKS),
    Form("learned", 1.0, CHOSEN.blocks),
)
JUDGED = 2000  # pictures of each kind


@dataclass(frozen=True)
class Compared:
    """What one form reached.

    Attributes:
        form: the form.
        auroc: its mean over kinds and ways to write the digits, by kind of made-up picture.
    """

    form: Form
    auroc: dict[str, float]

    @property
    def mean(self) -> float:
        """The mean over the kinds, each with one vote."""
        return float(np.mean(list(self.auroc.values())))


def choose_detector(
    predictor: Predictor, training: LabelledDigits, held_out: LabelledDigits, *, progress: Progress = silent
) -> list[Compared]:
    """Every candidate, the best first.

    Args:
        predictor: the checkpoint whose features are judged.
        training: digits that the network learned from.
        held_out: others; they are judged as they are, drawn again, and as other hands might write them.
        progress: called with (stage, done, total).

    Raises:
        DatasetError: too few digits of the model's classes.
    """
    judged = held_out.only(predictor.classes)
    material = gather(predictor, training, progress)
    banks = banks_of(predictor.run(material.bank), ALL)
    spread = predictor.run(material.spread)
    near = nearest(spread, banks)
    mean, std = near.mean(axis=0), near.std(axis=0)
    columns = {form.blocks: _columns(form, banks) for form in CANDIDATES}

    def distances(outputs: Outputs) -> Features:
        return (nearest(outputs, banks) - mean) / std  # type: ignore[no-any-return]

    digits, others = lessons(
        predictor, material, lambda outputs: distances(outputs)[:, columns[CHOSEN.blocks]].sum(axis=1)
    )
    usual = {name: predictor.run(pixels) for name, pixels in _ways(judged, progress)}
    far_usual = {name: distances(outputs) for name, outputs in usual.items()}
    sums = {blocks: distances(spread)[:, rows].sum(axis=1).std() for blocks, rows in columns.items()}
    found: dict[Form, dict[str, float]] = {form: {} for form in CANDIDATES}
    learned = None
    for place, (kind, made) in enumerate(KINDS.items()):
        progress("kinds judged", place, len(KINDS))
        if kind in FITTED or learned is None:  # FITTED come first; all others share one network
            lesson = np.concatenate([each for name, each in others.items() if name != kind])
            learned = _Learned(banks, learned_from(digits, lesson), spread)
        unusual = predictor.run(
            made.make(judged.images, judged.labels, min(JUDGED, len(judged)), seed=SEED + 100)
        )
        strange, far = learned(unusual), distances(unusual)
        strange_usual = {name: learned(outputs) for name, outputs in usual.items()}
        if kind == FITTED[-1]:
            learned = None
        for form in CANDIDATES:
            rows, scale = columns[form.blocks], sums[form.blocks]
            scores = form.combined(far[:, rows].sum(axis=1) / scale, strange)
            found[form][kind] = float(
                np.mean(
                    [
                        detection(
                            form.combined(far_usual[name][:, rows].sum(axis=1) / scale, strange_usual[name]),
                            scores,
                        ).auroc
                        for name in usual
                    ]
                )
            )
    progress("kinds judged", len(KINDS), len(KINDS))
    return sorted((Compared(form, auroc) for form, auroc in found.items()), key=lambda each: -each.mean)


class _Learned:
    """The opinion of one small network, in standard deviations of training digits that it never met."""

    def __init__(self, banks: dict[str, Features], weights: dict[str, np.ndarray], spread: Outputs):
        self._detector = Detector(banks, weights)
        values = self._detector.learned(spread)
        self._mean, self._std = values.mean(), values.std()

    def __call__(self, outputs: Outputs) -> Scores:
        return (self._detector.learned(outputs) - self._mean) / self._std  # type: ignore[no-any-return]


def _columns(form: Form, banks: dict[str, Features]) -> list[int]:
    every = list(banks)
    return [every.index(name) for name in form.names(banks)]


def _ways(judged: LabelledDigits, progress: Progress) -> Iterator[tuple[str, Pixels]]:
    """The digits as they are, drawn again, and in other hands."""
    again = redrawn(
        judged.images[::DRAWN_AGAIN], progress=lambda *step: progress("held-out digits drawn again", *step)
    )
    yield "as they are", judged.images
    yield "drawn again", again
    yield "in other hands", varied(again, judged.labels[::DRAWN_AGAIN], seed=SEED + 100)


def best(found: list[Compared]) -> Compared:
    """The one to be shipped: the greatest mean."""
    return max(found, key=lambda each: each.mean)


def write_choice(out: Path, found: list[Compared], predictor: Predictor, data: list[str]) -> None:
    """Writes what was compared, on which digits and kinds of pictures, the best form first."""
    record = {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "checkpoint": {"name": predictor.card.name, "sha256": predictor.key},
        "digits": data,
        "kinds": {name: {"fitted": kind.fitted} for name, kind in KINDS.items()},
        "forms": [
            asdict(each.form)
            | {
                "auroc": round(each.mean, 6),
                "by_kind": {name: round(value, 5) for name, value in each.auroc.items()},
            }
            for each in found
        ],
    }
    out.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
