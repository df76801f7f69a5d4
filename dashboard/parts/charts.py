"""Charts that two views or more could draw, with the words that a screen reader needs."""

from typing import Any

import numpy as np
import plotly.colors
import plotly.graph_objects as go
import streamlit as st

from core.results import RecipeResults
from dashboard.words import percent

CONFIG = {"displayModeBar": False, "responsive": True}
ACCENT, QUIET = "#16938a", "#8b979b"  # legible on the light and on the dark page
LEAST = 1e-4  # errors, the lowest a training's chart shows
DIGIT_COLOURS = plotly.colors.qualitative.Safe  # told apart by colour-blind people
SQUARE = 265  # px, the height of a card's chart


def show(figure: go.Figure, *, key: str, alt: str, height: int, **layout: Any) -> None:
    """Draws a figure without a toolbar, with tight margins."""
    figure.update_layout(height=height, margin={"l": 8, "r": 8, "t": 8, "b": 8}, **layout)
    st.plotly_chart(figure, key=key, config=CONFIG, alt=alt)


def enlarge(figure: go.Figure, size: int | None) -> None:
    """Letters of that many px, for a room; None leaves them as they are."""
    if size is not None:
        figure.update_xaxes(tickfont_size=size, title_font_size=size)
        figure.update_yaxes(tickfont_size=size, title_font_size=size)
        figure.update_layout(legend_font_size=size)


def probabilities(found: np.ndarray | None, classes: tuple[int, ...], *, true: int | None = None) -> None:
    """One horizontal bar a class, in digit order, the largest in the accent colour; empty for None.

    The true digit, where it is known, is printed bold.
    """
    names = [f"<b>{digit}</b>" if digit == true else str(digit) for digit in classes]
    shares = [0.0] * len(names) if found is None else found.tolist()
    answer = None if found is None else classes[int(found.argmax())]
    bars = go.Bar(
        x=shares,
        y=names,
        orientation="h",
        marker_color=[ACCENT if digit == answer else QUIET for digit in classes],
        text=None if found is None else [percent(share) for share in shares],
        textposition="outside",
        cliponaxis=False,
        customdata=[percent(share, 2) for share in shares],
        hovertemplate="%{y}: %{customdata}<extra></extra>",
    )
    figure = go.Figure(bars)
    figure.update_xaxes(range=[0, 1.18], visible=False, fixedrange=True)
    figure.update_yaxes(autorange="reversed", type="category", fixedrange=True, tickfont_size=15, ticks="")
    words = ", ".join(f"{digit}: {percent(share)}" for digit, share in zip(classes, shares, strict=True))
    alt = f"Probability of each digit. {'Nothing to read yet.' if found is None else words}"
    show(figure, key="probabilities", alt=alt, height=26 * len(names) + 30, bargap=0.35)


def accuracy_by_class(
    metrics: dict[str, Any], *, height: int = SQUARE, size: int | None = None, told: bool = False
) -> None:
    """A dot a digit with its 95 % interval; `told` writes above each what it is."""
    names = list(metrics["per_class"])
    shares = [1 - counts["errors"] / counts["n"] for counts in metrics["per_class"].values()]
    intervals = [metrics["interval_95_per_class"][name] for name in names]
    dots = go.Scatter(
        x=shares,
        y=names,
        mode="markers+text" if told else "markers",
        marker={"size": 18 if told else 11, "color": ACCENT},
        text=[percent(share, 2) for share in shares],
        textposition="top center",
        textfont_size=size,
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [high - share for share, (_, high) in zip(shares, intervals, strict=True)],
            "arrayminus": [share - low for share, (low, _) in zip(shares, intervals, strict=True)],
            "color": QUIET,
            "thickness": 2,
            "width": 0,
        },
        customdata=[
            [c["errors"], c["n"], percent(share, 2)]
            for c, share in zip(metrics["per_class"].values(), shares, strict=True)
        ],
        hovertemplate="%{y}: %{customdata[2]}, %{customdata[0]} errors in %{customdata[1]}<extra></extra>",
    )
    figure = go.Figure(dots)
    figure.update_xaxes(tickformat=".1%", fixedrange=True, nticks=5)
    figure.update_yaxes(type="category", autorange="reversed", fixedrange=True, tickfont_size=14)
    if told:
        figure.update_yaxes(autorange=None, range=[len(names) - 0.5, -0.8])  # room for the words
    enlarge(figure, size)
    words = ", ".join(f"{name}: {percent(share, 2)}" for name, share in zip(names, shares, strict=True))
    show(figure, key="by-class", alt=f"Accuracy of each digit. {words}", height=height)


def confusion(metrics: dict[str, Any]) -> None:
    """Rows: true digit, columns: what it was taken for; the errors are coloured, the hits are not."""
    matrix = np.array(metrics["confusion"])
    errors = matrix.astype(float)
    np.fill_diagonal(errors, np.nan)
    names = list(metrics["per_class"])
    cells = go.Heatmap(
        z=np.log1p(errors),
        x=names,
        y=names,
        customdata=matrix,
        zmin=0,
        zmax=max(1.0, float(np.nanmax(np.log1p(errors)))),
        colorscale=[[0, "rgba(22,147,138,0.06)"], [1, "rgba(22,147,138,0.7)"]],
        showscale=False,
        xgap=2,
        ygap=2,
        hovertemplate="true %{y}, read as %{x}: %{customdata}<extra></extra>",
    )
    figure = go.Figure(cells)
    # A trace of its own, as Plotly picks a cell's text colour without knowing the page behind it.
    rows, columns = np.nonzero(matrix)
    figure.add_scatter(
        x=[names[column] for column in columns],
        y=[names[row] for row in rows],
        text=[str(count) for count in matrix[rows, columns]],
        mode="text",
        textfont={"size": 11, "color": "#f1f4f3" if st.context.theme.type == "dark" else "#1c2024"},
        hoverinfo="skip",
    )
    plain = {"type": "category", "fixedrange": True, "showgrid": False, "zeroline": False}
    figure.update_xaxes(side="top", title="read as", **plain)
    figure.update_yaxes(autorange="reversed", title="true digit", **plain)
    order = np.argsort(np.nan_to_num(errors), axis=None)[::-1][:3]
    worst = [(names[i // len(names)], names[i % len(names)], matrix.flat[i]) for i in order]
    words = ", ".join(f"{true} read as {read}: {count}" for true, read, count in worst if count)
    alt = f"Confusion matrix. Most frequent errors: {words or 'none'}"
    show(figure, key="confusion", alt=alt, height=SQUARE, showlegend=False)


def place_in_class(shares: np.ndarray, own: float, label: int) -> None:
    """How often each probability of the true digit occurs in its class, with one digit's own marked."""
    counts, edges = np.histogram(shares, bins=20, range=(0, 1))
    bars = go.Bar(
        x=(edges[:-1] + edges[1:]) / 2,
        y=counts,
        marker_color=QUIET,
        hovertemplate="%{x:.0%}: %{y} digits<extra></extra>",
    )
    figure = go.Figure(bars)
    figure.add_vline(x=own, line={"color": ACCENT, "width": 3})
    figure.update_xaxes(
        range=[-0.02, 1.02], tickformat=".0%", fixedrange=True, title=f"probability of {label}"
    )
    figure.update_yaxes(type="log", fixedrange=True, title="digits", nticks=4, dtick=1)
    alt = f"Distribution of the probability of {label} among all true {label}s; this digit has {percent(own)}"
    show(figure, key="place", alt=alt, height=200, bargap=0.08)


def training(
    history: list[dict[str, float]],
    best_epoch: int | None,
    *,
    key: str = "training",
    height: int = SQUARE,
) -> None:
    """The share of errors by epoch, on a logarithmic scale, with the chosen epoch marked if there is one."""
    epochs = [row["epoch"] for row in history]
    figure = go.Figure()
    for name, field, colour, dash in (
        ("training digits", "accuracy", QUIET, "dot"),
        ("validation digits", "validation_accuracy", ACCENT, "solid"),
    ):
        errors = [max(1 - row[field], LEAST) for row in history]  # a logarithm knows no 0
        line = {"color": colour, "dash": dash, "width": 2}
        about = "epoch %{x}: %{y:.2%}"
        figure.add_scatter(x=epochs, y=errors, name=name, mode="lines", line=line, hovertemplate=about)
    shown = next((row for row in history if row["epoch"] == best_epoch), history[-1])
    error = max(1 - shown["validation_accuracy"], LEAST)
    if best_epoch is not None:
        figure.add_scatter(
            x=[best_epoch],
            y=[error],
            name=f"chosen: epoch {best_epoch}",
            mode="markers",
            marker={"size": 12, "color": ACCENT, "line": {"width": 2, "color": "white"}},
            hovertemplate="chosen epoch %{x}: %{y:.2%}",
        )
    figure.update_xaxes(title="epoch", fixedrange=True, showgrid=False)
    ticks = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5]
    figure.update_yaxes(type="log", tickvals=ticks, tickformat=".1%", title="errors", fixedrange=True)
    which = "the last" if best_epoch is None else "the chosen"
    words = f"Errors by epoch: {percent(error, 2)} of the validation digits in {which} epoch {shown['epoch']}"
    legend = {"x": 1, "xanchor": "right", "y": 1, "yanchor": "top", "title": None}
    show(figure, key=key, alt=words, height=height, legend=legend)


def recipes(results: list[RecipeResults]) -> None:
    """A dot for each run's errors on the test set, a line at the mean of each recipe."""
    figure = go.Figure()
    words = []
    for recipe in results:
        errors = [run["metrics"]["mnist-test"]["errors"] for run in recipe.runs]
        mean = sum(errors) / len(errors)
        words.append(f"{recipe.recipe}: {mean:.0f} on average of {len(errors)} runs")
        figure.add_scatter(
            x=errors,
            y=[recipe.recipe] * len(errors),
            mode="markers",
            marker={"size": 10, "color": ACCENT, "opacity": 0.65},
            customdata=[run["seed"] for run in recipe.runs],
            hovertemplate="%{y}, seed %{customdata}: %{x} errors<extra></extra>",
        )
        figure.add_scatter(
            x=[mean],
            y=[recipe.recipe],
            mode="markers",
            marker={"size": 22, "symbol": "line-ns", "line": {"width": 3, "color": QUIET}},
            hovertemplate=f"%{{y}}, mean: {mean:.1f} errors<extra></extra>",
        )
    n = results[0].runs[0]["metrics"]["mnist-test"]["n"]
    figure.update_xaxes(title=f"errors in {n:,} test digits", fixedrange=True, rangemode="tozero")
    figure.update_yaxes(type="category", fixedrange=True, autorange="reversed", tickfont_size=14)
    alt = f"Errors on the test set by recipe. {'; '.join(words)}"
    show(figure, key="recipes", alt=alt, height=70 + 42 * len(results), showlegend=False)
