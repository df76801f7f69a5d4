"""Reports: gathered in the background, the findings kept by model and the finished files by what they say."""

import hashlib
import threading
from typing import TYPE_CHECKING

import streamlit as st

from core.card import ModelCard
from core.datasets import load_dataset
from core.errors import ReportError
from core.found_inputs import found_folders
from core.paths import DETECTOR, STUDY
from core.predictor import Predictor
from core.report_options import SECTIONS, ReportOptions
from dashboard.background import Job, Jobs, Progress
from dashboard.distortions import dataset
from dashboard.resources import card

if TYPE_CHECKING:
    from core.report import Report
    from core.report_findings import Findings

MOST_MODELS = 4  # whose findings are kept, about 1 MB each
MOST_REPORTS = 16  # files kept, about 0.2 MB each
MOST_JOBS = 4  # reports that are gathered or wait for it
FULL = (
    f"{MOST_JOBS} reports are being made, as many as this server takes at a time. Try again in half a minute."
)

_jobs = Jobs(MOST_JOBS)
# One report is gathered at a time: it takes all cores, and the next one may want the same.
_gathering = threading.Lock()


def not_measured(model: str) -> dict[str, str]:
    """The sections that will say "not measured" for a model, and what is missing."""
    found: ModelCard = card(model)
    reasons = {
        "reliability": ("no temperature was fitted", not found.calibration),
        "refusing": ("no threshold was chosen", "refuse_below" not in found.verdict),
        "unusual": ("no detector was fitted", DETECTOR not in found.hashes),
        "faithfulness": ("explanations were not studied", STUDY not in found.hashes),
    }
    return {section: why for section, (why, missing) in reasons.items() if missing}


def finished(model: str, options: ReportOptions) -> "Report | None":
    """The report, if all that it tells was gathered before."""
    version = _version(model)
    found = _kept().get(version)
    if found is None or found.lacks(options.sections):
        return None
    return _finished(version, options, found)


def under_way(model: str, sections: tuple[str, ...]) -> Job | None:
    """The work on this model's report, whoever began it, or its error that nobody has seen."""
    return _jobs.find(_job_key(_version(model), sections))


def begin(model: str, sections: tuple[str, ...]) -> Job:
    """Gathers what these sections tell of a model, and keeps it: in the background, so that it goes on when
    the page is left or loaded anew, and whoever asks for the same meanwhile follows it. No title and no
    comment is part of it.

    Raises:
        ReportError: too many are being made.
        DigitscopeError: the checkpoint can't be read.
    """
    version, kept, digits = _version(model), _kept(), dataset()

    def work(tell: Progress) -> None:
        tell(0.0, "Waiting for another report to be made …")
        with _gathering:
            tell(0.0, "Loading what explains and measures …")
            from core.report_findings import gather as gathered  # torch: seconds to import

            have = kept.get(version)
            chosen, shown = Predictor.load(model), load_dataset(digits)
            found = gathered(chosen, shown, sections=sections, have=have, progress=tell)
            kept.pop(version, None)
            kept[version] = found
            for old in list(kept)[:-MOST_MODELS]:
                kept.pop(old, None)

    return _jobs.start(_job_key(version, sections), work, full=ReportError(FULL))


def follow(job: Job, progress: Progress) -> None:
    """Tells how far it is until it is there.

    Raises:
        DigitscopeError: what is missing or damaged.
    """
    _jobs.follow(job, progress)


def _job_key(version: str, sections: tuple[str, ...]) -> str:
    return " ".join([version, *(name for name in SECTIONS if name in sections)])


def _version(model: str) -> str:
    """What decides the findings: the checkpoint and all that was fitted to it, the digits, the other sets."""
    sets = [(name, path.stat().st_mtime_ns) for name, path in found_folders().items()]
    return hashlib.sha256(repr((card(model).to_json(), dataset(), sets)).encode()).hexdigest()


@st.cache_resource(max_entries=1, show_spinner=False)
def _kept() -> "dict[str, Findings]":
    return {}


@st.cache_resource(max_entries=MOST_REPORTS, show_spinner=False)
def _finished(version: str, options: ReportOptions, _found: "Findings") -> "Report":
    from core.report import set_report

    return set_report(_found, options)
