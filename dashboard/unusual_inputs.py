"""Cached access to inputs that are no digits, and to what a model and every detector say of them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import streamlit as st

from core import fetched_inputs, found_inputs
from core.detection import Detection, Roc, detection, roc
from core.errors import DigitscopeError
from core.fooled import Fooled, fooled_by
from core.input_scores import InputScores, read_inputs, score_inputs
from core.inputs import InputSet, load_set, set_names
from core.predictor import Predictor
from dashboard.distortions import dataset
from dashboard.resources import mnist_at_hand, predictor, samples

KEPT = 80  # sets in memory, under 1 MB each
USUAL = "usual"

Report = Callable[[float, str], None]


@dataclass(frozen=True, eq=False)
class Seen:
    """A set and what was made of it.

    Attributes:
        inputs: the pictures.
        scores: of each.
        noticed: whether the verdict on each is "not like any digit"; None without a detector.
    """

    inputs: InputSet
    scores: InputScores
    noticed: np.ndarray | None


def names(model: str) -> dict[str, str]:
    """The sets at hand, by key."""
    return set_names(predictor(model).classes)


def everything(model: str, report: Report, *, detectors: bool) -> tuple[Seen, dict[str, Seen], list[str]]:
    """The usual digits, every set by key, and why a set is missing; computed the first time, with progress.

    Args:
        model: a checkpoint's name.
        report: called with the share that is done and what is being done.
        detectors: whether to score by every detector: many times slower than by the verdict's own alone.
    """
    wanted = names(model)
    steps, problems = len(wanted) + 1, []
    usual = _seen(model, USUAL, "real digits", partial(_within, report, 0, steps), detectors)
    found = {}
    for place, (key, name) in enumerate(wanted.items(), start=1):
        try:
            found[key] = _seen(model, key, name, partial(_within, report, place, steps), detectors)
        except DigitscopeError as error:
            problems.append(str(error))
    return usual, found, problems


def fooled(model: str, key: str) -> Fooled:
    """How sure a model is of one set, and whether its verdict notices; without the other detectors.

    Raises:
        DigitscopeError: the set can't be read.
    """
    chosen = predictor(model)
    found = found_inputs.found_folders().get(names(model).get(key, ""))
    changed = found.stat().st_mtime_ns if found else 0
    return _fooled(f"{chosen.key} {chosen.fitted} {chosen.card.verdict} {dataset()} {changed}", key, chosen)


@st.cache_resource(max_entries=16, show_spinner="Showing it what is no digit …")
def _fooled(version: str, key: str, _predictor: Predictor) -> Fooled:
    return fooled_by(_predictor, load_set(key, samples(dataset()), _predictor.classes))


def _within(report: Report, place: int, steps: int, share: float, words: str) -> None:
    report(min(1.0, (place + share) / steps), words)


def _seen(model: str, key: str, name: str, report: Report, detectors: bool) -> Seen:
    chosen = predictor(model)
    fitted = mnist_at_hand()
    where = found_inputs.found_folders().get(name) if key.startswith("found/") else None
    changed = where.stat().st_mtime_ns if where else 0
    version = (chosen.key, chosen.fitted, dataset(), fitted, key, changed)
    kept = _kept()
    if not detectors and (*version, True) in kept:
        return kept[(*version, True)]
    version = (*version, detectors)
    if version not in kept:
        report(0.0, f"Preparing {name} …")
        digits = samples(dataset())
        inputs = _usual(chosen) if key == USUAL else load_set(key, digits, chosen.classes)

        def progress(done: int, total: int) -> None:
            report(done / total, f"Reading {name}: {done:,} of {total:,} …")

        scores = (
            score_inputs(
                chosen,
                inputs.images,
                inputs.digest,
                lambda: _detectors(chosen.key, chosen.fitted, fitted, chosen),
                fitted=fitted,
                progress=progress,
            )
            if detectors
            else read_inputs(chosen, inputs.images, progress=progress)
        )
        kept[version] = Seen(inputs, scores, _noticed(chosen, scores))
        for old in list(kept)[:-KEPT]:
            kept.pop(old, None)
    return kept[version]


def _usual(chosen: Predictor) -> InputSet:
    known = samples(dataset()).only(chosen.classes)
    return InputSet(USUAL, "Real digits", known.images, len(known))


def _noticed(chosen: Predictor, scores: InputScores) -> np.ndarray | None:
    limit = chosen.card.verdict.get("unusual_above")
    return None if limit is None or "both" not in scores.scores else scores.scores["both"] > limit


@st.cache_resource(max_entries=1, show_spinner=False)
def _kept() -> dict[tuple[object, ...], Seen]:
    return {}


@st.cache_resource(max_entries=2, show_spinner=False)
def _detectors(key: str, version: str, fitted: bool, _predictor: Predictor):  # type: ignore[no-untyped-def]
    from core.detectors import Detectors  # torch: seconds, and only where something is not kept yet

    return Detectors.fit(_predictor, samples("mnist-train") if fitted else None)


def detections(model: str, usual: Seen, found: dict[str, Seen]) -> dict[str, dict[str, Detection]]:
    """The figures of every detector on every set, by the set's key and the detector's."""
    chosen = predictor(model)
    digests = [usual.inputs.digest, *(each.inputs.digest for each in found.values())]
    version = repr((chosen.key, chosen.fitted, mnist_at_hand(), digests))
    return _detections(version, usual, found)


@st.cache_resource(max_entries=4, show_spinner=False)
def _detections(version: str, _usual: Seen, _found: dict[str, Seen]) -> dict[str, dict[str, Detection]]:
    known = _usual.scores.scores
    return {
        key: {name: detection(known[name], scores) for name, scores in seen.scores.scores.items()}
        for key, seen in _found.items()
    }


def curves(usual: Seen, seen: Seen) -> dict[str, Roc]:
    """Every detector's curve on one set, thin enough to be drawn."""
    known = usual.scores.scores
    return {name: roc(known[name], scores).thinned() for name, scores in seen.scores.scores.items()}


def fetchable() -> list[fetched_inputs.Fetchable]:
    """The sets that could be fetched."""
    return fetched_inputs.missing()


def fetch(wanted: fetched_inputs.Fetchable) -> None:
    """Fetches one. Raises DatasetError."""
    fetched_inputs.fetch(wanted)


def folder() -> str:
    """Where sets of one's own belong."""
    return str(found_inputs.folder())
