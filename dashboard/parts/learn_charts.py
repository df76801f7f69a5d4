"""The Learn page's charts: curves of a training, the sigmoid, the parabola and its loss."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from core.one_digit import OneDigit
from core.parabola import SURFACE, Descent, Heights, Surface, curve
from core.reading import TakenFor
from core.scratch import EpochState, sigmoid
from dashboard.parts.charts import ACCENT, QUIET, show
from dashboard.words import percent

if TYPE_CHECKING:
    from core.side_by_side import Both  # torch

LEGEND = {"orientation": "h", "x": 0, "y": 1.02, "xanchor": "left", "yanchor": "bottom", "title": None}
SECOND = "#b35806"  # beside the accent, for colour-blind people too
HEIGHT = 205  # px
TICKS = [step * 10.0**power for power in range(-4, 6) for step in (1, 3)]  # of a logarithmic axis


def losses(states: Sequence[EpochState], shown: int, epochs: int) -> None:
    """Loss by epoch on a logarithmic scale."""
    parts = (("training", "loss"), ("validation", "validation_loss"))
    figure = _curves(states, parts, shown, epochs)
    figure.update_yaxes(type="log", title="loss", fixedrange=True, tickvals=TICKS, tickformat="~g")
    words = f"{states[shown].validation_loss:.3g} after epoch {shown}" if states else "nothing trained yet"
    show(figure, key="chart-loss", alt=f"Loss by epoch. Validation: {words}", height=HEIGHT, legend=LEGEND)


def accuracies(states: Sequence[EpochState], shown: int, epochs: int) -> None:
    """The share of digits read rightly, by epoch."""
    parts = (("training", "accuracy"), ("validation", "validation_accuracy"))
    figure = _curves(states, parts, shown, epochs)
    lowest = min((min(s.accuracy, s.validation_accuracy) for s in states), default=0.4)
    figure.update_yaxes(range=[min(lowest, 0.4) - 0.02, 1.01], tickformat=".0%", title="right")
    figure.update_yaxes(fixedrange=True)
    words = percent(states[shown].validation_accuracy, 2) + f" after epoch {shown}" if states else "none yet"
    alt = f"Share of digits read rightly, by epoch. Validation: {words}"
    show(figure, key="chart-accuracy", alt=alt, height=HEIGHT, showlegend=False)


def _curves(
    states: Sequence[EpochState], parts: Sequence[tuple[str, str]], shown: int, epochs: int
) -> go.Figure:
    figure = go.Figure()
    for (name, field), colour, dash in zip(parts, (QUIET, ACCENT), ("dot", "solid"), strict=True):
        figure.add_scatter(
            x=[state.epoch for state in states],
            y=[_finite(getattr(state, field)) for state in states],
            name=f"{name} digits",
            mode="lines" if len(states) > 1 else "markers",
            line={"color": colour, "dash": dash, "width": 2},
            hovertemplate="epoch %{x}: %{y:.4g}",
        )
    if states:
        line = {"color": QUIET, "width": 1}
        figure.add_shape(type="line", x0=shown, x1=shown, y0=0, y1=1, yref="paper", line=line)
    figure.update_xaxes(range=[-0.5, epochs + 0.5], title="epoch", fixedrange=True, showgrid=False)
    return figure


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def both(epochs: "Sequence[Both]", last: int) -> None:
    """The losses of both trainings, one over the other."""
    figure = go.Figure()
    x = [one.epoch for one in epochs]
    figure.add_scatter(
        x=x,
        y=[one.theirs.validation_loss for one in epochs],
        name="PyTorch",
        mode="markers",
        marker={"size": 11, "symbol": "circle-open", "color": SECOND, "line": {"width": 2}},
        hovertemplate="epoch %{x}: %{y:.12g}",
    )
    figure.add_scatter(
        x=x,
        y=[one.ours.validation_loss for one in epochs],
        name="from scratch",
        mode="lines",
        line={"color": ACCENT, "width": 2},
        hovertemplate="epoch %{x}: %{y:.12g}",
    )
    figure.update_xaxes(range=[-0.5, last + 0.5], title="epoch", fixedrange=True, showgrid=False)
    figure.update_yaxes(type="log", title="validation loss", fixedrange=True, tickvals=TICKS, tickformat="~g")
    words = f"they end at {epochs[-1].ours.validation_loss:.6g}" if epochs else "nothing trained yet"
    alt = f"Validation loss by epoch, from scratch and with PyTorch; {words}"
    show(figure, key="chart-both", alt=alt, height=260, legend=LEGEND)


def squashed(digit: OneDigit) -> None:
    """The sigmoid with this digit's logit on it, divided by the temperature where there is one."""
    name = "logit" if digit.temperature == 1 else "logit / temperature"
    width = max(8.0, abs(digit.tempered) * 1.15)
    z = np.linspace(-width, width, 121)
    figure = go.Figure()
    figure.add_scatter(
        x=z, y=sigmoid(z), mode="lines", line={"color": QUIET, "width": 2}, hovertemplate="%{x:.2f}: %{y:.1%}"
    )
    figure.add_scatter(
        x=[digit.tempered],
        y=[digit.probability],
        mode="markers",
        marker={"size": 14, "color": ACCENT},
        hovertemplate=name + " %{x:.3f}: %{y:.2%}",
    )
    figure.update_xaxes(title=name, fixedrange=True, zeroline=True)
    figure.update_yaxes(title="probability of a 3", tickformat=".0%", range=[-0.05, 1.05], fixedrange=True)
    alt = f"The sigmoid: a {name} of {digit.tempered:.2f} is a probability of {percent(digit.probability, 2)}"
    show(figure, key="chart-sigmoid", alt=alt, height=230, showlegend=False)


def thrown(heights: Heights, v: float, a: float) -> None:
    """The measured heights with a curve through them."""
    t = np.linspace(0, heights.t[-1] * 1.03, 60)
    figure = go.Figure()
    figure.add_scatter(
        x=heights.t,
        y=heights.y,
        mode="markers",
        name="measured",
        marker={"size": 8, "color": QUIET},
        hovertemplate="%{x:.2f} s: %{y:.2f} m",
    )
    figure.add_scatter(
        x=t,
        y=curve(t, v, a),
        mode="lines",
        name="the curve now",
        line={"color": ACCENT, "width": 3},
        hovertemplate="%{x:.2f} s: %{y:.2f} m",
    )
    figure.update_xaxes(title="seconds", fixedrange=True)
    figure.update_yaxes(title="height, m", range=[-4, 7], fixedrange=True)
    alt = f"Measured heights of a ball and the curve {v:.2f} t − {a:.2f} t²"
    show(figure, key="chart-thrown", alt=alt, height=340, legend=LEGEND)


def valley(ground: Surface, way: Descent, step: int) -> None:
    """The loss from above, dark where it is low, with the way down to a step."""
    figure = go.Figure()
    figure.add_contour(
        x=ground.v,
        y=ground.a,
        z=np.log10(ground.loss),
        colorscale="Cividis",
        ncontours=18,
        showscale=False,
        hovertemplate="v %{x:.1f}, a %{y:.1f}<extra></extra>",
    )
    path = way.path[: step + 1]
    figure.add_scatter(
        x=path[:, 0],
        y=path[:, 1],
        mode="lines+markers",
        line={"color": "#ffffff", "width": 2},
        marker={"size": 5, "color": "#ffffff"},
        hovertemplate="v %{x:.2f}, a %{y:.2f}<extra></extra>",
    )
    figure.add_scatter(
        x=path[-1:, 0],
        y=path[-1:, 1],
        mode="markers",
        marker={"size": 13, "color": ACCENT, "line": {"width": 2, "color": "#ffffff"}},
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=[way.best[0]],
        y=[way.best[1]],
        mode="markers",
        marker={"size": 14, "symbol": "x", "color": SECOND, "line": {"width": 1, "color": "#ffffff"}},
        hovertemplate="the lowest place: v %{x:.2f}, a %{y:.2f}<extra></extra>",
    )
    figure.update_xaxes(title="v", range=list(SURFACE[0]), fixedrange=True)
    figure.update_yaxes(title="a", range=list(SURFACE[1]), fixedrange=True)
    v, a = path[-1]
    alt = (
        f"The loss as a landscape over v and a, with the way to step {len(path) - 1}: "
        f"v {v:.2f}, a {a:.2f}; the lowest place is v {way.best[0]:.2f}, a {way.best[1]:.2f}"
    )
    show(figure, key="chart-valley", alt=alt, height=340, showlegend=False)


def taken(found: Sequence[TakenFor], classes: tuple[int, ...]) -> None:
    """For each digit that there is, as which of two classes it is read."""
    figure = go.Figure()
    names = [f"<b>{one.digit}</b>" if one.known else str(one.digit) for one in found]
    for place, (digit, colour) in enumerate(zip(classes, (ACCENT, SECOND), strict=True)):
        figure.add_bar(
            x=[one.shares[place] for one in found],
            y=names,
            orientation="h",
            name=f"read as {digit}",
            marker_color=colour,
            customdata=[[one.n, one.confidence] for one in found],
            hovertemplate="%{x:.1%} of %{customdata[0]}; %{customdata[1]:.1%} sure<extra></extra>",
        )
    figure.update_xaxes(range=[0, 1], tickformat=".0%", fixedrange=True)
    figure.update_yaxes(type="category", autorange="reversed", fixedrange=True, title="the digit is")
    words = "; ".join(
        f"{one.digit}: " + ", ".join(f"{percent(s)} as {c}" for s, c in zip(one.shares, classes, strict=True))
        for one in found
    )
    alt = f"What every digit is read as. {words}"
    show(figure, key="chart-taken", alt=alt, height=330, barmode="stack", bargap=0.3, legend=LEGEND)
