"""Overview: what is this model, how good is it, and where does it end?"""

from collections.abc import Callable
from html import escape
from typing import Any

import streamlit as st

from core.card import ModelCard
from dashboard import resources
from dashboard.parts import charts
from dashboard.parts.words import listed, percent

KINDS = {
    "DigitCNN": "A convolutional network that reads one handwritten digit",
    "ThreeSevenLinear": "A linear model, one weight a pixel, that tells a handwritten 3 from a 7",
}


def show() -> None:
    card = resources.card(st.session_state.model)
    test = card.metrics.get("mnist-test")
    st.title("Overview", anchor=False)
    st.markdown(_claim(card, test))
    st.html(_figures(card, test))
    left, middle, right = st.columns(3, gap="small")
    with left.container(border=True, height="stretch"):
        st.markdown("**Accuracy by digit**", help="With 95 % Wilson intervals, on MNIST's test set.")
        _chart_or_remedy(card, test, charts.accuracy_by_class)
    with middle.container(border=True, height="stretch"):
        st.markdown("**Which digit is taken for which**", help="Counts on MNIST's test set.")
        _chart_or_remedy(card, test, charts.confusion)
    with right.container(border=True, height="stretch"):
        st.markdown("**Training**", help="Errors by epoch. The epoch was chosen on the validation digits.")
        history = resources.history(st.session_state.model)
        if history:
            charts.training(history, card.training["best_epoch"])
        else:
            st.caption("Not trained here: there is no history.")
    with st.container(border=True):
        _limits(card, test)


def _claim(card: ModelCard, test: dict[str, Any] | None) -> str:
    what = KINDS.get(card.architecture, card.architecture)
    if test is None:
        return f"{what}. How good it is on MNIST's test set: not measured."
    return (
        f"{what}. Of {test['n']:,} digits that it has never seen it reads "
        f"**{percent(test['accuracy'], 2)}** rightly and {test['errors']:,} wrongly."
    )


def _figures(card: ModelCard, test: dict[str, Any] | None) -> str:
    validation, other = card.metrics.get("mnist-validation"), card.metrics.get("optdigits")
    training = card.training
    made = card.source
    if training:
        made = f"trained in {_duration(training['seconds'])} on {training['hardware']}"
    interval = " to ".join(percent(end, 2) for end in test["interval_95"]) if test else ""
    figures = (
        ("Test accuracy", _accuracy(test), f"95 % interval {interval}" if test else "MNIST's test set"),
        ("Validation accuracy", _accuracy(validation), "on the digits that chose the epoch"),
        ("Other writers", _accuracy(other), "on the 8×8 digits that scikit-learn bundles"),
        ("Parameters", f"{card.parameters:,}", made),
    )
    return (
        '<div class="figures">'
        + "".join(
            f'<div>{label}<div class="value">{value}</div><div class="quiet">{escape(note)}</div></div>'
            for label, value, note in figures
        )
        + "</div>"
    )


def _accuracy(metrics: dict[str, Any] | None) -> str:
    return percent(metrics["accuracy"], 2) if metrics else "not measured"


def _duration(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds >= 90 else f"{seconds:.0f} seconds"


def _limits(card: ModelCard, test: dict[str, Any] | None) -> None:
    st.markdown("**Where it ends**")
    left, right = st.columns(2, gap="medium")
    left.markdown(
        f"- **It knows {listed(card.classes)} and nothing else**: shown anything, it names one of them.\n"
        "- **One digit a picture**: several digits in one drawing are read as one."
    )
    right.markdown(
        f"{_calibration(test)}"
        "- **It learnt from MNIST**, written by Americans around 1990; other customs (a crossed 7, a 1 "
        "with a long nose) are read less well."
    )
    provenance = ["Checkpoint " + resources.key(card)]
    if card.training:
        provenance += [
            f"seed {card.training['seed']}",
            f"epoch {card.training['best_epoch']} of {card.training['epochs']}",
            card.training["finished"][:10],
            *(f"{name} {version}" for name, version in card.training["versions"].items()),
        ]
    st.caption(" · ".join(provenance))


def _calibration(test: dict[str, Any] | None) -> str:
    if test is None:
        return ""
    bins = test["reliability"]
    mean = sum(n * c for n, c in zip(bins["counts"], bins["confidence"], strict=True)) / test["n"]
    side = "below" if mean < test["accuracy"] else "above"
    return (
        f"- **Its confidence lies {side} its accuracy**: {percent(mean)} sure on average where "
        f"{percent(test['accuracy'])} are right (expected calibration error {percent(test['ece'])}).\n"
    )


def _chart_or_remedy(
    card: ModelCard, test: dict[str, Any] | None, chart: Callable[[dict[str, Any]], None]
) -> None:
    if test is not None:
        chart(test)
        return
    st.caption("Not measured. To measure it, run:")
    st.code(f"python -m core evaluate --model {card.name} --record", language="sh", wrap_lines=True)


show()
