"""Where the evidence for a digit lies, laid over the digit."""

import numpy as np
import streamlit as st

from core.predictor import Prediction, Predictor
from core.preprocess import PreparedDigit
from dashboard import resources
from dashboard.parts.pictures import image

WEAK = 0.1  # of the strongest evidence for any digit in the same picture
BLANK = np.zeros((28, 28), dtype=np.uint8)


def show(predictor: Predictor, prepared: PreparedDigit | None, prediction: Prediction | None) -> None:
    """The card: for which digit, the overlay, how strong the map is."""
    chosen = st.segmented_control(
        "Evidence for",
        predictor.classes,
        key="evidence",
        bind="query-params",
        help="Pick a digit to see what speaks for it: why this one, and why not that one? "
        "With none picked it is the answer.",
        width="stretch",
    )
    opacity = st.slider("Opacity", 0, 100, 70, key="opacity", bind="query-params", format="%d %%")
    place = st.empty()
    if prepared is None or prediction is None:
        place.html(f'<div class="overlay">{image(BLANK, "An empty square")}</div>')
        _caption("Where the evidence for the answer lies appears here.")
        return
    if resources.warming(predictor):
        place.info("The explanation is being loaded …", icon=":material/hourglass_top:")
    from core.overlay import heat  # torch: after the answer stands there

    target = prediction.digit if chosen is None else chosen
    every = resources.explanations(predictor, prepared)
    explanation = every[target]
    alt = f"The digit as the model sees it, read as {prediction.digit}"
    layers = image(prepared.pixels, alt)
    if explanation.note is None:
        layers += image(heat(explanation), f"Evidence for {target}", style=f"opacity: {opacity / 100}")
    place.html(f'<div class="overlay">{layers}</div>')
    strengths = {digit: each.strength for digit, each in every.items()}
    _caption(explanation.note or _scale(target, strengths, signed=explanation.signed))


def _caption(text: str) -> None:
    with st.container(key="evidence-note"):  # two lines high, whatever it says: nothing jumps
        st.caption(text)


def _scale(target: int, strengths: dict[int, float], *, signed: bool) -> str:
    """What the colours mean. A map is as bright as its own maximum, so a weak one must say so."""
    strength = strengths[target]
    if signed:
        return f"Purple speaks for {target}, orange against it. Scale: ±{strength:.2g}, in log-odds."
    strongest = max(strengths, key=strengths.__getitem__)
    if strength < WEAK * strengths[strongest]:
        return (
            f"Bright places speak for {target}, but weakly: up to {strength:.1g} of its logit, "
            f"where the evidence for {strongest} reaches {strengths[strongest]:.1g}."
        )
    return f"Bright places speak for {target}. Scale: 0 to {strength:.2g}, in units of its logit."
