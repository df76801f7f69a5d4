"""Charts of how far explanations can be believed."""

from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from core.methods import METHODS
from core.study import CONTROLS, SURVIVES, Span, Study
from dashboard.parts.charts import ACCENT, QUIET, show

if TYPE_CHECKING:
    from core.map_metrics import Curves

CONTROL = "#c2703d"  # edges and noise, beside the accent and grey


def curves(found: "Curves", question: str) -> None:
    """The probability of the target while pixels go and while they come."""
    figure = go.Figure()
    shares = np.linspace(0, 1, found.deletion.shape[1])
    words = []
    for name, curve, area, colour, dash in (
        ("deletion", found.deletion[0], found.deletion_area[0], CONTROL, "solid"),
        ("insertion", found.insertion[0], found.insertion_area[0], ACCENT, "dot"),
    ):
        figure.add_scatter(
            x=shares,
            y=curve,
            name=f"{name}, area {area:.2f}",
            mode="lines",
            line={"color": colour, "dash": dash, "width": 2},
            hovertemplate="%{x:.0%} of the pixels: %{y:.1%}<extra></extra>",
        )
        words.append(f"{name} area {area:.2f}")
    figure.update_xaxes(
        title="pixels, the strongest first", tickformat=".0%", fixedrange=True, showgrid=False
    )
    figure.update_yaxes(
        title=f"probability of {question.split()[0]}", range=[-0.03, 1.05], tickformat=".0%", fixedrange=True
    )
    legend = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "title": None}
    show(figure, key="believe-curves", alt=f"Deletion and insertion for {question}: {', '.join(words)}",
         height=185, legend=legend)  # fmt: skip


def _label(name: str) -> str:
    return METHODS[name].label if name in METHODS else CONTROLS[name]


def _colour(name: str, chosen: str) -> str:
    return ACCENT if name == chosen else CONTROL if name in CONTROLS else QUIET


def ranking(study: Study, chosen: str) -> None:
    """A dot a method at its rank, with its interval; the chosen one and the controls stand out."""
    order = sorted(study.methods, key=lambda name: -study.methods[name].rank.value)
    figure = go.Figure()
    for name in order:
        rank = study.methods[name].rank
        symbol = "diamond" if name in CONTROLS else "circle"
        label = f"<b>{_label(name)}</b>" if name == chosen else _label(name)
        figure.add_scatter(
            x=[rank.value],
            y=[label],
            mode="markers",
            marker={"size": 10, "color": _colour(name, chosen), "symbol": symbol},
            error_x={"type": "data", "symmetric": False, "array": [rank.high - rank.value],
                     "arrayminus": [rank.value - rank.low], "thickness": 3, "width": 0},
            hovertemplate=f"%{{y}}: rank {rank.value:g}, {rank.low:g} to {rank.high:g}<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(title="rank, 1 = best", range=[0.5, len(order) + 0.5], dtick=1, fixedrange=True)
    figure.update_yaxes(type="category", fixedrange=True, dtick=1, tickfont_size=11)
    words = "; ".join(
        f"{_label(name)} {rank.value:g}, {rank.low:g} to {rank.high:g}"
        for name, rank in ((name, study.methods[name].rank) for name in reversed(order))
    )
    show(
        figure, key="believe-ranking", alt=f"Ranks on {study.n} digits: {words}", height=235, showlegend=False
    )


def _intervals(spans: tuple[Span, ...], *, shown: bool) -> dict[str, Any]:
    above = [0.0, *(span.high - span.value for span in spans)]
    below = [0.0, *(span.value - span.low for span in spans)]
    return {"type": "data", "symmetric": False, "array": above, "arrayminus": below, "visible": shown}


def likeness(study: Study, chosen: str) -> None:
    """What is left of the map's order stage by stage; below the line it has changed."""
    figure = go.Figure()
    stages = ["intact", *study.stages]
    others = [name for name in study.methods if name not in (chosen, "edges")]
    for name in [*others, "edges", chosen]:
        spans = study.methods[name].likeness
        loud, dash = name in (chosen, "edges"), "dot" if name == "edges" else "solid"
        figure.add_scatter(
            x=stages,
            y=[1.0, *(span.value for span in spans)],
            name=_label(name),
            showlegend=loud,
            mode="lines+markers" if loud else "lines",
            line={"color": _colour(name, chosen), "width": 3 if loud else 1, "dash": dash},
            opacity=1 if loud else 0.5,
            error_y=_intervals(spans, shown=loud),
            hovertemplate=f"{_label(name)}: %{{y:.2f}} at %{{x}}<extra></extra>",
        )  # fmt: skip
    figure.add_hline(y=SURVIVES, line={"color": QUIET, "dash": "dash", "width": 1})
    figure.update_xaxes(title="destroyed down to …", fixedrange=True, showgrid=False)
    figure.update_yaxes(title="rank correlation", range=[-1.02, 1.08], fixedrange=True)
    last = {name: study.methods[name].likeness[-1].value for name in (chosen, "edges")}
    words = "; ".join(f"{_label(name)} {value:.2f}" for name, value in last.items())
    words += f"; {study.few} digits of {study.dataset}"
    legend = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "title": None}
    show(figure, key="believe-likeness", alt=f"Rank correlation once all weights are destroyed: {words}",
         height=235, legend=legend)  # fmt: skip
