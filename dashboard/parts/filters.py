"""Which digits the gallery shows: the controls above it, and the selection that they make."""

from dataclasses import replace

import streamlit as st

from core.errors import DigitscopeError
from core.notes import TAGS
from core.paths import checkpoint_names
from core.selection import Selection
from core.table import EvaluationTable
from dashboard import evaluations, resources
from dashboard.errors_link import CONDITIONS, PER_PAGE, ErrorsLink, change, link, mirror

ANY = "any"
SHOWN = {"wrong": "Wrong", "right": "Right", "all": "All"}
ORDER_NAMES = {
    "loss": "Highest loss",
    "confidence": "Most sure",
    "margin": "Narrowest margin",
    "unusualness": "Most unusual",
    "index": "Place in the set",
}
LABELS = {"all": "all", "doubtful": "only doubtful", "certain": "without doubtful"}
NOTES = {"": "all", "any": "with a note", **{tag: f"“{tag}”" for tag in TAGS}}


def show(table: EvaluationTable) -> None:
    """The controls: the four that people use most in a row, the rest behind a button."""
    classes = list(table.about.classes)
    with st.container(horizontal=True, vertical_alignment="bottom", key="errors-filters"):
        st.selectbox("True digit", [ANY, *classes], width=95, **mirror("true", empty=ANY))
        st.selectbox("Read as", [ANY, *classes], width=95, **mirror("read", empty=ANY))
        st.segmented_control("Answers", required=True, width="content", **mirror("shown", SHOWN))
        st.selectbox("Order", width=170, **mirror("order", ORDER_NAMES))
        with st.popover("More", icon=":material/tune:"):
            _more(table)
        convolutional = resources.card(st.session_state.model).architecture == "DigitCNN"
        st.toggle(
            "Grad-CAM" if convolutional else "Evidence",
            help="Where the network looked, for its own answer."
            if convolutional
            else "Each pixel's part in the answer: purple for it, orange against it.",
            **mirror("cam"),
        )
        if link().filtered:
            st.button("Clear", icon=":material/filter_alt_off:", type="tertiary", on_click=_clear)


def _more(table: EvaluationTable) -> None:
    _confidence()
    if evaluations.label_issues(table.about.dataset):
        st.selectbox(
            "Labels that people doubt",
            help="15 labels of MNIST's test set are wrong or undecidable by human vote.",
            **mirror("labels", LABELS),
        )
    st.selectbox("Notes", **mirror("note", NOTES, empty=""))
    st.select_slider("Digits a page", PER_PAGE, **mirror("per"))


def _confidence() -> None:
    view, key = link(), "errors-confidence"
    st.session_state[key] = (min(view.low, view.high), max(view.low, view.high))

    def changed() -> None:
        low, high = st.session_state[key]
        if (low, high) != (link().low, link().high):
            change(low=low, high=high)

    st.slider("Confidence", 0, 100, key=key, format="%d %%", on_change=changed)


def _clear() -> None:
    usual = ErrorsLink()
    shown = usual.shown if link().change else link().shown  # a comparison shows all answers
    change(shown=shown, **{name: getattr(usual, name) for name in CONDITIONS})


def settle(table: EvaluationTable) -> None:
    """Drops conditions that this model or data set can't meet: after a switch, or from an odd link."""
    view, drop = link(), {}
    for name in ("true", "read"):
        if getattr(view, name) not in (None, *table.about.classes):
            drop[name] = None
    if view.labels != "all" and not evaluations.label_issues(table.about.dataset):
        drop["labels"] = "all"
    if view.note not in NOTES:
        drop["note"] = ""
    if view.other and (view.other == st.session_state.model or view.other not in checkpoint_names()):
        drop |= {"other": "", "change": ""}
    if drop:
        change(**drop)


def _changed(other: str, group: str, dataset: str) -> set[int]:
    """A group of a comparison; empty where the two have no digit in common, as Compare says."""
    try:
        with st.spinner(f"{other} reads the digits …"):
            found = evaluations.comparison(st.session_state.model, other, dataset)
    except DigitscopeError:
        return set()
    return set(getattr(found, group).tolist())


def selection(table: EvaluationTable, dataset: str) -> Selection:
    """The selection that the link describes."""
    view = link()
    found = Selection(
        label=view.true,
        prediction=view.read,
        right={"wrong": False, "right": True, "all": None}[view.shown],
        low=min(view.low, view.high) / 100,
        high=max(view.low, view.high) / 100,
    )
    doubtful = tuple(evaluations.label_issues(table.about.dataset))
    if view.labels == "certain":
        found = replace(found, without=doubtful)
    groups = [set(doubtful)] if view.labels == "doubtful" else []
    if view.note:
        notes = evaluations.noted(table)
        groups.append({i for i, note in notes.items() if view.note in ("any", *note.tags)})
    if view.area:
        groups.append(set(evaluations.inside(table, view.area)))
    if view.change and view.other:
        groups.append(_changed(view.other, view.change, dataset))
    return replace(found, among=tuple(sorted(set.intersection(*groups)))) if groups else found
