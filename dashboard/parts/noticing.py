"""Who notices: the curves of every detector on one set, and their figures on all sets."""

import plotly.graph_objects as go
import streamlit as st

from core.detection import Detection
from core.detector_kinds import KINDS, OWN
from dashboard import unusual_inputs
from dashboard.parts import charts, input_sets, pick
from dashboard.unusual_inputs import Seen
from dashboard.words import percent

FIGURES = {"AUROC": "auroc", "FPR at 95 % TPR": "fpr95", "AUPR": "aupr"}
ABOUT = {
    "auroc": "the chance that a picture of the set is more unusual than a real digit; 100 is best",
    "fpr95": "the share of real digits that are flagged when 95 % of the set are; 0 is best",
    "aupr": "average precision with the set as the positive class; 100 is best",
}
BEST = "★"
# Paul Tol's muted colours, as light as both the white and the dark page need (contrast of 3 or more).
COLOURS = (
    "#cc6677",
    "#795ccb",
    "#978a38",
    "#1f803b",
    "#4a91b1",
    "#b34b7a",
    "#2f9888",
    "#ae489d",
    "#888888",
    "#b1543c",
)
DASHES = ("solid", "dash", "dot", "dashdot")


@st.fragment
def show() -> None:
    """The part."""
    usual, found = input_sets.everything(detectors=True)
    if not found:
        return
    figures = unusual_inputs.detections(st.session_state.model, usual, found)
    left, right = st.columns([4, 8], gap="small")
    with left:
        key = input_sets.choose(found)
        _curves(usual, found[key], figures[key])
    with right:
        name = st.segmented_control(
            "Figure",
            list(FIGURES),
            default=next(iter(FIGURES)),
            required=True,
            key="figure",
            bind="query-params",
            label_visibility="collapsed",
        )
        _table(found, figures, FIGURES[name], key)
        st.caption(_about(FIGURES[name], usual, figures[key]))


def _about(figure: str, usual: Seen, row: dict[str, Detection]) -> str:
    missing = [kind.name for name, kind in KINDS.items() if name not in row]
    text = f"{ABOUT[figure][0].upper()}{ABOUT[figure][1:]}. {BEST} best of its row; a click draws it. "
    text += f"Against {input_sets.source(usual)}. Those that are fitted saw training digits alone."
    if missing:
        text += f" Not here: {', '.join(missing)}: training digits, or a fitted detector, are not at hand."
    return text


def best(row: dict[str, Detection], figure: str) -> float:
    """The best value of a row."""
    values = [getattr(found, figure) for found in row.values()]
    return min(values) if figure == "fpr95" else max(values)


def _table(
    found: dict[str, Seen], figures: dict[str, dict[str, Detection]], figure: str, chosen: str
) -> None:
    names = list(figures[chosen])
    rows = []
    for key, row in figures.items():
        values = {name: getattr(row[name], figure) for name in names}
        top = best(row, figure)
        marked = [f"{BEST if value == top else ''}{_figure(value)}" for value in values.values()]
        own = values.get(OWN, top)
        rows.append(
            {
                "id": key,
                "cells": [found[key].inputs.name, *marked],
                "bar": 0.0,
                "words": f"{found[key].inputs.name}: best {_figure(top)}, the verdict's own {_figure(own)}",
                "chosen": key == chosen,
            }
        )
    columns = ["per cent", *(KINDS[name].short for name in names)]
    with st.container(key="noticing-table"):
        pick.table({"columns": columns, "rows": rows, "dense": True}, key="noticing", pick=input_sets.pick)


def _figure(value: float) -> str:
    """Per cent, whose sign stands in the table's head."""
    return percent(value).removesuffix(" %")


def _curves(usual: Seen, seen: Seen, row: dict[str, Detection]) -> None:
    figure = go.Figure()
    for place, (name, curve) in enumerate(unusual_inputs.curves(usual, seen).items()):
        own = name == OWN
        figure.add_scatter(
            x=curve.fpr,
            y=curve.tpr,
            name=KINDS[name].name,
            mode="lines",
            line={
                "width": 4 if own else 1.8,
                "color": charts.ACCENT if own else COLOURS[place % len(COLOURS)],
                "dash": "solid" if own else DASHES[place % len(DASHES)],
            },
            hovertemplate=f"{KINDS[name].name}: %{{y:.1%}} at %{{x:.1%}} of the digits<extra></extra>",
        )
    plain = {"tickformat": ".0%", "fixedrange": True, "zeroline": False}
    figure.update_xaxes(title="of the real digits flagged", range=[-0.01, 1], **plain)
    figure.update_yaxes(title=f"of “{seen.inputs.name}” flagged", range=[0, 1.02], **plain)
    words = ", ".join(f"{KINDS[name].name} {found.auroc:.3f}" for name, found in row.items())
    legend = {"x": 0.99, "xanchor": "right", "y": 0.02, "yanchor": "bottom", "title": None, "font_size": 11}
    alt = f"ROC of every detector on {seen.inputs.name}. AUROC: {words}"
    charts.show(figure, key="roc", alt=alt, height=430, legend=legend)
