"""The map: digits that the network sees alike lie side by side; a lasso picks some of them."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from core.errors import DigitscopeError
from core.table import EvaluationTable
from dashboard import evaluations
from dashboard.errors_link import change, link
from dashboard.parts import charts
from dashboard.words import plain

KEY = "errors-map"


def show(table: EvaluationTable) -> None:
    """The map, its errors marked; computed the first time, with progress."""
    try:
        points = lay_out(table)
    except DigitscopeError as error:
        st.info(plain(str(error)), icon=":material/map:")
        return
    figure = _figure(table, points)
    words = f"Map of {len(points):,} digits by the network's last features, coloured by true digit"
    figure.update_layout(height=520, margin={"l": 0, "r": 0, "t": 0, "b": 0}, dragmode="lasso")
    st.plotly_chart(
        figure,
        key=KEY,
        on_select=_selected,
        selection_mode=("lasso", "box"),
        config={"displayModeBar": True, "displaylogo": False, "modeBarButtonsToRemove": ["autoScale2d"]},
        alt=words,
    )
    if link().area:
        st.button("Let go of the area", icon=":material/deselect:", on_click=change, kwargs={"area": ()})
    else:
        st.caption("Draw round some digits to see them. Crosses are errors, in the colour of the true digit.")


def lay_out(table: EvaluationTable) -> np.ndarray:
    """Where the digits lie, with progress where that is not known yet."""
    points = evaluations.kept_map(table)
    if points is not None:
        return points
    words = "Laying out the map, once …"
    bar = st.progress(0.0, words)
    try:
        return evaluations.map_points(table, progress=lambda done, total: bar.progress(done / total, words))
    finally:
        bar.empty()


def _figure(table: EvaluationTable, points: np.ndarray) -> go.Figure:
    shown = evaluations.on_map(table)
    label, prediction, index = (table.column(name, shown) for name in ("label", "prediction", "index"))
    wrong = label != prediction
    figure = go.Figure()
    for digit in table.about.classes:
        here = (label == digit) & ~wrong
        figure.add_scattergl(
            x=points[here, 0],
            y=points[here, 1],
            mode="markers",
            name=str(digit),
            marker={"size": 4, "color": charts.DIGIT_COLOURS[digit], "opacity": 0.55},
            customdata=index[here],
            hovertemplate=f"true {digit}, digit %{{customdata}}<extra></extra>",
            unselected={"marker": {"opacity": 0.55}},
        )
    figure.add_scattergl(
        x=points[wrong, 0],
        y=points[wrong, 1],
        mode="markers",
        name="read wrongly",
        marker={
            "size": 10,
            "symbol": "x",
            "color": [charts.DIGIT_COLOURS[digit] for digit in label[wrong].tolist()],
            "line": {"width": 1, "color": "#f1f4f3" if st.context.theme.type == "dark" else "#1c2024"},
        },
        customdata=np.stack([index[wrong], label[wrong], prediction[wrong]], axis=1),
        hovertemplate="true %{customdata[1]}, read as %{customdata[2]}, digit %{customdata[0]}"
        "<extra></extra>",
        unselected={"marker": {"opacity": 1}},
    )
    _name_clusters(figure, points, label)
    if link().area:
        figure.add_shape(type="path", path=_path(link().area), line={"width": 2, "color": charts.ACCENT})
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False, scaleanchor="x")
    figure.update_layout(showlegend=False)
    return figure


def _name_clusters(figure: go.Figure, points: np.ndarray, label: np.ndarray) -> None:
    """A digit's name at its middle: colour alone says nothing to some."""
    dark = st.context.theme.type == "dark"
    look = {
        "font": {"size": 20, "color": "#ffffff" if dark else "#000000"},
        "bgcolor": "rgba(20,24,26,0.7)" if dark else "rgba(255,255,255,0.7)",
    }
    for digit in np.unique(label).tolist():
        x, y = np.median(points[label == digit], axis=0)
        figure.add_annotation(x=float(x), y=float(y), text=f"<b>{digit}</b>", showarrow=False, **look)


def _path(area: tuple[tuple[float, float], ...]) -> str:
    return "M" + "L".join(f"{x},{y}" for x, y in area) + "Z"


def _selected() -> None:
    """A lasso's own line, or a box's corners, thinned so that a link can hold it."""
    chosen = st.session_state[KEY].selection
    if chosen.lasso:
        xs, ys = chosen.lasso[0]["x"], chosen.lasso[0]["y"]
    elif chosen.box:
        (left, right), (low, high) = chosen.box[0]["x"], chosen.box[0]["y"]
        xs, ys = [left, right, right, left], [low, low, high, high]
    else:
        return
    step = max(1, len(xs) // 60)
    area = tuple((round(x, 1), round(y, 1)) for x, y in zip(xs[::step], ys[::step], strict=True))
    if len(area) > 2:
        change(area=area)
