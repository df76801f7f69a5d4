"""Errors: where does the model fail, on which digits, how surely, and why?"""

import streamlit as st

from core.confusion import Confusion
from core.errors import DatasetError
from core.table import EvaluationTable
from dashboard import evaluations
from dashboard.errors_link import arrive, link, mirror
from dashboard.parts import (
    compare,
    data_picker,
    digit,
    embedding_map,
    filters,
    gallery,
    headline,
    lenses,
    take_away,
)
from dashboard.words import plain

LENS_NAMES = {
    "matrix": "Matrix",
    "confusions": "Pairs",
    "digits": "Digits",
    "map": "Map",
    "compare": "Compare",
}


def show() -> None:
    arrive()
    _workspace()


@st.fragment
def _workspace() -> None:
    dataset = data_picker.chosen()
    try:
        table = _table(dataset)
    except DatasetError as error:
        st.title("Errors", anchor=False)
        data_picker.show()
        st.error(data_picker.problem(error, dataset), icon=":material/dataset:")
        return
    filters.settle(table)
    if link().area:
        embedding_map.lay_out(table)
    # A place for each: what the other one showed is gone at once, not when the new one is complete.
    every, one = st.empty(), st.empty()
    index = link().digit
    if index is None:
        with every.container():
            _gallery(table, dataset)
    else:
        with one.container():
            st.title(f"Digit {index}", anchor=False)
            digit.show(table, filters.selection(table, dataset), index)


def _gallery(table: EvaluationTable, dataset: str) -> None:
    confusion = evaluations.confusion(table)
    st.title("Errors", anchor=False)
    st.markdown(headline.words(table, confusion, dataset))
    if problem := evaluations.notes_problem(table):
        st.warning(plain(problem), icon=":material/edit_off:")
    left, right = st.columns([5, 7], gap="medium")
    with left:
        data_picker.show()
    with right:  # what people wait for comes first
        filters.show(table)
        selection = filters.selection(table, dataset)
        with st.container(horizontal=True, vertical_alignment="center"):
            n = table.count(selection)
            st.markdown(f"**{n:,}** {'digit' if n == 1 else 'digits'}{headline.asked()}", width="stretch")
            take_away.show(table, selection, n)
        gallery.show(table, selection, n, dataset)
    with left:
        _lens(table, confusion, dataset)


def _table(dataset: str) -> EvaluationTable:
    bar = st.empty()

    def progress(done: int, total: int) -> None:
        bar.progress(done / total, f"Reading digit {done:,} of {total:,} …")

    try:
        with st.spinner("Loading the digits …"):
            return evaluations.table(st.session_state.model, dataset, progress=progress)
    finally:
        bar.empty()


def _lens(table: EvaluationTable, confusion: Confusion, dataset: str) -> None:
    st.segmented_control(
        "How to look",
        required=True,
        label_visibility="collapsed",
        width="stretch",
        **mirror("lens", LENS_NAMES),
    )
    match link().lens:
        case "matrix":
            lenses.matrix(confusion)
        case "confusions":
            lenses.confusions(confusion)
        case "digits":
            lenses.digits(confusion)
        case "map":
            embedding_map.show(table)
        case "compare":
            compare.show(dataset)
    if table.about.skipped:
        headline.show_skipped(table)


show()
