"""Draw: what does the network read, how sure is it, and which strokes convinced it?"""

from html import escape

import streamlit as st

from core.errors import NothingDrawn, PictureError
from core.predictor import Prediction, Predictor
from core.preprocess import STEPS, PreparedDigit
from dashboard import resources, state
from dashboard.parts import charts, evidence, sources
from dashboard.parts.pictures import image
from dashboard.words import listed, percent, plain


def show() -> None:
    st.title("Draw a digit", anchor=False)
    classes = resources.card(st.session_state.model).classes
    question = "What does the model read, how sure is it, and which strokes convinced it?"
    if len(classes) < 10:
        known = listed(classes)
        question += f" **This model only knows {known}**: it takes everything else for one of them."
    st.caption(question)
    _workspace()


@st.fragment
def _workspace() -> None:
    predictor = resources.predictor(st.session_state.model)
    # Every card has its place and size before there is a digit: nothing jumps when one comes.
    left, middle, right = st.columns(3, gap="small")
    with left.container(border=True, height="stretch"):
        picture = sources.choose()
        prepared = _prepared(picture)
    state.link_drawing()
    prediction = predictor.predict(prepared) if prepared else None
    with middle.container(border=True, height="stretch"):
        st.html(_answer(prediction, picture, predictor))
        charts.probabilities(prediction.probabilities if prediction else None, predictor.classes)
    with st.container(border=True):
        st.html(_steps(prepared))
    with right.container(border=True, height="stretch"):  # last: it may have to wait for its imports
        evidence.show(predictor, prepared, prediction)


def _prepared(picture: sources.Chosen) -> PreparedDigit | None:
    if picture.content is None or isinstance(picture.content, PreparedDigit):
        return picture.content
    try:
        return resources.prepared(picture.content, picture.name)
    except NothingDrawn:
        return None
    except PictureError as error:
        st.error(plain(str(error)), icon=":material/broken_image:")
        return None


def _answer(prediction: Prediction | None, picture: sources.Chosen, predictor: Predictor) -> str:
    if prediction is None:
        empty = picture.content is None
        heading = "Nothing drawn yet" if empty else f"Nothing to read in {escape(picture.name)}"
        advice = "The answer appears here." if empty else "A digit must stand out from its background."
        return (
            f'<div class="answer" role="status"><div class="words"><strong>{heading}</strong>'
            f'<span class="quiet">{advice}</span></div></div>'
        )
    second = prediction.classes[prediction.probabilities.argsort()[-2]]
    return (
        f'<div class="answer" role="status"><div class="digit">{prediction.digit}</div><div class="words">'
        f'<span class="sure"><strong>{percent(prediction.confidence)}</strong> sure</span>'
        f'<span class="quiet">next: {second} at {percent(prediction.of(second))}</span>'
        f"{_verdict(prediction, predictor)}</div></div>"
    )


def _verdict(prediction: Prediction, predictor: Predictor) -> str:
    if not (prediction.verdict and predictor.detector and prediction.unusualness is not None):
        return ""
    share = predictor.detector.share_below(prediction.unusualness)
    words = prediction.verdict.words
    return (
        f'<span class="verdict is-{prediction.verdict.kind}">{words[0].upper()}{words[1:]}.</span>'
        f'<span class="quiet">More unusual than {percent(share, 0)} of real digits.</span>'
    )


def _steps(prepared: PreparedDigit | None) -> str:
    told = "The ink is found, cropped, scaled to 20 pixels and centred, as MNIST's digits were."
    if prepared and len(prepared.steps) == 1:
        told = "The digit as it lies in its data set: it is in MNIST's form already."
    pictures = {step.name: image(step.picture, step.name) for step in prepared.steps} if prepared else {}
    figures = "".join(
        f'<figure><div class="frame">{pictures.get(name, "")}</div><figcaption>{name}</figcaption></figure>'
        for name in STEPS
    )
    return (
        '<div class="steps"><div><strong>What the model sees</strong><br>'
        f'<span class="quiet">{told}</span></div>'
        f"{figures}</div>"
    )


show()
