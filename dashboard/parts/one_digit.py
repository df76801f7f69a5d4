"""One digit through the linear model, step by step."""

from html import escape

import numpy as np
import streamlit as st

from core.errors import CheckpointError
from core.one_digit import ARCHITECTURE, OneDigit, step_by_step
from core.paths import checkpoint_names
from core.scratch import CLASSES, Weights
from dashboard import resources
from dashboard.learn_link import change, link, mirror
from dashboard.parts import learn_charts, live_run, weights
from dashboard.parts.data_picker import at_hand
from dashboard.parts.pictures import image
from dashboard.words import percent


@st.fragment
def show() -> None:
    """The tab."""
    data = resources.samples(at_hand()[0])
    index = min(link().example, len(data) - 1)
    pixels, label = data.images[index], int(data.labels[index])
    left, right = st.columns([4, 8], gap="small")
    with left.container(border=True, height="stretch"):
        _choose(data.labels)
        chosen, temperature, whose = _weights()
    if chosen is None:
        right.info("There is no linear model here. Train one on the first tab.", icon=":material/school:")
        return
    digit = step_by_step(pixels, chosen, temperature=temperature)
    with right.container(border=True, height="stretch"):
        st.html(_calculation(digit, label))
        words, squash = st.columns([5, 6], gap="medium", vertical_alignment="center")
        with words:
            st.markdown(_answer(digit, label, whose))
            st.html(_sum(digit))
            if digit.temperature != 1:
                st.caption("The temperature makes the model about as sure as it is right: see Confidence.")
        with squash:
            learn_charts.squashed(digit)


def _choose(labels: np.ndarray) -> None:
    last = len(labels) - 1
    st.number_input("Digit number", 0, last, **mirror("example"))
    with st.container(horizontal=True):
        for name, wanted in (
            ("A 3", labels == 3),
            ("A 7", labels == 7),
            ("Another", np.isin(labels, (3, 7))),
        ):
            rows = np.flatnonzero(~wanted if name == "Another" else wanted)
            st.button(
                name,
                icon=":material/shuffle:",
                on_click=_shuffle,
                args=(rows,),
                key=f"learn-{name}",
                help="A digit that the model has never heard of." if name == "Another" else None,
            )


def _shuffle(rows: np.ndarray) -> None:
    change(example=int(np.random.default_rng().choice(rows)))


def _weights() -> tuple[Weights | None, float, str]:
    """The shipped model's weights or those of the training's shown epoch, their temperature, and whose."""
    shown = live_run.mine().shown
    names = {"shipped": "Shipped model", "mine": "My training"}
    st.segmented_control("Weights", required=True, **mirror("weights", names))
    if link().weights == "mine" and shown is not None:
        st.caption(f"After epoch {shown.epoch} of the training on the first tab.")
        return shown.weights, 1.0, f"Your training after epoch {shown.epoch}"
    if link().weights == "mine":
        st.caption("Nothing is trained yet: these are the shipped model's.")
    for name in sorted(checkpoint_names(), key=lambda one: (one != st.session_state.model, one)):
        try:
            card = resources.card(name)
            if card.architecture == ARCHITECTURE:
                return resources.linear_weights(name), card.temperature, f"The model {name}"
        except CheckpointError:  # damaged: the next one may do
            continue
    return (shown.weights, 1.0, "Your training") if shown else (None, 1.0, "")


def _calculation(digit: OneDigit, label: int) -> str:
    """pixels × weights = contributions, as pictures."""
    tops = [float(np.abs(part).max()) or 1.0 for part in (digit.weights, digit.contributions)]
    pictures = (
        image((digit.pixels * 255).round().astype(np.uint8), f"The digit's pixels, a {label}"),
        weights.signed(digit.weights, top=tops[0], alt="The weights"),
        weights.signed(digit.contributions, top=tops[1], alt="The contributions, pixels times weights"),
    )
    scales = ('<div class="scale"><span>0</span><i class="grey"></i><span>1</span></div>',)
    scales += tuple(weights.scale(top) for top in tops)
    names = ("pixels", "weights", "contributions")
    cells = [
        f"<figure>{picture}{scale}<figcaption>{escape(name)}</figcaption></figure>"
        for picture, scale, name in zip(pictures, scales, names, strict=True)
    ]
    return f'<div class="product">{cells[0]}<b>×</b>{cells[1]}<b>=</b>{cells[2]}</div>'


def _sum(digit: OneDigit) -> str:
    """From the contributions to the probability, a line a step."""
    steps = [
        ("784 contributions, summed up", _signed(digit.total)),
        ("+ bias", _signed(digit.bias)),
        ("= logit", f"<b>{_signed(digit.logit)}</b>"),
    ]
    if digit.temperature != 1:
        steps.append((f"÷ temperature {digit.temperature:.3f}", _signed(digit.tempered)))
    steps.append(("sigmoid: probability of a 3", f"<b>{percent(digit.probability, 2)}</b>"))
    rows = "".join(f"<tr><td>{escape(name)}</td><td>{value}</td></tr>" for name, value in steps)
    return f'<table class="sum">{rows}</table>'


def _answer(digit: OneDigit, label: int, whose: str) -> str:
    right = "rightly" if digit.digit == label else "wrongly"
    if label not in CLASSES:
        right = f"but it is a {label}, which this model does not know"
    return f"{whose} reads a **{digit.digit}**, **{percent(digit.confidence)}** sure, {right}."


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", "−")
