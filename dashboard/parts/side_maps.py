"""All attribution methods side by side, each tile as it arrives."""

from typing import TYPE_CHECKING

import streamlit as st

from core.methods import BASELINES, DEFAULT_LAYER, METHODS, methods_of
from dashboard import explanations, resources
from dashboard.explain_link import STEPS, STRIDES, WINDOWS, link, mirror
from dashboard.explanations import Question
from dashboard.parts import maps
from dashboard.parts.explained_digit import Subject

if TYPE_CHECKING:
    from core.explanation import Explanation

LAYER_WORDS = {"block1": "28 × 28", "block2": "14 × 14", "block3": "7 × 7", "block4": "3 × 3"}
WHY_LAYER = (
    f"Of the layer that Grad-CAM and Guided Grad-CAM look at. The default is {DEFAULT_LAYER}: the one after "
    "it is too coarse to show a place (3 × 3), those before it know little of the digit as a whole."
)


def show(subject: Subject) -> None:
    """The options, the legend, and a tile a method."""
    with st.container(horizontal=True, vertical_alignment="center"):
        legend = st.container(width="stretch")
        with st.popover("Options", icon=":material/tune:"):
            _options(subject)
    legend.markdown(_legend(subject.question))
    names = methods_of(subject.predictor.layers)
    with st.container(key="explain-maps"):
        places = {name: st.empty() for name in names}
    if resources.warming(subject.predictor):
        for name, place in places.items():
            place.html(maps.tile(METHODS[name].label, maps.reason("being loaded …", "")))
    found: dict[str, Explanation | str] = {}
    tops: dict[str, float] = {}  # the end of each unit's scale so far
    for name in places:
        found[name] = explanations.explanation(subject.predictor, subject.pixels, name, subject.question)
        unit, top = METHODS[name].unit, _strength(found[name])
        alike = [name]
        if link().scale == "shared" and top > tops.get(unit, 0.0):  # the ones before need the longer scale
            alike = [other for other in found if METHODS[other].unit == unit]
        tops[unit] = max(top, tops.get(unit, 0.0))
        for other in alike:
            longest = tops[unit] if link().scale == "shared" else _strength(found[other])
            places[other].html(_tile(other, found[other], subject, longest))


def _strength(found: "Explanation | str") -> float:
    return 0.0 if isinstance(found, str) else found.strength


def _legend(question: Question) -> str:
    opposite = f"for {question.against}" if question.against is not None else "against it"
    scale = "Maps of one unit share a scale." if link().scale == "shared" else "Each has its own scale."
    return (
        f"Evidence for **{question.words}**: purple speaks for {question.target}, orange {opposite}; maps in "
        f"blue and yellow have no sign. {scale}"
    )


def _tile(name: str, one: "Explanation | str", subject: Subject, top: float) -> str:
    about, hatched = METHODS[name], ""
    if isinstance(one, str):
        return maps.tile(about.label, maps.reason(one), about.brief)
    if one.note:
        body = maps.reason(one.note, "∅")
    else:
        unseen = explanations.unseen(subject.predictor, name)
        body = maps.picture(one, subject.pixels, top=top, label=about.label, unseen=unseen)
        hatched = maps.unseen_words(unseen)
    unit = f"{about.unit}, {one.layer}" if about.layered else about.unit
    return maps.tile(about.label, body, unit, sums(one), about.brief, hatched)


def sums(one: "Explanation") -> str:
    """Whether a map adds up to what it promises."""
    if one.owed is None or one.gap is None:
        return ""
    return f"Sums to {one.owed + one.gap:.2f}, owes {one.owed:.2f}"


def _options(subject: Subject) -> None:
    if subject.predictor.layers:
        names = {layer: f"{layer}, {LAYER_WORDS[layer]}" for layer in subject.predictor.layers}
        st.selectbox("Layer", help=WHY_LAYER, **mirror("layer", names))
    st.select_slider(
        "Steps of Integrated Gradients",
        help="More steps, a smaller gap between what the map adds up to and what it owes.",
        **mirror("steps", {step: str(step) for step in STEPS}),
    )
    st.segmented_control(
        "Baseline",
        required=True,
        help="What Integrated Gradients, DeepLift, SHAP and Occlusion take for “nothing there”.",
        **mirror("baseline", {name: name for name in BASELINES}),
    )
    st.select_slider("Occlusion's window", **mirror("window", {px: f"{px} px" for px in WINDOWS}))
    st.select_slider("Occlusion's stride", **mirror("stride", {px: f"{px} px" for px in STRIDES}))
    st.segmented_control(
        "Scale", required=True, **mirror("scale", {"shared": "one a unit", "own": "each its own"})
    )
