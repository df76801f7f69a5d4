"""Draw: what does the network read, how sure is it, and which strokes convinced it?"""

import streamlit as st

from core.errors import NothingDrawn, PictureError
from core.predictor import Prediction, Predictor
from core.preprocess import PreparedDigit, prepare
from dashboard import resources, state
from dashboard.parts import charts, evidence, sources
from dashboard.parts.pictures import data_uri
from dashboard.parts.words import percent


def show() -> None:
    st.title("Draw a digit", anchor=False)
    predictor = resources.predictor(st.session_state.model)
    question = "What does the model read, how sure is it, and which strokes convinced it?"
    if len(predictor.classes) < 10:
        known = " and ".join(map(str, predictor.classes))
        question += f" **This model only knows {known}**: it takes everything else for one of them."
    st.caption(question)
    _workspace(predictor)


@st.fragment
def _workspace(predictor: Predictor) -> None:
    left, middle, right = st.columns(3, gap="small")
    with left.container(border=True, height="stretch"):
        picture = sources.choose()
    state.link_drawing()
    prepared = _prepared(picture)
    with middle.container(border=True, height="stretch"):
        prediction = predictor.predict(prepared) if prepared else None
        _answer(prediction)
        if prediction:
            charts.probabilities(prediction, key="probabilities")
    with right.container(border=True, height="stretch"):
        evidence.show(predictor, prepared, prediction)
    if prepared:
        with st.container(border=True):
            _steps(prepared)


def _prepared(picture: sources.Chosen) -> PreparedDigit | None:
    if picture.content is None:
        return None
    try:
        return prepare(picture.content, name=picture.name)
    except NothingDrawn:
        return None
    except PictureError as error:
        st.error(str(error), icon=":material/broken_image:")
        return None


def _answer(prediction: Prediction | None) -> None:
    if prediction is None:
        st.html(
            '<div class="answer" role="status"><div class="words"><strong>Nothing drawn yet</strong>'
            '<span class="quiet">The answer appears here as soon as there is a digit to read.</span>'
            "</div></div>"
        )
        return
    order = prediction.probabilities.argsort()[::-1]
    second = prediction.classes[order[1]]
    st.html(
        f'<div class="answer" role="status"><div class="digit">{prediction.digit}</div>'
        f'<div class="words"><span class="sure"><strong>{percent(prediction.confidence)}</strong> sure</span>'
        f'<span class="quiet">next: {second} at {percent(prediction.of(second))}</span></div></div>'
    )


def _steps(prepared: PreparedDigit) -> None:
    figures = "".join(
        f'<figure><div class="frame"><img alt="{step.name}" src="{data_uri(step.picture)}"></div>'
        f"<figcaption>{step.name}</figcaption></figure>"
        for step in prepared.steps
    )
    words = (
        '<div><strong>What the model sees</strong><br><span class="quiet">The ink is found, cropped, scaled '
        "to 20 pixels and centred, as MNIST's digits were.</span></div>"
    )
    st.html(f'<div class="steps">{words}{figures}</div>')


show()
