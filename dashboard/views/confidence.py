"""Confidence: when the model says it is sure, is it right, and what does it cost to let it refuse?"""

import streamlit as st

from core.errors import DatasetError
from core.table import EvaluationTable
from dashboard import answers, evaluations
from dashboard.confidence_link import CONFIDENCE
from dashboard.parts import data_picker, refusing, reliability, smoothing
from dashboard.words import plain

LOOK_NAMES = {"calibration": "Is it calibrated?", "refusing": "Let it refuse", "smoothing": "Label smoothing"}
QUESTION = "When the model says 99 %, is it right 99 times in 100? And when should it rather not answer?"
STALE = (
    "This evaluation was made before the model was fitted as it is now, so what its confidence was before "
    "the temperature is not known. Evaluate the digits again to see both."
)


def show() -> None:
    CONFIDENCE.arrive()
    _workspace()


@st.fragment
def _workspace() -> None:
    st.title("Confidence", anchor=False)
    st.caption(QUESTION)
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        st.segmented_control(
            "Question",
            required=True,
            label_visibility="collapsed",
            width="content",
            **CONFIDENCE.mirror("look", LOOK_NAMES),
        )
        with st.container(width="content"):
            data_picker.show(CONFIDENCE)
    dataset = data_picker.chosen(CONFIDENCE)
    try:
        table = _table(dataset)
    except DatasetError as error:
        st.error(plain(str(error)), icon=":material/dataset:")
        return
    if answers.temperature(st.session_state.model, table) is None:
        st.info(STALE, icon=":material/history:")
    match CONFIDENCE.view().look:
        case "calibration":
            reliability.show(table, dataset)
        case "refusing":
            refusing.show(table, dataset)
        case "smoothing":
            smoothing.show(table)


def _table(dataset: str) -> EvaluationTable:
    bar = st.empty()
    try:
        return evaluations.table(
            st.session_state.model,
            dataset,
            progress=lambda done, total: bar.progress(done / total, f"Reading digit {done:,} of {total:,} …"),
        )
    finally:
        bar.empty()


show()
