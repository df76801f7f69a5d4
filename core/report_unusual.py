"""What a model makes of inputs that are no digits, set by set, and the surest picture of each."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, UInt8

from core.ahead import SLOW, Ahead
from core.detection import detection
from core.errors import DatasetError
from core.inputs import InputSet, load_set, set_names
from core.labelled import LabelledDigits
from core.outputs import Outputs
from core.paths import without_folders
from core.predictor import Predictor
from core.table import EvaluationTable

SURE = 0.99

Progress = Callable[[float, str], None]


@dataclass(frozen=True, eq=False)
class UnusualSet:
    """One set of inputs. What needs the checkpoint's detector is None without it.

    Attributes:
        name: what it shows.
        n: pictures that were looked at.
        sure: the share that is read with 99 % confidence or more, in [0, 1].
        noticed: the share that the verdict tells from digits, in [0, 1].
        auroc: of the checkpoint's score of unusualness against the digits (`core.detection`).
        auroc_softmax: of the maximum softmax, the usual baseline.
        surest: the picture that the model is surest of, what it reads there, how surely, and whether the
            verdict notices.
    """

    name: str
    n: int
    sure: float
    noticed: float | None
    auroc: float | None
    auroc_softmax: float
    surest: tuple[UInt8[np.ndarray, "28 28"], int, float, bool | None]


@dataclass(frozen=True, eq=False)
class UnusualFindings:
    """All sets.

    Attributes:
        sets: in the order of `core.inputs.set_names`.
        n: of the real digits that they are held against.
        false_alarms: the share of these that the verdict takes for no digits, in [0, 1]; None without a
            detector.
        problems: why a set is missing.
    """

    sets: tuple[UnusualSet, ...]
    n: int
    false_alarms: float | None
    problems: tuple[str, ...]


def unusual_findings(
    predictor: Predictor,
    digits: LabelledDigits,
    table: EvaluationTable,
    *,
    ahead: Ahead | None = None,
    progress: Progress | None = None,
) -> UnusualFindings:
    """Every set at hand, as the model sees it.

    Args:
        predictor: the model.
        digits: the real ones, that sets of digits are made of.
        table: the model on these.
        ahead: another process that makes sets meanwhile.
        progress: called with the share that is done and what is being done.
    """
    # 1 − the others' sum: in single precision the surest answers themselves are all equally sure.
    others = np.sort(table.probabilities(), axis=1)[:, :-1].sum(axis=1, dtype=np.float64)
    usual = others - 1
    scores = table.column("unusualness") if predictor.detector else None
    limit = predictor.card.verdict.get("unusual_above")
    names, sets, problems = set_names(predictor.classes), {}, {}
    for place, key in enumerate(sorted(names, key=_when)):
        if progress:
            progress(place / len(names), f"Showing it what is no digit: {names[key]} …")
        if ahead:
            ahead.wait(key)
        try:
            inputs = load_set(key, digits, predictor.classes)
            sets[key] = _looked_at(predictor, inputs, usual, scores, limit)
        except DatasetError as error:
            problems[key] = without_folders(str(error))
    alarms = None if scores is None or limit is None else float((scores > limit).mean())
    found = tuple(sets[key] for key in names if key in sets)
    missing = tuple(problems[key] for key in names if key in problems)
    return UnusualFindings(found, len(usual), alarms, missing)


def _when(key: str) -> int:
    """A set's place in the work: what another process may be making comes last, its own last one first."""
    return SLOW[::-1].index(key) if key in SLOW else -1


def _looked_at(
    predictor: Predictor,
    inputs: InputSet,
    usual: Float[np.ndarray, " n"],
    usual_scores: Float[np.ndarray, " n"] | None,
    limit: float | None,
) -> UnusualSet:
    if not len(inputs):
        raise DatasetError(f"{inputs.name}: there is no picture in it.")
    outputs = predictor.run(inputs.images)
    exact, confidence = _softmax(outputs), outputs.probabilities.max(axis=1)
    scores = predictor.unusualness(outputs)
    noticed: Bool[np.ndarray, " n"] | None = None if scores is None or limit is None else scores > limit
    surest = int(exact.max(axis=1).argmax())
    return UnusualSet(
        inputs.name,
        len(inputs),
        float((confidence >= SURE).mean()),
        None if noticed is None else float(noticed.mean()),
        None if scores is None or usual_scores is None else detection(usual_scores, scores).auroc,
        detection(usual, -exact.max(axis=1)).auroc,
        (
            inputs.images[surest],
            predictor.classes[int(exact[surest].argmax())],
            float(confidence[surest]),
            None if noticed is None else bool(noticed[surest]),
        ),
    )


def _softmax(outputs: Outputs) -> Float[np.ndarray, "n k"]:
    """In double precision: in single precision the surest answers are all equally sure."""
    logits = outputs.logits.astype(np.float64) / outputs.temperature
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)  # type: ignore[no-any-return]
