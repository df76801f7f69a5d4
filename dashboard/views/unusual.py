"""Unusual inputs: what does the model say of digits that are less and less like those it learned from?"""

import streamlit as st

from dashboard.parts import noticing, robustness, sureness, walk

LOOKS = {
    "How sure is it?": sureness.show,
    "Who notices?": noticing.show,
    "Walk a digit away": walk.show,
    "Damage them all": robustness.show,
}
QUESTION = "How sure is the model of what it has never seen, and does it notice that it should not be?"


def show() -> None:
    st.title("Unusual inputs", anchor=False)
    st.caption(QUESTION)
    look = st.segmented_control(
        "Question",
        list(LOOKS),
        default=next(iter(LOOKS)),
        key="unusual",
        required=True,
        label_visibility="collapsed",
        wrap=True,
        bind="query-params",
    )
    LOOKS[look]()


show()
