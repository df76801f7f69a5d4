"""One digit's story: what it is, what it was read as, where the network looked, what it resembles."""

from html import escape
from urllib.parse import urlencode

import numpy as np
import streamlit as st

from core.errors import DatasetError
from core.preprocess import as_prepared
from core.selection import Selection
from core.strokes import encode, trace
from core.table import DigitRow, EvaluationTable
from dashboard import evaluations, resources, state
from dashboard.errors_link import change, link
from dashboard.parts import charts, data_picker, note_form, pick
from dashboard.parts.canvas import hidden
from dashboard.parts.data_picker import name_of, offer_mnist
from dashboard.parts.gallery import DOUBTFUL
from dashboard.parts.pictures import image
from dashboard.words import percent, plain


def show(table: EvaluationTable, selection: Selection, index: int) -> None:
    """The page of the digit at `index`, with its neighbours in the gallery's order."""
    rows = table.rows([index])
    _bar(table, selection, index)
    if not rows:
        st.warning(
            f"There is no digit {index} in {plain(name_of(table.about.dataset))} for this model. Go back "
            "to the gallery.",
            icon=":material/link_off:",
        )
        return
    row = rows[0]
    left, middle, right = st.columns([3, 4, 5], gap="small")
    below_left, below_middle, below_right = st.columns([5, 4, 3], gap="small")
    with left.container(border=True, height="stretch"):
        _picture(table, row)
    with middle.container(border=True, height="stretch"):
        _reading(row)
    with below_middle.container(border=True, height="stretch"):
        _place(table, row)
    with below_right.container(border=True, height="stretch"):
        note_form.show(table, index)
    with right.container(border=True, height="stretch"):  # what may have to wait for its imports comes last
        _evidence(row)
    with below_left.container(border=True, height="stretch"):
        _resembles(row)


def _bar(table: EvaluationTable, selection: Selection, index: int) -> None:
    previous, following, place = table.beside(index, selection, order=link().order)
    n = table.count(selection)
    with st.container(horizontal=True, vertical_alignment="center", key="digit-bar"):
        st.button("All digits", icon=":material/arrow_back:", on_click=_open, args=(None,))
        st.space("stretch")
        st.markdown("not in the gallery" if place is None else f"{place + 1:,} of {n:,}", width="content")
        for name, key, target in (("Previous", "Left", previous), ("Next", "Right", following)):
            st.button(
                name,
                shortcut=key,
                disabled=target is None,
                on_click=_walk,
                args=(table, selection, name == "Next"),
            )


def _open(index: int | None) -> None:
    change(digit=index, page=link().page)


def _walk(table: EvaluationTable, selection: Selection, forward: bool) -> None:
    """From the digit that the link names now: of two quick presses the second starts where the first led."""
    view = link()
    if view.digit is not None:
        target = table.beside(view.digit, selection, order=view.order)[int(forward)]
        if target is not None:
            _open(target)


def _picture(table: EvaluationTable, row: DigitRow) -> None:
    name = f"{name_of(table.about.dataset)}, digit {row.index}"
    st.html(f'<div class="overlay">{image(row.pixels, f"Digit {row.index}, labelled {row.label}")}</div>')
    st.caption(plain(name) + (f": {plain(row.name)}" if row.name else ""))
    doubt = evaluations.label_issues(table.about.dataset).get(row.index)
    if doubt:
        st.warning(f"{DOUBTFUL} {plain(doubt.words)}")
    if st.button("Edit in Draw", icon=":material/draw:", help="Puts the digit on the canvas, to draw on."):
        drawing = trace(row.pixels)
        state.remember(drawing)
        hidden()
        # Named, and not left out: without any, Streamlit clears the address and refuses to clear the model.
        st.switch_page("views/draw.py", query_params={"d": encode(drawing)})


def _reading(row: DigitRow) -> None:
    right = row.label == row.prediction
    verdict = "read rightly" if right else f"truly a <strong>{row.label}</strong>"
    st.html(
        f'<div class="answer" role="status"><div class="digit">{row.prediction}</div><div class="words">'
        f'<span class="sure"><strong>{percent(row.confidence)}</strong> sure, {verdict}</span>'
        f'<span class="quiet">loss {row.loss:.2f}, margin {percent(row.margin)}</span></div></div>'
    )
    charts.probabilities(row.probabilities, row.classes, true=row.label)


def _evidence(row: DigitRow) -> None:
    targets = [row.prediction] if row.prediction == row.label else [row.prediction, row.label]
    st.markdown("**Where the network looked**")
    if evaluations.is_even(row.pixels):
        st.caption("Nowhere: the picture is even, nothing is drawn on it.")
        return
    waiting, predictor = st.empty(), resources.predictor(st.session_state.model)
    if resources.warming(predictor):
        waiting.info("The explanation is being loaded …", icon=":material/hourglass_top:")
    digit = as_prepared(row.pixels)
    found = [resources.explanation(predictor, digit, target) for target in targets]
    from core.overlay import heat  # torch: after what needs none stands there

    waiting.empty()
    strength = max(each.strength for each in found)
    parts = []
    for each in found:
        role = "its answer" if each.target == row.prediction else "the true digit"
        words = escape(each.note or f"speaks for {each.target}, {role}")
        layers = image(row.pixels, f"Digit {row.index}")
        if each.note is None:
            layers += image(heat(each, top=strength), f"Evidence for {each.target}", style="opacity: 0.7")
        parts.append(f'<figure><div class="overlay">{layers}</div><figcaption>{words}</figcaption></figure>')
    st.html(f'<div class="pair">{"".join(parts)}</div>')
    both = "Both on one scale" if len(targets) > 1 else "Scale"
    with st.container(horizontal=True, vertical_alignment="center"):
        if found[0].signed:
            scale = f"Purple speaks for the digit, orange against it. {both}: ±{strength:.2g}, in log-odds."
        else:
            scale = f"{both}: 0 to {strength:.2g}, in units of the logit."
        st.caption(scale, width="stretch")
        _ask_more(row)


def _ask_more(row: DigitRow) -> None:
    """The way to the Explain page, with the question that this digit raises."""
    wrong = row.label != row.prediction
    question = {"target": row.prediction} | ({"against": row.label} if wrong else {})
    where = {"model": st.session_state.model, "data": data_picker.chosen(), "index": row.index}
    words = f"Why {row.prediction} and not {row.label}?" if wrong else "More ways to explain it"
    pick.way(words, f"explain?{urlencode(where | question)}", key="digit-explain")


def _resembles(row: DigitRow) -> None:
    st.markdown(
        "**It looked like these**",
        help="The five nearest training digits by the network's last features; the number is their cosine "
        "similarity.",
    )
    if not resources.mnist_at_hand():
        st.caption("The training digits are not at hand.")
        offer_mnist()
        return
    bar = st.empty()
    try:
        found = evaluations.nearest(
            st.session_state.model,
            row.embedding,
            progress=lambda done, total: bar.progress(done / total, "Reading the training digits, once …"),
        )
    except DatasetError as error:
        st.caption(plain(str(error)))
        return
    bar.empty()
    figures = "".join(
        f"<figure>{image(pixels, f'Training digit {index}, a {label}')}"
        f"<figcaption><strong>{label}</strong> · {similarity:.2f}</figcaption></figure>"
        for index, label, similarity, pixels in found
    )
    st.html(f'<div class="five">{figures}</div>')


def _place(table: EvaluationTable, row: DigitRow) -> None:
    st.markdown(f"**Among all true {row.label}s**")
    sure = evaluations.true_class_confidence(table, row.label)
    own = float(row.probabilities[row.classes.index(row.label)])
    charts.place_in_class(sure, own, row.label)
    lower = int(np.count_nonzero(sure < own))
    st.caption(
        f"Probability given to {row.label}: {percent(own)}. "
        + (f"{lower:,} of {len(sure):,} got less." if lower else f"The least of all {len(sure):,}.")
    )
