"""From a thumbnail on any page to the digit's own page, which the Errors page has."""

from urllib.parse import urlencode

import streamlit as st


def address(dataset: str, index: int) -> str:
    """The link of a digit's page, relative to any page of the dashboard.

    A link and no `st.switch_page`: that drops the model from the address, or raises where it is in it.
    """
    query = {"model": st.session_state.model, "data": dataset, "digit": index, "shown": "all"}
    return f"errors?{urlencode(query)}"
