"""Where the evidence for a digit lies, laid over the digit."""

import numpy as np
import streamlit as st

from core.predictor import Prediction, Predictor
from core.preprocess import PreparedDigit
from dashboard import resources
from dashboard.parts.pictures import image

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
        st.caption("The strokes that convinced the model light up here.")
        return
    if resources.warming(predictor):
        place.info("The explanation is being loaded …", icon=":material/hourglass_top:")
    from core.explanation import default_method, explain  # torch: after the answer stands there
    from core.overlay import heat

    target = prediction.digit if chosen is None else chosen
    explanation = explain(predictor, prepared, method=default_method(predictor), target=target)
    alt = f"The digit as the model sees it, read as {prediction.digit}"
    layers = image(prepared.pixels, alt)
    if explanation.note is None:
        layers += image(heat(explanation), f"Evidence for {target}", style=f"opacity: {opacity / 100}")
    place.html(f'<div class="overlay">{layers}</div>')
    st.caption(explanation.note or _scale(explanation.strength, explanation.signed, target))


def _scale(strength: float, signed: bool, target: int) -> str:
    if signed:
        return f"Purple speaks for {target}, orange against it. Scale: ±{strength:.2g}, in log-odds."
    return f"Bright places speak for {target}. Scale: 0 to {strength:.2g}, in units of its logit."
