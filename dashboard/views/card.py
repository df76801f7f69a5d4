"""Model card: what is this model for, how good is it, what is it not for, and what did it take?"""

import shlex

import streamlit as st

from core.card import ModelCard
from core.card_results import energy_words
from core.energy import total_watt_hours
from core.model_card import ModelCardText
from core.paths import MODEL_CARD
from core.wording import NOT_MEASURED
from dashboard import resources
from dashboard.parts.card import cells
from dashboard.words import percent

LEFT = ("Uses", "Bias, Risks, and Limitations", "Environmental Impact")
RIGHT = ("Evaluation", "Model Examination")


def show() -> None:
    name = st.session_state.model
    text = resources.model_card(name)
    st.title("Model card", anchor=False)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(text.summary, width="stretch")
        st.download_button(
            MODEL_CARD,
            text.to_markdown,
            file_name=MODEL_CARD,
            mime="text/markdown",
            icon=":material/download:",
            on_click="ignore",
            help="In the form that Hugging Face reads: upload it as the model's README.md.",
        )
    st.html(_figures(text))
    left, right = st.columns([5, 7], gap="small")
    for column, headings in ((left, LEFT), (right, RIGHT)):
        for heading in headings:
            with column.container(border=True):
                _section(heading, text)
    rest = [heading for heading in text.sections if heading not in LEFT + RIGHT]
    for heading in rest:
        with st.expander(heading):
            _body(text.sections[heading])
    st.caption("Written from the checkpoint's card.json. As a file in its folder:")
    st.code(f"python -m core card --model {shlex.quote(name)}", language="sh")


def _section(heading: str, text: ModelCardText) -> None:
    st.subheader(heading, anchor=False)
    method, results, figures = text.sections[heading].partition("### Results")
    _body(results + figures + "\n\n" + method)  # figures first


def _body(markdown: str) -> None:
    """A section as it is in the file, its headings smaller than the page's."""
    opening, _, rest = markdown.partition("<details><summary>Every flag</summary>")
    st.markdown(_smaller(opening))
    if rest:
        inside, _, behind = rest.partition("</details>")
        st.markdown("**Every flag**")
        st.markdown(inside)
        st.markdown(_smaller(behind))


def _smaller(markdown: str) -> str:
    lines = markdown.split("\n")
    return "\n".join(f"**{line.lstrip('# ')}**" if line.startswith("###") else line for line in lines)


def _figures(text: ModelCardText) -> str:
    card, energy = text.material.card, total_watt_hours(text.material.work)
    seconds = card.training.get("seconds")
    took = "time not recorded" if seconds is None else f"this network: {seconds:g} s of training"
    rows = (
        ("Test accuracy", *_accuracy(card, "mnist-test")),
        ("Other writers", *_accuracy(card, "optdigits")),
        ("Calibration error", *_calibration(card)),
        ("Energy of training", energy_words(energy), f"{took}; power assumed"),
    )
    return cells(rows)


def _accuracy(card: ModelCard, dataset: str) -> tuple[str, str]:
    metrics = card.metrics.get(dataset)
    if metrics is None:
        return NOT_MEASURED, ""
    low, high = metrics["interval_95"]
    return percent(metrics["accuracy"], 2), f"{percent(low, 2)} to {percent(high, 2)}, n = {metrics['n']:,}"


def _calibration(card: ModelCard) -> tuple[str, str]:
    test = card.metrics.get("mnist-test")
    note = f"temperature {card.temperature:.3f}" if card.calibration else "no temperature fitted"
    return (percent(test["ece"], 2) if test else NOT_MEASURED), f"ECE, 15 bins; {note}"


show()
