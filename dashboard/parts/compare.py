"""Two networks on the same digits: which errors the other one mends, and which it makes."""

import streamlit as st

from core.errors import DigitscopeError
from core.paths import checkpoint_names
from dashboard import evaluations
from dashboard.errors_link import change, link, mirror
from dashboard.parts import data_picker, pick
from dashboard.words import plain

CHANGES = {
    "fixed": "{first} is wrong, {second} is right",
    "newly_wrong": "{first} is right, {second} is wrong",
    "both_wrong": "both are wrong",
}


def show(dataset: str) -> None:
    """The choice of the second network, the comparison in words, and its three groups to open."""
    first = st.session_state.model
    others = [name for name in checkpoint_names() if name != first]
    if not others:
        st.info(
            "There is one checkpoint only. Train a second one with `python train.py cnn --out "
            "checkpoints/second`, or bring published weights with `python -m core import-weights FILE --out "
            "checkpoints/published`.",
            icon=":material/compare_arrows:",
        )
        return
    if not link().other:
        change(other=others[0], change="")
    st.selectbox("Compare with", others, width=220, **mirror("other"))
    bar = st.empty()
    try:
        found = evaluations.comparison(
            first,
            link().other,
            dataset,
            progress=lambda done, total: bar.progress(done / total, f"{link().other} reads the digits …"),
        )
    except DigitscopeError as error:
        bar.empty()
        st.error(data_picker.problem(error, dataset), icon=":material/compare_arrows:")
        return
    bar.empty()
    second = link().other
    groups = {name: len(getattr(found, name)) for name in CHANGES}
    rows = [
        {
            "id": name,
            "cells": [CHANGES[name].format(first=first, second=second), f"{n:,}"],
            "bar": n / max(1, *groups.values()),
            "words": f"{CHANGES[name].format(first=first, second=second)}: {n}",
            "chosen": link().change == name,
        }
        for name, n in groups.items()
    ]
    pick.table({"columns": ["", "digits"], "rows": rows}, key="errors-compare", pick=_pick)
    st.markdown(plain(found.words(first, second)))


def _pick(name: str) -> None:
    if name == link().change:  # a second click lets go of it
        change(change="", shown="wrong")
    else:
        change(change=name, shown="all", true=None, read=None)
