"""The current selection as files: a table, a contact sheet, the pictures themselves."""

from collections.abc import Callable, Sequence

import numpy as np
import streamlit as st

from core import notes, take_away
from core.selection import Selection
from core.table import DigitRow, EvaluationTable
from dashboard import evaluations
from dashboard.errors_link import link

MOST_ROWS = 20_000  # digits in a table


def show(table: EvaluationTable, selection: Selection, n: int) -> None:
    """Downloads of the n digits selected, made only when they are asked for."""
    name = table.about.dataset.replace("/", "-")
    with st.popover("Take away", icon=":material/download:", disabled=not n):
        st.caption(f"{n:,} digits, as they are selected and ordered now.")
        fetch = _fetch(table, selection)
        _download(f"{name}.csv", "Table (CSV)", lambda: _csv(table, fetch(MOST_ROWS)), n, MOST_ROWS)
        most = take_away.SHEET_LIMIT
        _download(f"{name}.png", "Contact sheet (PNG)", lambda: _sheet(fetch(most)), n, most)
        limit = take_away.ZIP_LIMIT
        _download(f"{name}.zip", "Pictures and table (zip)", lambda: _zip(table, fetch(limit)), n, limit)
        if evaluations.noted(table):
            key = evaluations.notes_key(table)
            _download(f"{name}-notes.csv", "All notes (CSV)", lambda: notes.to_csv(key))


def _download(name: str, label: str, make: Callable[[], str | bytes], n: int = 0, most: int = 1) -> None:
    if n > most:  # more would not fit
        label += f": the first {most:,}"
    st.download_button(label, make, name, key=f"take-{name}", on_click="ignore", width="stretch")


def _fetch(table: EvaluationTable, selection: Selection) -> Callable[[int], Sequence[DigitRow]]:
    order = link().order  # as it is now: a download runs where there is no page
    return lambda most: table.rows(table.indices(selection, order=order, limit=most))


def _csv(table: EvaluationTable, rows: Sequence[DigitRow]) -> str:
    return take_away.to_csv(rows, notes=list(evaluations.noted(table).values()))


def _sheet(rows: Sequence[DigitRow]) -> bytes:
    pictures = np.stack([row.pixels for row in rows])
    return take_away.contact_sheet(pictures, [take_away.caption(row) for row in rows])


def _zip(table: EvaluationTable, rows: Sequence[DigitRow]) -> bytes:
    return take_away.to_zip(rows, notes=list(evaluations.noted(table).values()))
