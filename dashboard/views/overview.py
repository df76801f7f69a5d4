"""Overview: what is this model, how good is it, and where does it end?"""

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
    _figures(card, test)
    left, middle, right = st.columns(3, gap="small")
    with left.container(border=True, height="stretch"):
        st.markdown("**Accuracy by digit**", help="With 95 % Wilson intervals, on MNIST's test set.")
        charts.accuracy_by_class(test, key="by-class") if test else _not_measured(card)
    with middle.container(border=True, height="stretch"):
        st.markdown("**Which digit is taken for which**", help="Counts on MNIST's test set.")
        charts.confusion(test["confusion"], card.classes, key="confusion") if test else _not_measured(card)
    with right.container(border=True, height="stretch"):
        st.markdown("**Training**", help="Errors by epoch. The epoch was chosen on the validation digits.")
        history = resources.history(st.session_state.model)
        if history:
            charts.training(history, card.training["best_epoch"], key="training")
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


def _figures(card: ModelCard, test: dict[str, Any] | None) -> None:
    low, high = test["interval_95"] if test else (0.0, 0.0)
    validation, other = card.metrics.get("mnist-validation"), card.metrics.get("optdigits")
    training = card.training
    columns = st.columns(4, gap="small")
    figures = (
        ("Test accuracy", percent(test["accuracy"], 2) if test else "not measured",
         f"95 % interval {percent(low, 2)} to {percent(high, 2)}" if test else "MNIST's test set"),
        ("Validation accuracy", percent(validation["accuracy"], 2) if validation else "not measured",
         f"{validation['n']:,} digits that chose the epoch" if validation else "MNIST's validation split"),
        ("Other writers", percent(other["accuracy"], 1) if other else "not measured",
         f"{other['n']:,} 8×8 digits bundled with scikit-learn" if other else "optdigits"),
        ("Parameters", f"{card.parameters:,}",
         f"trained in {_minutes(training['seconds'])}, {training['hardware']}" if training else card.source),
    )  # fmt: skip
    for column, (label, value, note) in zip(columns, figures, strict=True):
        with column.container(border=True, height="stretch"):
            st.metric(label, value)
            st.caption(note)


def _limits(card: ModelCard, test: dict[str, Any] | None) -> None:
    classes = listed(card.classes)
    confidence = ""
    if test:
        bins = test["reliability"]
        mean = sum(n * c for n, c in zip(bins["counts"], bins["confidence"], strict=True)) / test["n"]
        side = "less" if mean < test["accuracy"] else "more"
        confidence = (
            f"- **Its confidence is {side} than its accuracy**: {percent(mean)} sure on average where "
            f"{percent(test['accuracy'])} are right (calibration error {percent(test['ece'])}).\n"
        )
    st.markdown(
        "**Where it ends**\n"
        f"- **It knows {classes} and nothing else**: whatever it is shown, it names one of them.\n"
        "- **One digit a picture**: several digits in one drawing are read as one.\n"
        f"{confidence}"
        "- **It learnt from MNIST**, digits that Americans wrote on forms around 1990; other hands, "
        "pens and customs (a crossed 7, a 1 with a long nose) are read less well."
    )
    if card.training:
        versions = ", ".join(f"{name} {version}" for name, version in card.training["versions"].items())
        chosen = f"epoch {card.training['best_epoch']} of {card.training['epochs']}"
        seed, day = card.training["seed"], card.training["finished"][:10]
        st.caption(f"Checkpoint {resources.key(card)} · seed {seed} · {chosen} · {day} · {versions}")
    else:
        st.caption(f"Checkpoint {resources.key(card)} · {card.source}")


def _not_measured(card: ModelCard) -> None:
    st.caption("Not measured. To measure it, run:")
    st.code(f"python -m core evaluate --model {card.name} --record", language="sh", wrap_lines=True)


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds >= 90 else f"{seconds:.0f} seconds"


show()
