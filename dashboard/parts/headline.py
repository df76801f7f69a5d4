"""What the Errors page says in words."""

import streamlit as st

from core.confusion import Confusion
from core.table import EvaluationTable
from dashboard import evaluations
from dashboard.errors_link import ErrorsLink, link
from dashboard.parts import data_picker
from dashboard.words import percent, plain

MOST_REASONS = 100  # files named on the page


def words(table: EvaluationTable, confusion: Confusion, dataset: str) -> str:
    """How good the model is on the data set, in a line or two of Markdown."""
    low, high = confusion.interval_95
    name = data_picker.name_of(dataset)
    if dataset not in data_picker.NAMES:
        name = f"digits of {name}"
    text = (
        f"**{confusion.errors:,} of {confusion.n:,}** {plain(name)} are read wrongly: "
        f"**{percent(confusion.accuracy, 2)}** right (95 % interval {percent(low, 2)} to {percent(high, 2)})"
    )
    corrected = evaluations.corrected(table)
    if corrected:
        text += f", {percent(corrected.accuracy, 2)} with doubtful labels corrected"
    text += "."
    if table.about.left_out:
        text += f" {table.about.left_out:,} digits are of classes that this model does not know."
    if table.about.skipped:
        text += f" {skipped(table)} could not be used."
    return text


def skipped(table: EvaluationTable) -> str:
    """How many files could not be used."""
    n = len(table.about.skipped)
    return f"{n:,} {'file' if n == 1 else 'files'}"


def show_skipped(table: EvaluationTable) -> None:
    """Which files could not be used, and why: the first of many, and all of them as a file."""
    reasons = table.about.skipped
    with st.expander(f"{skipped(table)} could not be used: which, and why"):
        st.code("\n".join(reasons[:MOST_REASONS]), language=None, height=min(300, 40 + 21 * len(reasons)))
        if len(reasons) > MOST_REASONS:
            st.download_button(
                f"All {len(reasons):,} reasons",
                lambda: "\n".join(reasons) + "\n",
                "skipped.txt",
                icon=":material/download:",
                on_click="ignore",
            )


def asked() -> str:
    """Which digits the gallery shows, behind their number."""
    view = link()
    text = {"wrong": " read wrongly", "right": " read rightly", "all": ""}[view.shown]
    text = f", a {view.true}{text}" if view.true is not None else text
    text += f" as {view.read}" if view.read is not None and view.read != view.true else ""
    return ", ".join([text, *_conditions(view)])


def _conditions(view: ErrorsLink) -> list[str]:
    """What else they must fulfil: what is set behind a button, on the map or by comparing."""
    low, high = sorted((view.low, view.high))
    found = {
        f"{low} to {high} % sure": (low, high) != (0, 100),
        "with a doubtful label": view.labels == "doubtful",
        "without those with a doubtful label": view.labels == "certain",
        "with a note": view.note == "any",
        f"noted as “{view.note}”": view.note not in ("", "any"),
        "from the area on the map": bool(view.area),
        f"compared with {plain(view.other)}": bool(view.change and view.other),
    }
    return [words for words, holds in found.items() if holds]
