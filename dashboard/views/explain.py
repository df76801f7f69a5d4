"""Explain: what speaks for the answer, and can the explanation itself be believed?"""

import streamlit as st

from dashboard import resources
from dashboard.explain_link import arrive, link, mirror
from dashboard.parts import believe, explained_digit, inside, side_maps, turn_into, what_if

LOOKS = {
    "methods": ("Methods side by side", side_maps.show),
    "believe": ("Can it be believed?", believe.show),
    "whatif": ("What if?", what_if.show),
    "turn": ("Turn it into …", turn_into.show),
    "inside": ("Inside the network", inside.show),
}
QUESTION = "What in the picture speaks for the answer, and can the explanation itself be believed?"


def show() -> None:
    arrive()
    st.title("Explain", anchor=False)
    st.caption(QUESTION)
    _workspace()


@st.fragment
def _workspace() -> None:
    predictor = resources.predictor(st.session_state.model)
    st.segmented_control(
        "What to look at",
        required=True,
        label_visibility="collapsed",
        **mirror("look", {name: label for name, (label, _) in LOOKS.items()}),
    )
    left, right = st.columns([43, 97], gap="small")
    with left.container(border=True):
        subject = explained_digit.choose(predictor)
    with right:
        if subject is None:
            st.info(
                "Draw a digit, upload one, or hold one in front of the camera: the evidence appears here.",
                icon=":material/draw:",
            )
        else:
            LOOKS[link().look][1](subject)


show()
