"""Ways to see where the errors lie: the matrix, the commonest confusions, digit by digit."""

from typing import Any

import numpy as np
import streamlit as st

from core.confusion import ClassScore, Confusion
from dashboard.errors_link import ErrorsLink, change, link, mirror
from dashboard.parts import pick
from dashboard.words import percent

SCALES = {"log": "number (log)", "share": "share of the digit"}
MOST_CONFUSIONS = 10


def matrix(confusion: Confusion) -> None:
    """The confusion matrix, its cells by how many errors they hold."""
    view = link()
    pick.matrix(matrix_data(confusion, view), key="errors-matrix", pick=_pick_cell)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.segmented_control(
            "Colour by", required=True, label_visibility="collapsed", **mirror("scale", SCALES)
        )
        st.toggle("Right answers too", **mirror("hits"))


def matrix_data(confusion: Confusion, view: ErrorsLink) -> dict[str, Any]:
    """What `pick.matrix` shows of a matrix as a link asks for it."""
    strength = np.log1p(confusion.matrix) if view.scale == "log" else confusion.shares.copy()
    if not view.hits:
        strength = np.where(np.eye(len(confusion.classes), dtype=bool), 0, strength)
    strength = strength / max(float(strength.max()), 1e-9) * 0.9
    rows = [
        [
            {
                "count": int(count),
                "strength": float(strength[row, column]),
                "words": f"true {true}, read as {read}: {count}",
                "chosen": (view.true, view.read) == (true, read),
                "muted": true == read and not view.hits,
            }
            for column, (read, count) in enumerate(zip(confusion.classes, confusion.matrix[row], strict=True))
        ]
        for row, true in enumerate(confusion.classes)
    ]
    chosen = {"true": view.true, "read": view.read}
    return {"classes": list(confusion.classes), "rows": rows, "chosen": chosen}


def _pick_cell(cell: dict[str, int | None]) -> None:
    true, read = cell["label"], cell["prediction"]
    if (true, read) == (link().true, link().read):  # a second click lets go of it
        change(true=None, read=None)
    else:
        right = true is not None and true == read
        change(true=true, read=read, shown="right" if right else "wrong")


def confusions(confusion: Confusion) -> None:
    """The most frequent confusions, in words."""
    top = confusion.top(MOST_CONFUSIONS)
    if not top:
        st.success("Not one error in this data set.", icon=":material/check_circle:")
        return
    view = link()
    most = max(found.count for found in top)
    rows = [
        {
            "id": {"label": found.true, "prediction": found.read},
            "cells": [found.words],
            "bar": found.count / most,
            "words": found.words,
            "chosen": (view.true, view.read) == (found.true, found.read),
        }
        for found in top
    ]
    data = {"columns": ["Most frequent confusions"], "rows": rows}
    pick.table(data, key="errors-confusions", pick=_pick_cell)


def digits(confusion: Confusion) -> None:
    """Precision, recall and F1 of each digit, the bar by its share of the errors."""
    view = link()
    missed = [score.support - score.correct for score in confusion.per_class]
    rows = [
        {
            "id": {"label": score.digit, "prediction": None},
            "cells": [str(score.digit), f"{score.support:,}", f"{errors:,}", *_shares(score)],
            "bar": errors / max(1, *missed),
            "words": f"Show the {score.digit}s that were read wrongly: {errors} of {score.support}",
            "chosen": (view.true, view.read) == (score.digit, None),
        }
        for score, errors in zip(confusion.per_class, missed, strict=True)
    ]
    columns = ["digit", "how many", "missed", "precision", "recall", "F1"]
    pick.table({"columns": columns, "rows": rows}, key="errors-digits", pick=_pick_cell)
    st.caption(
        "The bars: how many were missed. Recall: the share of a digit's that were found. Precision: the "
        "share of its answers that hold."
    )


def _shares(score: ClassScore) -> list[str]:
    return ["–" if value is None else percent(value) for value in (score.precision, score.recall, score.f1)]
