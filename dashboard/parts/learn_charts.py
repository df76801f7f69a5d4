"""The Learn page's charts: curves of a training, the sigmoid, the parabola and its loss."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

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
CURVES = 430  # px
TICKS = [step * 10.0**power for power in range(-4, 6) for step in (1, 3)]  # of a logarithmic axis


def curves(states: Sequence[EpochState], shown: int, epochs: int) -> None:
    """Loss (on a logarithmic scale) and the share of digits read rightly, by epoch, one above the other."""
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.09)
    _add(figure, 1, states, ("loss", "validation_loss"), shown)
    _add(figure, 2, states, ("accuracy", "validation_accuracy"), shown)
    _add_shown(figure, states, shown, epochs)
    lowest = min((min(s.accuracy, s.validation_accuracy) for s in states), default=0.4)
    span = None if states else [-2.1, 0.1]
    figure.update_yaxes(
        row=1, type="log", title="loss", range=span, tickvals=TICKS, tickformat="~g", fixedrange=True
    )
    figure.update_yaxes(row=2, title="read rightly", range=[min(lowest, 0.4) - 0.02, 1.03], tickformat=".0%")
    figure.update_yaxes(fixedrange=True)
    figure.update_xaxes(range=[-0.5, epochs + 0.5], fixedrange=True, showgrid=False)
    figure.update_xaxes(row=2, title="epoch")
    words = "nothing trained yet"
    if states:
        loss, right = states[shown].validation_loss, percent(states[shown].validation_accuracy, 2)
        words = f"loss {loss:.3g}, {right} right after epoch {shown}"
    alt = f"Loss and share of digits read rightly, by epoch. Validation digits: {words}"
    show(figure, key="chart-curves", alt=alt, height=CURVES, legend=LEGEND)


def _add(
    figure: go.Figure, row: int, states: Sequence[EpochState], fields: tuple[str, str], shown: int
) -> None:
    names = ("training digits", "validation digits")
    looks = (QUIET, "dot"), (ACCENT, "solid")
    for name, field, (colour, dash) in zip(names, fields, looks, strict=True):
        figure.add_scatter(
            x=[state.epoch for state in states],
            y=[_finite(getattr(state, field)) for state in states],
            name=name,
            showlegend=row == 1,
            mode="lines" if len(states) > 1 else "markers",
            line={"color": colour, "dash": dash, "width": 2},
            hovertemplate="epoch %{x}: " + ("%{y:.4g}" if row == 1 else "%{y:.2%}"),
            row=row,
            col=1,
        )


def _add_shown(figure: go.Figure, states: Sequence[EpochState], shown: int, epochs: int) -> None:
    """The epoch that is looked at, with its figures."""
    if not states:
        return
    now, side = states[shown], "left" if shown > epochs / 2 else "right"
    for row, value, text, above in (
        (1, now.validation_loss, f"{now.validation_loss:.3g}", "top"),
        (2, now.validation_accuracy, percent(now.validation_accuracy, 2), "bottom"),
    ):
        figure.add_vline(x=shown, row=row, col=1, line={"color": QUIET, "width": 1})
        figure.add_scatter(
            x=[shown],
            y=[_finite(value)],
            text=[text],
            textposition=f"{above} {side}",
            textfont_size=14,
            mode="markers+text",
            marker={"size": 9, "color": ACCENT},
            cliponaxis=False,
            showlegend=False,
            hoverinfo="skip",
            row=row,
            col=1,
        )


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
    span = None if epochs else [-2.1, 0.1]
    figure.update_yaxes(
        type="log", title="validation loss", range=span, tickvals=TICKS, tickformat="~g", fixedrange=True
    )
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
        hovertemplate=f"{name} %{{x:.3f}}: {percent(digit.probability, 2)}",
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
            customdata=[[one.n, percent(one.confidence), percent(one.shares[place])] for one in found],
            hovertemplate="%{customdata[2]} of %{customdata[0]}; %{customdata[1]} sure<extra></extra>",
        )
    figure.update_xaxes(range=[0, 1.04], tickvals=[0, 0.5, 1], tickformat=".0%", fixedrange=True)
    figure.update_yaxes(type="category", autorange="reversed", fixedrange=True, title="the digit is")
    words = "; ".join(
        f"{one.digit}: " + ", ".join(f"{percent(s)} as {c}" for s, c in zip(one.shares, classes, strict=True))
        for one in found
    )
    alt = f"What every digit is read as. {words}"
    order = LEGEND | {"traceorder": "normal"}
    show(figure, key="chart-taken", alt=alt, height=330, barmode="stack", bargap=0.3, legend=order)
