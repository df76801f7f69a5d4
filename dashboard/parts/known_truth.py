"""The 3-or-7 model, whose true explanation is known: each method's map beside it."""

from dataclasses import replace

import numpy as np
import streamlit as st

from core.methods import DEFAULTS, METHODS, methods_of
from core.palette import diverging
from dashboard import explanations
from dashboard.parts import maps
from dashboard.parts.explained_digit import Subject
from dashboard.parts.pictures import image


def show(subject: Subject) -> None:
    """The truth, and how close each method comes."""
    from core.known_truth import compare  # torch: there by now

    truth = explanations.truth(subject.predictor, subject.pixels, subject.question.target)
    st.markdown(
        f"**Here the truth is known.** This model adds up weight × pixel: what each pixel gives to the "
        f"log-odds of {subject.question.target} is exact. How close does each method come, pixel by pixel?"
    )
    left, right = st.columns([2, 8], gap="medium")
    top = float(np.abs(truth).max())
    with left:
        picture = image(diverging(truth.astype(np.float64), top=top), "Weight × pixel, the true parts")
        st.html(
            maps.tile("Weight × pixel", f'<div class="overlay">{picture}</div>{maps.bar(top, signed=True)}')
        )
    question = replace(subject.question, options=DEFAULTS)  # the truth compares with black
    found = {
        name: explanations.explanation(subject.predictor, subject.pixels, name, question)
        for name in methods_of(subject.predictor.layers)
    }
    rows = "".join(
        _row(name, compare(subject.predictor, truth, one))
        for name, one in found.items()
        if not isinstance(one, str)
    )
    with right:
        st.html(
            '<div class="wide"><table class="runs figures-of-map"><thead><tr><th>Method</th>'
            f"<th>Rank correlation</th><th>Largest difference</th><th></th></tr></thead>"
            f"<tbody>{rows}</tbody></table></div>"
        )


def _row(name: str, close) -> str:  # type: ignore[no-untyped-def]
    verdict = "owes equality: " + ("✓ equal" if close.equal else "✗ not equal") if close.owed else ""
    return (
        f"<tr><td>{METHODS[name].label}</td><td>{close.correlation:.3f}</td>"
        f"<td>{close.difference:.2g}</td><td>{verdict}</td></tr>"
    )
