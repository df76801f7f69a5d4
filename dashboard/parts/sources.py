"""Where the picture comes from: the canvas, a file, the camera or a sample digit."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from core.picture import MAX_BYTES
from core.preprocess import PreparedDigit, as_prepared
from core.strokes import render
from dashboard import resources, state
from dashboard.parts.canvas import canvas, clear, hidden, undo
from dashboard.parts.data_picker import at_hand, name_of, offer_mnist
from dashboard.parts.pictures import image
from dashboard.words import plain

DRAW, UPLOAD, CAMERA, SAMPLE = "Draw", "Upload", "Camera", "Sample"
MOST_MB = MAX_BYTES // 2**20


@dataclass(frozen=True)
class Chosen:
    """A picture, or None where there is none yet, and what to call it."""

    content: bytes | np.ndarray | PreparedDigit | None
    name: str


def choose() -> Chosen:
    """Shows the sources and gives the chosen one's picture."""
    source = st.segmented_control(
        "Where the picture comes from",
        [DRAW, UPLOAD, CAMERA, SAMPLE],
        default=DRAW,
        required=True,
        key="source",
        bind="query-params",
        label_visibility="collapsed",
        width="stretch",
        wrap=False,
    )
    if source != DRAW:
        hidden()
    return {DRAW: drawn, UPLOAD: uploaded, CAMERA: photographed, SAMPLE: _sampled}[source or DRAW]()


def drawn() -> Chosen:
    # The canvas's own tools float above its right end while the mouse is over it: this row keeps
    # that place free, and has the two tools that a finger or a keyboard needs on its left.
    with st.container(horizontal=True, key="tools"):
        empty = not state.drawing()
        options: dict[str, Any] = {"type": "tertiary", "disabled": empty}
        st.button("Undo", icon=":material/undo:", on_click=undo, key="undo", **options)
        st.button("Clear", icon=":material/delete:", on_click=clear, key="clear", **options)
    place = st.container(horizontal_alignment="center")
    brush = st.slider("Brush width", 6, 36, 18, key="brush", bind="query-params", format="%d px")
    with place:
        drawing = canvas(brush=brush)
    return Chosen(render(drawing) if drawing else None, "drawing")


def uploaded() -> Chosen:
    # Of any type: what the browser refused would leave the last answer standing, its reason in a tooltip.
    file = st.file_uploader(
        f"A picture of one digit (PNG, JPEG, WebP, BMP, GIF or TIFF, at most {MOST_MB} MB)",
        max_upload_size=MOST_MB,
        key="upload",
        on_change=_forget_if_removed,
        args=("upload", "uploaded"),
    )
    return _kept("uploaded", file)


def photographed() -> Chosen:
    file = st.camera_input(
        "Hold one digit on paper in front of the camera",
        key="camera",
        on_change=_forget_if_removed,
        args=("camera", "photographed"),
    )
    return _kept("photographed", file)


def _forget_if_removed(widget: str, slot: str) -> None:
    if st.session_state[widget] is None:
        st.session_state.pop(slot, None)


def _kept(slot: str, file: UploadedFile | None) -> Chosen:
    """The file, or the one that was there before the page was left."""
    if file is not None:
        st.session_state[slot] = Chosen(file.getvalue(), file.name)
    kept: Chosen = st.session_state.get(slot, Chosen(None, slot))
    if kept.content is not None and file is None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"Still reading {plain(kept.name)}.")
            st.button("Remove", key=f"remove-{slot}", on_click=st.session_state.pop, args=(slot,))
    return kept


def _sampled() -> Chosen:
    names = at_hand()
    name = st.selectbox(
        "Digits",
        names,
        format_func=name_of,
        key="samples",
        bind="query-params",
        on_change=lambda: st.session_state.update(index=0),
        label_visibility="collapsed",
    )
    last = len(resources.samples(name)) - 1
    with st.container(horizontal=True, vertical_alignment="bottom"):
        index = st.number_input("Digit number", 0, last, 0, key="index", bind="query-params")
        st.button("Another one", icon=":material/shuffle:", on_click=_shuffle, args=(last,), type="primary")
    pixels, label = resources.sample(name, index)
    st.html(f'<div class="overlay">{image(pixels, f"A sample digit, labelled {label}")}</div>')
    st.caption(f"People say it is a **{label}**.")
    if not resources.mnist_at_hand():
        offer_mnist()
    return Chosen(as_prepared(pixels), f"{name} {index}")


def _shuffle(last: int) -> None:
    st.session_state.index = int(np.random.default_rng().integers(last + 1))
