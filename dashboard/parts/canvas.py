"""The one place that knows streamlit-drawable-canvas: strokes in, strokes out.

The canvas holds the drawing in the browser and sends all of it 200 ms after a stroke's end. What
it is seeded with must stay the same while people draw (a new seed makes it start over), and must
be today's drawing when it appears anew: after a page switch, a reload, Undo or Clear.
"""

import math
from typing import Any

import streamlit as st
from streamlit_drawable_canvas import st_canvas

from core.strokes import CANVAS_SIDE, Drawing, Stroke, stroke
from dashboard import state

KEY = "canvas"
INK, PAPER = "#ffffff", "#000000"


def canvas(*, brush: int) -> Drawing:
    """Shows the canvas and gives the strokes on it.

    Args:
        brush: the width of the next stroke, px.
    """
    if KEY not in st.session_state or state.SEED not in st.session_state:
        _seed(state.drawing())
    st_canvas(
        stroke_width=brush,
        stroke_color=INK,
        background_color=PAPER,
        width=CANVAS_SIDE,
        height=CANVAS_SIDE,
        initial_drawing=st.session_state[state.SEED],
        on_change=_receive,
        key=KEY,
    )
    return state.drawing()


def undo() -> None:
    """Takes the last stroke away."""
    _replace(state.drawing()[:-1])


def clear() -> None:
    """Takes every stroke away."""
    _replace(())


def _replace(drawing: Drawing) -> None:
    state.remember(drawing)
    _seed(drawing)


def _seed(drawing: Drawing) -> None:
    # The counter makes a seed differ from the one before: the canvas ignores one that it has had.
    count = st.session_state.get(state.SEED, {}).get("seed", 0) + 1
    st.session_state[state.SEED] = {"objects": [_to_fabric(line) for line in drawing], "seed": count}


def _receive() -> None:
    sent = (st.session_state[KEY] or {}).get("drawing") or {}
    objects = (sent.get("raw") or {}).get("objects", [])
    strokes = [_from_fabric(item) for item in objects if item.get("type", "").lower() == "path"]
    state.remember(tuple(line for line in strokes if line.points))


def _to_fabric(line: Stroke) -> dict[str, Any]:
    first, *rest = line.points
    path = [["M", *first], *(["L", *point] for point in rest or [first])]
    xs, ys = zip(*line.points, strict=True)
    return {
        "type": "Path",
        "path": path,
        "originX": "center",
        "originY": "center",
        "left": (min(xs) + max(xs)) / 2,
        "top": (min(ys) + max(ys)) / 2,
        "fill": None,
        "stroke": INK,
        "strokeWidth": line.width,
        "strokeLineCap": "round",
        "strokeLineJoin": "round",
    }


def _from_fabric(item: dict[str, Any]) -> Stroke:
    """A Fabric.js path as a stroke, wherever the canvas's edit mode has moved, turned or scaled it."""
    points = [tuple(command[-2:]) for command in item["path"] if len(command) >= 3]
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    middle = (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2
    scale_x, scale_y = item.get("scaleX", 1), item.get("scaleY", 1)
    angle = math.radians(item.get("angle", 0))
    left, top = _centre(item, scale_x, scale_y, angle)

    def placed(x: float, y: float) -> tuple[float, float]:
        dx, dy = (x - middle[0]) * scale_x, (y - middle[1]) * scale_y
        turned = dx * math.cos(angle) - dy * math.sin(angle), dx * math.sin(angle) + dy * math.cos(angle)
        return left + turned[0], top + turned[1]

    width = item.get("strokeWidth", 1) * math.sqrt(abs(scale_x * scale_y))
    return stroke([placed(*point) for point in points], width)


def _centre(item: dict[str, Any], scale_x: float, scale_y: float, angle: float) -> tuple[float, float]:
    """Where the object's centre lies: Fabric gives the place of its origin, often the top left."""
    shares = {"left": 0.5, "top": 0.5, "center": 0.0, "right": -0.5, "bottom": -0.5}
    line = item.get("strokeWidth", 1)
    dx = shares[item.get("originX", "left")] * (item.get("width", 0) + line) * scale_x
    dy = shares[item.get("originY", "top")] * (item.get("height", 0) + line) * scale_y
    return (
        item["left"] + dx * math.cos(angle) - dy * math.sin(angle),
        item["top"] + dx * math.sin(angle) + dy * math.cos(angle),
    )
