"""Weights as pictures: 28 × 28 in two colours, with the scale in words."""

from html import escape

import numpy as np
import streamlit as st

from core.palette import diverging
from dashboard.parts.pictures import image

SCALE = '<div class="scale"><span>−{top}</span><i></i><span>+{top}</span></div>'


def signed(values: np.ndarray, *, top: float, alt: str) -> str:
    """A signed picture as an `<img>`: purple above 0, orange below, ±`top` at the ends."""
    return image(diverging(values.reshape(28, 28), top=top), alt)


def scale(top: float) -> str:
    """The colours with their values, as HTML."""
    return SCALE.format(top=f"{top:.2g}")


def figure(picture: str, caption: str) -> str:
    """A picture with what it is below it."""
    return f"<figure>{picture}<figcaption>{escape(caption)}</figcaption></figure>"


def none(words: str) -> None:
    """The place where they will appear."""
    empty = signed(np.zeros(784), top=1.0, alt="No weights yet")
    st.html(f'<div class="weights none">{empty}<div class="quiet">{escape(words)}</div></div>')


def show(values: np.ndarray, *, top: float, alt: str, words: str) -> None:
    """The picture of all weights with its scale and a line about it."""
    st.html(
        f'<div class="weights">{signed(values, top=top, alt=alt)}{scale(top)}'
        f'<div class="quiet">{escape(words)}</div></div>'
    )
