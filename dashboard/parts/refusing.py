"""What it costs to let the model refuse: the threshold, its price in words, and the digits at its edge."""

import shlex

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from core.abstention import Costs, OperatingPoint, RiskCoverage, cheapest
from core.table import EvaluationTable
from dashboard import answers, resources
from dashboard.confidence_link import CONFIDENCE, MOST_COST
from dashboard.parts import charts
from dashboard.parts.reliability import digits
from dashboard.words import percent

BESIDE = 10  # digits on each side of the threshold: two rows
MOST_POINTS = 600  # of the curve
SUREST = 0.999  # the chart ends where only these are answered
USUAL = 0.5  # the threshold of a model that none is saved with


def show(table: EvaluationTable, dataset: str) -> None:
    """The slider, what it buys, and the curve; beside them the digits at its edge; the costs below."""
    curve = answers.curve(st.session_state.model, table)
    saved = resources.card(st.session_state.model).verdict.get("refuse_below")
    left, right = st.columns(2, gap="medium")
    with left:
        threshold = weigh(curve, saved)
    with right:
        _edge(table, dataset, threshold)
    _costs(saved)


def weigh(curve: RiskCoverage, saved: float | None, *, height: int = 270, size: int | None = None) -> float:
    """The slider, what it buys, and the curve; gives the threshold.

    Args:
        curve: what every threshold does.
        saved: the threshold that is saved with the model, None if there is none.
        height: of the chart, px.
        size: of its letters, px; None for the usual one.
    """
    threshold = _slider(saved)
    point = curve.at(threshold)
    st.html(_price(point, curve))
    _chart(curve, point, None if saved is None else curve.at(saved), height, size)
    return threshold


def _slider(saved: float | None) -> float:
    key, view = "confidence-below", CONFIDENCE.view()
    usual = 100 * (USUAL if saved is None else saved)
    st.session_state[key] = usual if view.below is None else view.below

    def changed() -> None:
        CONFIDENCE.change(below=round(st.session_state[key], 4))

    st.slider(
        "Refuse answers less sure than", 0.0, 100.0, step=0.1, format="%.1f %%", key=key, on_change=changed
    )
    # As the card has it: per cent and back could move it across an answer.
    return float(usual / 100 if saved is None else saved) if view.below is None else view.below / 100


def _price(point: OperatingPoint, curve: RiskCoverage) -> str:
    costs = Costs(CONFIDENCE.view().error, CONFIDENCE.view().refusal)
    right = "–" if point.accuracy is None else percent(point.accuracy, 2)
    whole = curve.at(0.0)
    return (
        f'<div class="price" role="status"><strong>{point.words}</strong><div><strong>{right}</strong> of '
        f"the answers are right, instead of {percent(whole.accuracy or 0.0, 2)}. A digit costs "
        f"<strong>{point.cost(costs):.4f}</strong> on average, instead of {whole.cost(costs):.4f}."
        "</div></div>"
    )


def _edge(table: EvaluationTable, dataset: str, threshold: float) -> None:
    found = answers.answers(st.session_state.model, table)
    refused, answered = found.beside(threshold, BESIDE)
    for heading, indices, none in (
        ("Refused last: a lower threshold answers them", refused, "None is refused."),
        ("Answered still: a higher threshold refuses them", answered, "None is answered."),
    ):
        st.markdown(f"**{heading}**")
        if indices:
            key = "confidence-refused" if indices is refused else "confidence-answered"
            digits(table, dataset, found, indices, "after", key=key)
        else:
            st.caption(none)


def _chart(
    curve: RiskCoverage, point: OperatingPoint, saved: OperatingPoint | None, height: int, size: int | None
) -> None:
    shown = np.unique(np.linspace(0, len(curve.thresholds) - 1, MOST_POINTS).round().astype(int))
    figure = go.Figure()
    figure.add_scatter(
        x=curve.coverage[shown],
        y=1 - curve.risk[shown],
        mode="lines",
        name="every threshold",
        line={"color": charts.QUIET, "width": 2},
        customdata=curve.thresholds[shown],
        hovertemplate="below %{customdata:.2%}: %{x:.2%} answered, %{y:.2%} right<extra></extra>",
    )
    _mark(figure, saved, "saved with the model", "diamond-open", 20)
    _mark(figure, point, "this threshold", "circle", 11)
    _frame(figure, curve, [each.coverage for each in (point, saved) if each])
    right = "none" if point.accuracy is None else percent(point.accuracy, 2)
    alt = (
        f"Accuracy against coverage, AURC {curve.aurc:.6f}. At this threshold {percent(point.coverage, 2)} "
        f"of the digits are answered, and of these are right: {right}"
    )
    charts.enlarge(figure, size)
    legend = {"x": 0.99, "xanchor": "right", "y": 0.04, "yanchor": "bottom", "title": None}
    charts.show(figure, key="coverage", alt=alt, height=height, legend=legend)
    st.caption(
        f"AURC {curve.aurc:.6f}: the area under errors against coverage, 0 at best. "
        f"Refusing at random would give {curve.at(0.0).errors / curve.n:.6f}."
    )


def _frame(figure: go.Figure, curve: RiskCoverage, marked: list[float]) -> None:
    """The part of the curve where something happens, the same for every threshold in it."""
    least = min(curve.at(min(SUREST, float(curve.thresholds[-1]))).coverage, *marked)
    room = max(1e-3, float(curve.risk[curve.coverage >= least].max(initial=0)))
    plain = {"tickformat": ".4~%", "fixedrange": True}
    figure.update_xaxes(range=[1 + 0.04 * (1 - least), least], title="answered", nticks=7, **plain)
    figure.update_yaxes(range=[1 - 1.12 * room, 1 + 0.12 * room], title="of these right", nticks=6, **plain)


def _mark(figure: go.Figure, point: OperatingPoint | None, name: str, symbol: str, size: int) -> None:
    if point is not None and point.accuracy is not None:
        line = {"width": 2, "color": charts.ACCENT}
        figure.add_scatter(
            x=[point.coverage],
            y=[point.accuracy],
            mode="markers",
            name=name,
            marker={"size": size, "symbol": symbol, "color": charts.ACCENT, "line": line},
            hovertemplate=f"{name}: {percent(point.coverage, 2)} answered, {percent(point.accuracy, 2)} right"
            "<extra></extra>",
        )


def _costs(saved: float | None) -> None:
    choices = answers.choices(st.session_state.model)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        for name, label in (("error", "An error costs"), ("refusal", "A refusal costs")):
            mirrored = CONFIDENCE.mirror(name)
            st.number_input(label, 1 / MOST_COST, MOST_COST, step=1.0, format="%g", width=140, **mirrored)
        if choices:
            view = CONFIDENCE.view()
            best = cheapest(choices, Costs(view.error, view.refusal))
            st.button(
                f"Cheapest: below {100 * best.threshold:.4g} %",
                icon=":material/savings:",
                on_click=CONFIDENCE.change,
                kwargs={"below": round(100 * best.threshold, 10)},
            )
        if saved is not None:
            st.button(
                f"Saved: below {100 * saved:.4g} %",
                icon=":material/bookmark:",
                on_click=CONFIDENCE.change,
                kwargs={"below": None},
            )
    if choices:
        st.caption(f"Chosen on the {choices[0].n:,} validation digits, whatever the digits here say.")
    else:
        _remedy()


def _remedy() -> None:
    st.caption("Nothing was fitted to this model yet. To choose a threshold on the validation digits, run:")
    st.code(f"python -m core calibrate --model {shlex.quote(st.session_state.model)}", language="sh")
