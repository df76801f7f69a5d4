"""From a thumbnail on any page to the digit's own page, which the Errors page has."""

from collections.abc import Callable

import streamlit as st

OPENED = "opened-digit"


def opener(dataset: str) -> Callable[[int], None]:
    """What a gallery calls with the index of the digit that was clicked."""

    def opened(index: int) -> None:
        st.session_state[OPENED] = {"data": dataset, "digit": str(index), "shown": "all"}

    return opened


def follow() -> None:
    """Goes to the digit that was clicked, if there is one; called where a page begins to draw."""
    query = st.session_state.pop(OPENED, None)
    if query:
        st.switch_page("views/errors.py", query_params=query)
