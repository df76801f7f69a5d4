"""The digit that the Explain page is about: where it comes from, what it is read as, and the question."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from core.errors import NothingDrawn, PictureError
from core.predictor import Prediction, Predictor
from core.preprocess import PreparedDigit, as_prepared
from dashboard import evaluations, resources, state
from dashboard.explain_link import EXPLAIN, change, link, mirror
from dashboard.explanations import Question
from dashboard.parts import data_picker, sources
from dashboard.parts.canvas import hidden
from dashboard.parts.pictures import image
from dashboard.words import percent, plain

SOURCE_NAMES = {"data": "Data set", "draw": "Drawing", "file": "Upload", "camera": "Camera"}


@dataclass(frozen=True)
class Subject:
    """A digit with what the model says of it, and what is asked about it.

    `label` is what people say, where it is known.
    """

    predictor: Predictor
    prepared: PreparedDigit
    prediction: Prediction
    question: Question
    label: int | None

    @property
    def pixels(self) -> np.ndarray:
        return self.prepared.pixels


def choose(predictor: Predictor) -> Subject | None:
    """The card: source, picture, answer, for and against; None where there is no digit yet."""
    st.segmented_control(
        "Where the digit comes from",
        required=True,
        label_visibility="collapsed",
        width="stretch",
        **mirror("source", SOURCE_NAMES),
    )
    source = link().source
    if source != "draw":
        hidden()
    prepared, label = _PREPARED[source]()
    state.link_drawing()
    if prepared is None:
        return None
    prediction = predictor.predict(prepared)
    _reading(prediction, label)
    return Subject(predictor, prepared, prediction, _question(predictor, prediction), label)


def _from_data() -> tuple[PreparedDigit | None, int | None]:
    name = data_picker.chosen(EXPLAIN)
    if link().data and link().data != name:
        st.warning(f"{plain(link().data)} is not at hand any more.", icon=":material/link_off:")
    names = dict.fromkeys([*data_picker.at_hand(), name])
    st.selectbox(
        "Digits",
        label_visibility="collapsed",
        **(mirror("data", {each: data_picker.name_of(each) for each in names}, empty=name)),
    )
    n, read = _digits(name)
    index = min(link().index, n - 1)
    if index != link().index:
        st.warning(f"There is no digit {link().index}; this is the last one.", icon=":material/link_off:")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.number_input("Digit number", 0, n - 1, **(mirror("index") if index == link().index else {}))
        st.button("", icon=":material/shuffle:", help="Another one", on_click=_shuffle, args=(n,))
    pixels, label = read(index)
    st.html(f'<div class="overlay subject">{image(pixels, f"Digit {index}, labelled {label}")}</div>')
    return as_prepared(pixels), label


def _digits(name: str) -> tuple[int, Callable[[int], tuple[np.ndarray, int]]]:
    """How many digits a data set has, and the way to one of them."""
    if name.startswith(evaluations.ELSEWHERE):
        table = evaluations.table(st.session_state.model, name)

        def row(index: int) -> tuple[np.ndarray, int]:
            found = table.rows([index])[0]
            return found.pixels, found.label

        return len(table), row
    return len(resources.samples(name)), lambda index: resources.sample(name, index)


def _shuffle(n: int) -> None:
    change(index=int(np.random.default_rng().integers(n)), target=None, against=None)


def _drawn() -> tuple[PreparedDigit | None, None]:
    return _prepared(sources.drawn()), None


def _pictured(picture: sources.Chosen) -> tuple[PreparedDigit | None, None]:
    prepared = _prepared(picture)
    if prepared:
        st.html(f'<div class="overlay subject">{image(prepared.pixels, "What the model sees")}</div>')
    return prepared, None


_PREPARED: dict[str, Callable[[], tuple[PreparedDigit | None, int | None]]] = {
    "data": _from_data,
    "draw": _drawn,
    "file": lambda: _pictured(sources.uploaded()),
    "camera": lambda: _pictured(sources.photographed()),
}


def _prepared(picture: sources.Chosen) -> PreparedDigit | None:
    if picture.content is None or isinstance(picture.content, PreparedDigit):
        return picture.content
    try:
        return resources.prepared(picture.content, picture.name)
    except NothingDrawn:
        st.warning(f"Nothing to read in {plain(picture.name)}: a digit must stand out from its background.")
    except PictureError as error:
        st.error(plain(str(error)), icon=":material/broken_image:")
    return None


def _reading(prediction: Prediction, label: int | None) -> None:
    second = prediction.classes[prediction.probabilities.argsort()[-2]]
    truth = "" if label is None else f" · people say **{label}**"
    st.markdown(
        f"Read as **{prediction.digit}**, {percent(prediction.confidence)} sure{truth}  \n"
        f"next: {second} at {percent(prediction.of(second))}"
    )


def _question(predictor: Predictor, prediction: Prediction) -> Question:
    digits = {digit: str(digit) for digit in predictor.classes}
    with st.container(key="explain-question"):
        st.segmented_control(
            "Evidence for",
            help="Why this digit? With none picked it is the answer.",
            width="stretch",
            **_among("target", digits),
        )
        if len(digits) > 2:
            st.segmented_control(
                "against",
                help="Evidence for one digit against another: for the difference of their logits.",
                width="stretch",
                **_among("against", digits),
            )
    view = link()
    target = view.target if view.target in predictor.classes else prediction.digit
    against = view.against if view.against in predictor.classes and len(digits) > 2 else None
    if against == target:
        st.caption(f"{target} can't be held against itself: this is the evidence for {target} alone.")
        against = None
    return Question(target, against, view.layer, view.options)


def _among(name: str, digits: dict[int, str]) -> dict[str, Any]:
    """A link made for ten digits may ask a model of two for another one: nothing is picked then."""
    arguments = mirror(name, digits)
    if st.session_state[arguments["key"]] not in digits:
        st.session_state[arguments["key"]] = None
    return arguments
