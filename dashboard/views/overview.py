"""Overview: what is this model, how good is it, and where does it end?"""

from collections.abc import Callable
from typing import Any

import streamlit as st

from core.errors import CheckpointError
from dashboard import resources
from dashboard.parts import card as words
from dashboard.parts import charts, runs
from dashboard.words import plain


def show() -> None:
    name = st.session_state.model
    card = resources.card(name)
    st.title("Overview", anchor=False)
    _say_if_unusable(name)
    st.markdown(words.claim(card))
    st.html(words.figures(card))
    runs.live()
    left, middle, right = st.columns(3, gap="small")
    test = card.metrics.get("mnist-test")
    with left.container(border=True, height="stretch"):
        st.markdown("**Accuracy by digit**", help="With 95 % Wilson intervals, on MNIST's test set.")
        _chart_or_remedy(name, test, charts.accuracy_by_class)
    with middle.container(border=True, height="stretch"):
        st.markdown("**Which digit is taken for which**", help="Counts on MNIST's test set.")
        _chart_or_remedy(name, test, charts.confusion)
    with right.container(border=True, height="stretch"):
        chosen_by = card.training.get("chosen_by", "the validation digits")
        st.markdown("**Training**", help=f"Errors by epoch. The epoch was chosen by {plain(chosen_by)}.")
        history = resources.history(name)
        if history:
            charts.training(history, card.training["best_epoch"])
        else:
            st.caption("Not trained here: there is no history.")
    with st.container(border=True):
        st.markdown("**Where it ends**")
        for column, text in zip(st.columns(2, gap="medium"), words.limits(card), strict=True):
            column.markdown(text)
        st.caption(words.provenance(card, resources.key(card)))
    with st.container(border=True):
        st.markdown(
            "**Is that luck?** The same training from other seeds, and other recipes",
            help="Mean ± standard deviation over the recorded runs. Each chose its epoch on the validation "
            "digits, whatever the test set said.",
        )
        runs.published(card.architecture)


def _say_if_unusable(name: str) -> None:
    """The card stands without the network, whose other pages don't."""
    try:
        resources.predictor(name)
    except CheckpointError as error:
        st.error(plain(str(error)), icon=":material/error:")


def _chart_or_remedy(name: str, test: dict[str, Any] | None, chart: Callable[[dict[str, Any]], None]) -> None:
    if test is not None:
        chart(test)
        return
    st.caption("Not measured. To measure it, run:")
    st.code(words.remedy(name), language="sh", wrap_lines=True)


show()
