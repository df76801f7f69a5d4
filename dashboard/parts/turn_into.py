"""The smallest change that turns the digit into another one, and how far the nearest boundary is."""

from shlex import quote
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from core.errors import CheckpointError, DatasetError
from core.palette import diverging
from dashboard import evaluations, explanations, resources
from dashboard.explain_link import link, mirror
from dashboard.parts import charts, maps
from dashboard.parts.data_picker import offer_mnist
from dashboard.parts.explained_digit import Subject
from dashboard.parts.pictures import image
from dashboard.words import percent, plain

if TYPE_CHECKING:
    from core.counterfactual import Counterfactual


def show(subject: Subject) -> None:
    """The choice of the digit, the change beside both pictures, and the distances of the class."""
    digit = _into(subject)
    waiting = st.empty()
    if resources.warming(subject.predictor):
        waiting.info("The network is being loaded …", icon=":material/hourglass_top:")
    with st.spinner(f"Looking for the smallest change into a {digit} …"):
        found = explanations.smallest_change(subject.predictor, subject.pixels, digit)
    waiting.empty()
    with st.container(border=True):
        with st.container(key="explain-turn"):
            places = [st.container() for _ in range(4)]
        _change(places, subject, found, digit)
        with places[3]:
            _example(subject, digit)
    with st.container(border=True):
        _boundary(subject)


def _into(subject: Subject) -> int:
    now = subject.prediction.digit
    others = {digit: str(digit) for digit in subject.predictor.classes if digit != now}
    order = [subject.predictor.classes[row] for row in subject.prediction.probabilities.argsort()[::-1]]
    wanted = (link().into, subject.question.against, subject.question.target, *order)
    chosen = next(digit for digit in wanted if digit in others)
    arguments = mirror("into", others)
    st.session_state[arguments["key"]] = chosen
    with st.container(key="explain-other"):
        st.segmented_control(f"This {now} into a …", required=True, width="stretch", **arguments)
    return int(chosen)


def _change(places, subject: Subject, found: "Counterfactual | None", digit: int) -> None:  # type: ignore[no-untyped-def]
    now = subject.prediction
    with places[0]:
        picture = _framed(subject.pixels, f"The digit, read as {now.digit}")
        st.html(maps.tile("As it is", picture, f"Read as <b>{now.digit}</b>, {percent(now.confidence)} sure"))
    if found is None:
        places[1].warning(f"No change within reach is read as {digit}.")
        return
    after = subject.predictor.predict(found.pixels)
    top = max(float(np.abs(found.change).max()), 1e-9)
    colours = diverging(found.change.astype(np.float64), top=top)
    with places[1]:
        picture = _framed(colours, f"The change, {found.changed} pixels by a tenth or more")
        body = picture + maps.bar(top, signed=True)
        st.html(maps.tile("The change", body, "purple: ink added, orange: ink removed, as shares of white"))
    with places[2]:
        words = f"Read as <b>{after.digit}</b>, {percent(after.confidence)} sure"
        picture = _framed(found.pixels, f"The changed digit, read as {after.digit}")
        st.html(maps.tile("Changed", picture, words))
    st.caption(
        f"Size of the change: **{found.size:.2f}** (L2 norm; 1 is one pixel from black to white). Ink of "
        f"{found.added:.1f} white pixels is added, of {found.removed:.1f} removed; {found.changed} pixels "
        "change by a tenth or more. The smallest found (projected gradient descent): smaller ones may exist."
    )


def _framed(pixels: np.ndarray, alt: str) -> str:
    return f'<div class="overlay">{image(pixels, alt)}</div>'


def _example(subject: Subject, digit: int) -> None:
    """The nearest training digit of that class: what it takes in real handwriting."""
    if not resources.mnist_at_hand():
        st.caption("The nearest training digit needs MNIST.")
        offer_mnist()
        return
    embedding = subject.predictor.run(subject.pixels[None]).embedding[0]
    bar = st.empty()
    try:
        (nearest,) = evaluations.nearest(
            st.session_state.model,
            embedding,
            k=1,
            digit=digit,
            progress=lambda done, total: bar.progress(done / total, "Reading the training digits, once …"),
        )
    except DatasetError as error:
        st.caption(plain(str(error)))
        return
    bar.empty()
    index, label, similarity, pixels = nearest
    words = f"training digit {index}; cosine similarity {similarity:.2f} in the network's last features"
    st.html(maps.tile(f"Nearest real {label}", _framed(pixels, f"Training digit {index}, a {label}"), words))


def _boundary(subject: Subject) -> None:
    found = explanations.smallest_change(subject.predictor, subject.pixels, None)
    now = subject.prediction.digit
    own = "farther than was searched"
    if found:
        own = f"a change of **{found.size:.2f}**, where it becomes a **{found.digit}**"
    st.markdown(f"**How far is the nearest boundary?** {own[0].upper()}{own[1:]}.")
    try:
        study = explanations.study(subject.predictor)
    except CheckpointError as error:
        st.warning(plain(str(error)), icon=":material/history:")
        return
    if study is None:
        st.caption("How far it is for other digits is not measured for this model:")
        st.code(f"python -m core faithfulness --model {quote(st.session_state.model)}", language="sh")
        return
    digits, sizes = (np.array(study.boundary[name]) for name in ("digit", "size"))
    alike = sizes[digits == now]
    if not len(alike):
        st.caption(f"None of the {study.n} digits of the study was read as {now}.")
        return
    _distances(alike, found.size if found else None, now)
    nearer = int((alike < (found.size if found else np.inf)).sum())
    st.caption(
        f"Of {len(alike)} {study.dataset} digits that are read as {now}, {nearer} lie nearer to a "
        f"boundary; their median is {np.median(alike):.2f}."
    )


def _distances(alike: np.ndarray, own: float | None, digit: int) -> None:
    high = max(float(alike.max()), own or 0) * 1.05
    counts, edges = np.histogram(alike, bins=16, range=(0, high))
    bars = go.Bar(
        x=(edges[:-1] + edges[1:]) / 2,
        y=counts,
        marker_color=charts.QUIET,
        hovertemplate="around %{x:.2f}: %{y} digits<extra></extra>",
    )
    figure = go.Figure(bars)
    if own is not None:
        figure.add_vline(x=own, line={"color": charts.ACCENT, "width": 3})
    figure.update_xaxes(title="size of the smallest change (L2)", range=[0, high], fixedrange=True)
    figure.update_yaxes(title="digits", fixedrange=True, nticks=4)
    this = "" if own is None else f"; this digit {own:.2f}"
    alt = f"Distances to the nearest boundary of digits read as {digit}, median {np.median(alike):.2f}{this}"
    charts.show(figure, key="explain-boundary", alt=alt, height=140, bargap=0.08)
