"""The current selection as files: a table, a contact sheet, the pictures themselves."""

from collections.abc import Callable

import streamlit as st

from core import notes, take_away
from core.selection import Selection
from core.table import EvaluationTable
from dashboard import evaluations
from dashboard.errors_link import link

MOST_ROWS = 20_000  # digits in a table


def show(table: EvaluationTable, selection: Selection) -> None:
    """The downloads, made only when they are asked for."""
    n = table.count(selection)
    name = table.about.dataset.replace("/", "-")
    with st.popover("Take away", icon=":material/download:", disabled=not n):
        st.caption(f"{n:,} digits, as they are selected and ordered now.")
        _download(f"{name}.csv", "Table (CSV)", _table(table, selection), n, MOST_ROWS)
        _download(f"{name}.png", "Contact sheet (PNG)", _sheet(table, selection), n, take_away.SHEET_LIMIT)
        _download(f"{name}.zip", "Pictures and table (zip)", _zip(table, selection), n, take_away.ZIP_LIMIT)
        key = evaluations.notes_key(table)
        if evaluations.noted(table):
            _download(f"{name}-notes.csv", "All notes (CSV)", lambda: notes.to_csv(key))


def _download(name: str, label: str, make: Callable[[], str | bytes], n: int = 0, most: int = 1) -> None:
    note = f"The first {most:,} of them: more would not fit." if n > most else None
    st.download_button(label, make, name, key=f"take-{name}", on_click="ignore", width="stretch", help=note)


def _table(table: EvaluationTable, selection: Selection) -> Callable[[], str]:
    order = link().order
    return lambda: take_away.to_csv(
        table.rows(table.indices(selection, order=order, limit=MOST_ROWS)),
        notes=list(evaluations.noted(table).values()),
    )


def _sheet(table: EvaluationTable, selection: Selection) -> Callable[[], bytes]:
    order = link().order

    def make() -> bytes:
        rows = table.rows(table.indices(selection, order=order, limit=take_away.SHEET_LIMIT))
        return take_away.contact_sheet([row.pixels for row in rows], [take_away.caption(row) for row in rows])

    return make


def _zip(table: EvaluationTable, selection: Selection) -> Callable[[], bytes]:
    order = link().order
    return lambda: take_away.to_zip(
        table.rows(table.indices(selection, order=order, limit=take_away.ZIP_LIMIT)),
        notes=list(evaluations.noted(table).values()),
    )
