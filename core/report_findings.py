"""What a report tells of a model: gathered from what the program measures anyway."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from core import mnist
from core.abstention import OperatingPoint, RiskCoverage
from core.ahead import Ahead, made_ahead
from core.answers import Answers, answers_of, calibrations_of
from core.calibration import Calibration
from core.card import ModelCard
from core.confusion import Confusion
from core.datasets import LabelledDigits, load_dataset
from core.errors import CheckpointError
from core.evaluation import Reliability
from core.explanation import Explanation, default_method, explain_batch
from core.label_issues import CorrectedScore, LabelIssue, corrected_score, label_issues
from core.paths import without_folders
from core.predictor import Predictor
from core.report_options import SECTIONS
from core.report_unusual import UnusualFindings, unusual_findings
from core.selection import Selection
from core.study import Study, read_study
from core.table import About, DigitRow, EvaluationTable
from core.tabulation import table_of

WORST = 12  # errors shown
SURE = 0.99  # a wrong answer at least as sure as this is one that nobody would doubt

Progress = Callable[[float, str], None]


@dataclass(frozen=True, eq=False)
class WorstError:
    """A misread digit.

    Attributes:
        row: the digit and what the model says of it.
        maps: the evidence for what was read and, of a model with more than two classes, for the label;
            none for an even picture.
        doubt: what people think of its label, where they doubt it.
    """

    row: DigitRow
    maps: tuple[Explanation, ...]
    doubt: LabelIssue | None


@dataclass(frozen=True, eq=False)
class ConfidenceFindings:
    """How far the confidence can be believed.

    Attributes:
        temperature: that the logits are divided by; None where none was fitted.
        stages: confidence against accuracy, and the figures; `after` the temperature, and `before` where
            there is one.
    """

    temperature: float | None
    stages: dict[str, tuple[Reliability, Calibration]]


@dataclass(frozen=True, eq=False)
class RefusingFindings:
    """What refusing the least sure answers costs.

    Attributes:
        curve: every threshold.
        saved: the checkpoint's own threshold, on these digits; None where none was chosen.
        choices: the thresholds that other costs would have chosen, on these digits.
    """

    curve: RiskCoverage
    saved: OperatingPoint | None
    choices: tuple[OperatingPoint, ...]


@dataclass(frozen=True, eq=False)
class StudyFindings:
    """What was measured of the explanations; None where nothing was, and `problem` where it can't be used."""

    study: Study | None
    problem: str = ""


@dataclass(frozen=True, eq=False)
class Findings:
    """All of it. What no chosen section needs is None.

    Attributes:
        card: of the model.
        about: of the evaluation that everything is taken from.
        confusion: which digits are taken for which.
        corrected: the score with doubtful labels put right; None where no label is doubted.
        sure_errors: how many of the errors were at least `SURE`.
    """

    card: ModelCard
    about: About
    confusion: Confusion
    corrected: CorrectedScore | None
    sure_errors: int
    worst: tuple[WorstError, ...] | None = None
    confidence: ConfidenceFindings | None = None
    refusing: RefusingFindings | None = None
    unusual: UnusualFindings | None = None
    faithfulness: StudyFindings | None = None

    def lacks(self, sections: tuple[str, ...]) -> list[str]:
        """The parts that these sections need and that are not here yet."""
        wanted = {part for section in sections for part in PARTS.get(section, ())}
        return [part for part in WORK if part in wanted and getattr(self, part) is None]


# What a section needs beside the evaluation. The limits name what was found of the others.
PARTS = {
    "errors": ("worst",),
    "reliability": ("confidence",),
    "refusing": ("refusing",),
    "unusual": ("unusual",),
    "faithfulness": ("faithfulness",),
}
# The work in its order: how long it takes beside the others, and what to say meanwhile.
EVALUATING = 3.0
WORK = {
    "worst": (4.0, "Explaining the worst errors …"),
    "confidence": (3.0, "Drawing the digits anew for the intervals …"),
    "refusing": (0.2, "Trying every threshold …"),
    "unusual": (6.0, "Showing it what is no digit …"),
    "faithfulness": (0.1, "Looking up what was measured of the explanations …"),
}


def test_digits() -> LabelledDigits:
    """MNIST's test digits, or where they are not at hand the digits bundled with scikit-learn."""
    at_hand = not any(name.startswith("t10k") for name in mnist.missing())
    return load_dataset("mnist-test" if at_hand else "optdigits")


def gather(
    predictor: Predictor,
    digits: LabelledDigits,
    *,
    sections: tuple[str, ...] = tuple(SECTIONS),
    have: Findings | None = None,
    progress: Progress | None = None,
) -> Findings:
    """Everything that some sections tell.

    Args:
        predictor: the model.
        digits: that it is judged by.
        sections: keys of `SECTIONS`.
        have: what was gathered of the same model and digits before; only the rest is added.
        progress: called with the share that is done, in [0, 1], and what is being done.

    Raises:
        DatasetError: the digits are none of the model's classes, or can't be evaluated.
    """
    say = progress or (lambda share, words: None)
    say(0.0, "Reading the digits …")
    parts = have.lacks(sections) if have else [part for part in WORK if part in _needed(sections)]
    with made_ahead() if "unusual" in parts else nullcontext() as ahead:
        return _gathered(predictor, digits, parts, have, ahead, say)


def _gathered(
    predictor: Predictor,
    digits: LabelledDigits,
    parts: list[str],
    have: Findings | None,
    ahead: Ahead | None,
    say: Progress,
) -> Findings:
    whole = (0.0 if have else EVALUATING) + sum(WORK[part][0] for part in parts)
    table = table_of(predictor, digits, progress=partial(_reading, say, 0.0 if have else EVALUATING, whole))
    found = have or _base(predictor, table)
    answers: Answers | None = None
    done = 0.0 if have else EVALUATING
    for part in parts:
        weight, words = WORK[part]
        say(done / whole, words)
        if part in ("confidence", "refusing"):
            answers = answers or answers_of(table, predictor.card.temperature)
        match part:
            case "worst":
                found = replace(found, worst=worst_errors(predictor, table))
            case "confidence":
                found = replace(found, confidence=_confidence(predictor.card, table, answers))
            case "refusing":
                found = replace(found, refusing=_refusing(predictor.card, answers))
            case "unusual":
                within = partial(_within, say, done / whole, weight / whole)
                found = replace(
                    found, unusual=unusual_findings(predictor, digits, table, ahead=ahead, progress=within)
                )
            case "faithfulness":
                found = replace(found, faithfulness=_study(predictor))
        done += weight
    say(1.0, "Setting the page …")
    return found


def _needed(sections: tuple[str, ...]) -> set[str]:
    return {part for section in sections for part in PARTS.get(section, ())}


def _reading(say: Progress, weight: float, whole: float, done: int, total: int) -> None:
    share = weight / whole if whole else 1.0
    say(share * done / max(1, total), f"Reading digit {done:,} of {total:,} …")


def _within(say: Progress, start: float, width: float, share: float, words: str) -> None:
    say(start + width * share, words)


def _base(predictor: Predictor, table: EvaluationTable) -> Findings:
    confusion = Confusion(table.confusion(), table.about.classes)
    corrected = None
    if label_issues(table.about.dataset) and not table.about.left_out:
        answers, labels = (table.column(name).astype(np.int64) for name in ("prediction", "label"))
        corrected = corrected_score(answers, labels, table.about.dataset)
    sure = table.count(Selection(right=False, low=SURE))
    return Findings(predictor.card, table.about, confusion, corrected, sure)


def worst_errors(
    predictor: Predictor, table: EvaluationTable, *, most: int = WORST
) -> tuple[WorstError, ...]:
    """The errors with the greatest loss: the model was surest of the wrong digit.

    Args:
        predictor: the model.
        table: its evaluation.
        most: how many.
    """
    rows = table.rows(table.indices(Selection(right=False), order="loss", limit=most))
    inked = [row for row in rows if row.pixels.min() < row.pixels.max()]
    maps = _maps(predictor, inked)
    doubts = label_issues(table.about.dataset)
    return tuple(WorstError(row, maps.get(row.index, ()), doubts.get(row.index)) for row in rows)


def _maps(predictor: Predictor, rows: list[DigitRow]) -> dict[int, tuple[Explanation, ...]]:
    if not rows:
        return {}
    images, method = np.stack([row.pixels for row in rows]), default_method(predictor)
    # Of two classes the evidence for one is the other's, negated.
    asked = ["prediction"] if len(predictor.classes) == 2 else ["prediction", "label"]
    targets = [np.array([getattr(row, name) for row in rows], dtype=np.int64) for name in asked]
    found = [explain_batch(predictor, images, method=method, targets=each) for each in targets]
    return {row.index: maps for row, maps in zip(rows, zip(*found, strict=True), strict=True)}


def _confidence(card: ModelCard, table: EvaluationTable, answers: Answers | None) -> ConfidenceFindings:
    assert answers is not None
    fitted = "temperature" in card.calibration
    figures = calibrations_of(table, card.temperature if fitted else None)
    order: list[str] = [stage for stage in ("before", "after") if stage in figures]
    stages = {stage: (answers.reliability(stage), figures[stage]) for stage in order}
    return ConfidenceFindings(card.temperature if fitted else None, stages)


def _refusing(card: ModelCard, answers: Answers | None) -> RefusingFindings:
    assert answers is not None
    curve, saved = answers.curve, card.verdict.get("refuse_below")
    choices = sorted({float(each["threshold"]) for each in card.verdict.get("choices", ())})
    return RefusingFindings(
        curve, None if saved is None else curve.at(saved), tuple(curve.at(threshold) for threshold in choices)
    )


def _study(predictor: Predictor) -> StudyFindings:
    try:
        return StudyFindings(read_study(predictor.folder))
    except CheckpointError as error:
        return StudyFindings(None, without_folders(str(error)))
