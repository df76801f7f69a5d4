"""Draw: what does the network read, how sure is it, and which strokes convinced it?"""

import streamlit as st

from core.errors import NothingDrawn, PictureError
from core.predictor import Prediction, Predictor
from core.preprocess import STEPS, PreparedDigit
from dashboard import resources, state
from dashboard.parts import answered, charts, evidence, sources
from dashboard.parts.pictures import image
from dashboard.words import listed, plain


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
        prepared, refused = _prepared(picture)
    state.link_drawing()
    digits = resources.digits_in(predictor, prepared) if prepared else ()
    found = predictor.predict(list(digits))
    with middle.container(border=True, height="stretch"):
        place = st.empty()
        chosen = _choose(found)
        place.html(_answer(found, chosen, picture, refused, predictor))
        prepared, prediction = (digits[chosen], found[chosen]) if found else (None, None)
        charts.probabilities(prediction.probabilities if prediction else None, predictor.classes)
    with st.container(border=True):
        st.html(_steps(prepared))
    with right.container(border=True, height="stretch"):  # last: it may have to wait for its imports
        evidence.show(predictor, prepared, prediction)


def _prepared(picture: sources.Chosen) -> tuple[PreparedDigit | None, bool]:
    """The picture in MNIST's convention, where there is a digit in it, and whether it was refused."""
    if picture.content is None or isinstance(picture.content, PreparedDigit):
        return picture.content, False
    try:
        return resources.prepared(picture.content, picture.name), False
    except NothingDrawn:
        return None, False
    except PictureError as error:
        st.error(plain(str(error)), icon=":material/broken_image:")
        return None, True


def _answer(
    found: list[Prediction], chosen: int, picture: sources.Chosen, refused: bool, predictor: Predictor
) -> str:
    if found:
        return answered.several(found, chosen) if len(found) > 1 else answered.one(found[0], predictor)
    if refused:
        return answered.nothing("No picture to read", "The answer appears here.")
    if picture.content is None:
        return answered.nothing("Nothing drawn yet", "The answer appears here.")
    return answered.nothing(
        f"Nothing to read in {picture.name}", "A digit must stand out from its background."
    )


def _choose(found: list[Prediction]) -> int:
    """Which one of several digits the bars, the evidence and the steps are of."""
    if len(found) < 2:
        return 0
    places = list(range(len(found)))
    if st.session_state.get("part") not in places:
        st.session_state.part = 0
    st.segmented_control(
        "Show",
        places,
        format_func=lambda place: f"{place + 1}: {found[place].digit}",
        key="part",
        required=True,
        label_visibility="collapsed",
        wrap=True,
    )
    return int(st.session_state.part)


def _steps(prepared: PreparedDigit | None) -> str:
    told = "The ink is found, cropped, scaled to 20 pixels and centred, as MNIST's digits were."
    if prepared and len(prepared.steps) == 1:
        told = "The digit as it lies in its data set: it is in MNIST's form already."
    steps = prepared.steps if prepared else ()
    pictures = {step.name: image(step.picture, f"The digit at the step {step.name}") for step in steps}
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
