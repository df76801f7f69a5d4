"""The gallery: thumbnails of the selected digits, a page at a time."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from core.selection import Selection
from core.table import DigitRow, EvaluationTable
from dashboard import evaluations
from dashboard.errors_link import ERRORS, change, link
from dashboard.page_link import PageLink
from dashboard.parts import pick
from dashboard.parts.pictures import data_uri
from dashboard.words import percent

DOUBTFUL, NOTED = "⚑", "✎"


def show(table: EvaluationTable, selection: Selection, n: int, dataset: str) -> None:
    """The page of the gallery that the link names, of the n digits selected."""
    view = link()
    last = max(1, -(-n // view.per))
    page = min(view.page, last)
    rows = table.rows(
        table.indices(selection, order=view.order, offset=(page - 1) * view.per, limit=view.per)
    )
    if not rows:
        _explain_nothing()
        return
    pictures = [row.pixels for row in rows]
    if view.cam:
        with st.spinner("Asking where the network looked …"):
            pictures = evaluations.overlays(st.session_state.model, table, rows)
    pick.gallery(
        {"digits": thumbnails(table, rows, pictures, _notes(rows, dataset))},
        key="errors-gallery",
        open_digit=lambda index: change(digit=index, page=page),
    )
    if last > 1:
        pages(page, last)
    st.caption(f"true digit → **answer** · how sure; {DOUBTFUL} people doubt the label, {NOTED} has a note")


def _explain_nothing() -> None:
    if link().shown == "wrong" and not link().filtered:
        st.success("Not one error in this data set. “All” shows its digits.", icon=":material/check_circle:")
    else:
        st.info("No digit fits. Clear the conditions, or show all answers.", icon=":material/filter_alt_off:")


def _notes(rows: Sequence[DigitRow], dataset: str) -> list[str]:
    """What stands below each digit: how sure the answer is, or beside a second network its answer."""
    view = link()
    if view.lens == "compare" and view.other:
        answers = evaluations.answers(view.other, dataset, [row.index for row in rows])
        return [f"{view.other}: {answers.get(row.index, '–')}" for row in rows]
    return [percent(row.confidence, 0 if row.confidence < 0.995 else 1) for row in rows]


def thumbnails(
    table: EvaluationTable, rows: Sequence[DigitRow], pictures: Sequence[np.ndarray], notes: Sequence[str]
) -> list[dict[str, object]]:
    """What `pick.gallery` shows: a digit each, with its answer and a note below it."""
    marks = _marks(table)
    return [
        {
            "index": row.index,
            "source": data_uri(picture),
            "alt": f"Digit {row.index}: true {row.label}, read as {row.prediction}, {note}",
            "from": str(row.label),
            "to": str(row.prediction),
            "note": note,
            "marks": marks.get(row.index, []),
        }
        for row, picture, note in zip(rows, pictures, notes, strict=True)
    ]


def _marks(table: EvaluationTable) -> dict[int, list[dict[str, str]]]:
    """The signs on a thumbnail, by place: a doubtful label, a note."""
    marks: dict[int, list[dict[str, str]]] = {}
    for index, doubt in evaluations.label_issues(table.about.dataset).items():
        marks.setdefault(index, []).append({"sign": DOUBTFUL, "words": doubt.words})
    for index, note in evaluations.noted(table).items():
        words = "; ".join(filter(None, [*note.tags, note.text]))
        marks.setdefault(index, []).append({"sign": NOTED, "words": words})
    return marks


def pages(page: int, last: int, at: PageLink = ERRORS) -> None:
    """The way to the next page of a gallery, and back, for the page of the dashboard with this link."""
    with st.container(horizontal=True, horizontal_alignment="center", vertical_alignment="center"):
        st.button(
            "Previous page",
            icon=":material/chevron_left:",
            type="tertiary",
            disabled=page == 1,
            on_click=_turn,
            args=(at, -1, last),
        )
        st.markdown(f"page {page:,} of {last:,}", width="content")
        st.button(
            "Next page",
            icon=":material/chevron_right:",
            icon_position="right",
            type="tertiary",
            disabled=page == last,
            on_click=_turn,
            args=(at, 1, last),
        )


def _turn(at: PageLink, step: int, last: int) -> None:
    """From the page that the link names now: of two quick presses the second starts where the first led."""
    at.change(page=min(max(1, at.view().page + step), last))
