"""What two looks at unusual inputs share: every set, the chosen one, and how to get more."""

import streamlit as st

from core.errors import DigitscopeError
from dashboard import unusual_inputs
from dashboard.distortions import dataset
from dashboard.parts.data_picker import NAMES
from dashboard.unusual_inputs import Seen
from dashboard.words import plain

KEY = "inputs"  # of the choice, and its name in the link


def everything(*, detectors: bool) -> tuple[Seen, dict[str, Seen]]:
    """The real digits and every set, by all detectors or by the verdict's; what can't be read is said."""
    bar = st.empty()
    try:
        usual, found, problems = unusual_inputs.everything(
            st.session_state.model,
            lambda share, words: bar.progress(share, plain(words)),
            detectors=detectors,
        )
    finally:
        bar.empty()
    for problem in problems:
        st.warning(plain(problem), icon=":material/broken_image:")
    return usual, found


def choose(found: dict[str, Seen]) -> str:
    """The set that is looked at, and beside it the ways to more."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        key = st.selectbox(
            "Set of inputs",
            list(found),
            format_func=lambda name: found[name].inputs.name,
            key=KEY,
            bind="query-params",
            label_visibility="collapsed",
            width="stretch",
        )
        with st.popover("More sets", icon=":material/add:"):
            _more()
    return str(key)


def pick(key: str) -> None:
    """What a click on a row of a table does."""
    if key in unusual_inputs.names(st.session_state.model):  # what a browser sends may be anything
        st.session_state[KEY] = key


def source(usual: Seen) -> str:
    """Which digits are the real ones, in half a sentence."""
    data = dataset()
    return f"{len(usual.inputs):,} {NAMES.get(data, data)}"


def _more() -> None:
    st.markdown(
        "A folder of pictures, or with an IDX file of images, is a set of its own if you put it into "
        f"`{unusual_inputs.folder()}`."
    )
    for each in unusual_inputs.fetchable():
        words = f"Fetch {each.name}: {each.shows} ({each.megabytes} MB)"
        if st.button(words, icon=":material/download:", key=f"fetch-{each.name}", width="stretch"):
            try:
                with st.spinner(f"Fetching {each.name} …"):
                    unusual_inputs.fetch(each)
            except DigitscopeError as error:
                st.error(plain(str(error)), icon=":material/cloud_off:")
            else:
                st.rerun()
