"""What the URL and the session remember."""

from collections.abc import MutableMapping
from typing import Any

import streamlit as st

from core.errors import PictureError
from core.strokes import Drawing, decode, encode
from dashboard.words import plain

LONGEST_LINK = 6000  # characters; a larger drawing lives in the session alone

DRAWING, SEED, LINKED = "drawing", "canvas-seed", "linked-drawing"


def drawing() -> Drawing:
    """The strokes on the canvas: this session's, else those that the link brought."""
    session: MutableMapping[str, Any] = st.session_state
    if DRAWING not in session:
        try:
            session[DRAWING] = decode(st.query_params.get("d", ""))
        except PictureError as error:
            st.toast(plain(str(error)), icon=":material/link_off:")
            session[DRAWING] = ()
    return session[DRAWING]


def remember(strokes: Drawing) -> None:
    """Keeps the strokes for the session."""
    st.session_state[DRAWING] = strokes


def link_drawing() -> None:
    """Puts the strokes into the URL, so that a reload or a shared link shows the same drawing."""
    text = encode(drawing()) if drawing() else ""
    if len(text) > LONGEST_LINK:
        text = ""
    # What this session has put there last counts, too: two quick reruns may both start from a URL
    # that is older than either.
    if text == st.query_params.get("d", "") == st.session_state.get(LINKED, text):
        return
    st.session_state[LINKED] = text
    st.query_params["d"] = text
    if not text:
        del st.query_params["d"]
