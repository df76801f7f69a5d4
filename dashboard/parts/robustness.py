"""Robustness: how accuracy falls as digits are corrupted more and more, fifteen ways."""

import plotly.graph_objects as go
import streamlit as st

from core.corruptions import CORRUPTIONS
from core.errors import DigitscopeError
from core.robustness import Robustness
from dashboard import distortions
from dashboard.parts import charts, pick
from dashboard.parts.data_picker import NAMES
from dashboard.parts.pictures import image
from dashboard.words import percent, plain

KEY = "corruption"  # of the choice, and its name in the link
STYLE = """<style>
.severities { display: flex; gap: 0.5rem; }
.severities figure { flex: 1 1 0; min-width: 0; margin: 0; text-align: center; font-size: 0.85rem; }
</style>"""


def words_of(corruption: str) -> str:
    """A corruption's name for people."""
    return corruption.replace("_", " ").capitalize()


def show() -> None:
    """Accuracy against severity, one corruption picked out; pictures of it; all of them, worst first."""
    bar = st.empty()
    data = distortions.dataset()
    try:
        found = distortions.robustness(
            st.session_state.model,
            data,
            progress=lambda done, total: bar.progress(
                done / total, f"Reading corrupted digit {done:,} of {total:,} …"
            ),
        )
    except DigitscopeError as error:
        st.error(plain(str(error)), icon=":material/dataset:")
        return
    finally:
        bar.empty()
    st.html(STYLE)
    _show(found, data)


@st.fragment
def _show(found: Robustness, data: str) -> None:
    left, right = st.columns([7, 5], gap="medium")
    with left:
        name = st.selectbox(
            "Corruption",
            found.worst_first,
            format_func=words_of,
            key=KEY,
            bind="query-params",
            label_visibility="collapsed",
            width=260,
        )
        st.markdown(_sentence(found, name))
        _chart(found, name)
        _examples(data, name)
        st.caption(
            "One digit at each severity: its answer, and how sure the model is. All figures: "
            f"{NAMES.get(data, data)}, a sample of {found.n:,} (seed {found.seed}). The fifteen are "
            "MNIST-C's (Mu and Gilmer 2019), written anew. No training uses them, but some turn, shift, "
            "scale and shear digits a little."
        )
    with right:
        _table(found, name)


def _sentence(found: Robustness, name: str) -> str:
    row = found.corruptions.index(name)
    low, high = found.intervals[row, -1]
    return (
        f"**{words_of(name)}** at severity {found.severities[-1]}: "
        f"**{percent(found.accuracy[row, -1])}** read rightly ({percent(low)} to {percent(high)}), and the "
        f"model says it is **{percent(found.confidence[row, -1])}** sure."
    )


def _chart(found: Robustness, name: str) -> None:
    figure = go.Figure()
    chosen, accuracy = found.corruptions.index(name), found.accuracy
    for row, other in enumerate(found.corruptions):
        if row != chosen:
            figure.add_scatter(
                x=found.severities,
                y=accuracy[row],
                mode="lines",
                line={"color": charts.QUIET, "width": 1},
                opacity=0.45,
                showlegend=False,
                hovertemplate=f"{words_of(other)}, severity %{{x}}: %{{y:.1%}}<extra></extra>",
            )
    figure.add_scatter(
        x=found.severities,
        y=found.confidence[chosen],
        name="how sure the model is",
        mode="lines",
        line={"color": charts.QUIET, "width": 3, "dash": "dot"},
        hovertemplate="mean confidence at severity %{x}: %{y:.1%}<extra></extra>",
    )
    low, high = found.intervals[chosen].T
    figure.add_scatter(
        x=found.severities,
        y=accuracy[chosen],
        name=f"{words_of(name)}: how many are right",
        mode="lines+markers",
        line={"color": charts.ACCENT, "width": 3},
        marker_size=9,
        error_y={
            "symmetric": False,
            "array": high - accuracy[chosen],
            "arrayminus": accuracy[chosen] - low,
            "color": charts.ACCENT,
            "thickness": 2,
            "width": 0,
        },
        hovertemplate="severity %{x}: %{y:.1%} right<extra></extra>",
    )
    figure.update_xaxes(title="severity", dtick=1, fixedrange=True, showgrid=False, range=[-0.15, 5.15])
    figure.update_yaxes(range=[0, 1.04], tickformat=".0%", fixedrange=True)
    steps = ", ".join(
        f"{percent(share)} at {severity}"
        for severity, share in zip(found.severities, accuracy[chosen], strict=True)
    )
    alt = f"Accuracy under {words_of(name)} by severity: {steps}. The other corruptions are thin lines"
    legend = {
        "orientation": "h",
        "x": 0,
        "y": 1.02,
        "yanchor": "bottom",
        "title": None,
        "traceorder": "reversed",
    }
    charts.show(figure, key="robustness-chart", alt=alt, height=340, legend=legend)


def _examples(data: str, name: str) -> None:
    figures = []
    for severity, (pixels, answer, sure) in enumerate(
        distortions.examples(st.session_state.model, data, name)
    ):
        shown = image(pixels, f"{words_of(name)} at severity {severity}, read as {answer}")
        how_sure = percent(sure, 0 if sure < 0.995 else 1)
        words = f"{severity}: <b>{answer}</b><br>{how_sure}"
        figures.append(f"<figure>{shown}<figcaption>{words}</figcaption></figure>")
    st.html(f'<div class="severities">{"".join(figures)}</div>')


def _table(found: Robustness, chosen: str) -> None:
    rows = []
    for name in found.worst_first:
        row = found.corruptions.index(name)
        right, sure = float(found.accuracy[row, -1]), float(found.confidence[row, -1])
        cells = [words_of(name), percent(float(found.accuracy[row, 3])), percent(right), percent(sure)]
        if found.unusualness is not None:
            cells.append(f"{found.unusualness[row, -1]:.2f}")
        rows.append(
            {
                "id": name,
                "cells": cells,
                "bar": 1 - right,
                "words": f"{words_of(name)}: {percent(right)} right at the highest severity",
                "chosen": name == chosen,
            }
        )
    # The bar is the share that is read wrongly at the highest severity.
    columns = ["Worst first", "right at 3", "right at 5", "sure at 5"]
    if found.unusualness is not None:
        columns.append("unusual at 5")
    pick.table({"columns": columns, "rows": rows}, key="robustness-table", pick=_pick)


def _pick(name: str) -> None:
    if name in CORRUPTIONS:  # what a browser sends may be anything
        st.session_state[KEY] = name
