"""The router: the pages, and the model they all speak of."""

import contextlib
from pathlib import Path

import streamlit as st

from core.errors import CheckpointError
from core.paths import checkpoint_names, checkpoints_folder
from dashboard import resources, sign_in
from dashboard.page_link import shown
from dashboard.pages import PAGES
from dashboard.parts.style import use_style
from dashboard.words import listed, percent, plain

UNKNOWN = "unknown-model"  # the one that the link asked for
ICON = str(Path(__file__).parent / "icon.png")


def label(name: str) -> str:
    """A checkpoint in a few words: the digits it knows and how good it is."""
    card = resources.card(name)
    test = card.metrics.get("mnist-test")
    accuracy = percent(test["accuracy"], 2) if test else "not measured"
    return f"Knows {listed(card.classes)}. Test accuracy: {accuracy}."


def forget_unknown() -> None:
    """The visitor has chosen a model that there is."""
    st.session_state.pop(UNKNOWN, None)


st.set_page_config(page_title="Digitscope", page_icon=ICON, layout="wide")
st.logo(ICON, size="large")
use_style()
inside = sign_in.may_look()
page = st.navigation(
    [
        st.Page(f"views/{page.path}.py", title=page.title, icon=page.icon, default=not order)
        for order, page in enumerate(PAGES)
    ],
    position="sidebar" if inside else "hidden",
)
if not inside:
    sign_in.draw()
    st.stop()
names = sorted(checkpoint_names(), key=lambda name: (name != "cnn", name))
if not names:
    raise CheckpointError(
        f"{checkpoints_folder()} holds no checkpoint. Train one with `python train.py cnn`."
    )
if (asked := st.query_params.get("model")) and asked not in names:
    st.session_state[UNKNOWN] = asked
st.sidebar.selectbox("Model", names, key="model", bind="query-params", on_change=forget_unknown)
if UNKNOWN in st.session_state:
    st.warning(
        f"There is no model {plain(st.session_state[UNKNOWN][:60])}; there are "
        f"{', '.join(map(plain, names))}. Shown is {plain(st.session_state.model)}.",
        icon=":material/link_off:",
    )
st.sidebar.caption(label(st.session_state.model))
with contextlib.suppress(CheckpointError):  # the page that needs the network says what is wrong with it
    resources.warming(resources.predictor(st.session_state.model))
sign_in.draw_way_out()
shown(page.url_path)
page.run()
