"""The one place that knows streamlit-drawable-canvas: strokes in, strokes out.

The canvas holds the drawing in the browser and sends all of it 200 ms after a stroke's end. What
it is seeded with must stay the same while people draw (a new seed makes it start over), and must
be today's drawing when it appears anew: after a page switch, a reload, Undo or Clear.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st
from PIL import Image
from streamlit_drawable_canvas import st_canvas

from core.strokes import CANVAS_SIDE, Drawing, Stroke
from dashboard import state
from dashboard.parts.fabric import INK, from_fabric, to_fabric

_named = st.components.v2.component(
    "digitscope_named",
    html="<span></span>",
    js=(Path(__file__).parent / "browser" / "named.js").read_text(encoding="utf-8"),
)

KEY, OVER = "canvas", "canvas-over"
PAPER = "#000000"


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
    drawing = state.drawing()
    _name(KEY, f"Your drawing, {_counted(len(drawing))}")
    return drawing


def hidden() -> None:
    """Notes that the canvas is not on the page, so that it comes back with the drawing of then."""
    st.session_state.pop(state.SEED, None)


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
    st.session_state[state.SEED] = {"objects": [to_fabric(line) for line in drawing], "seed": count}


def _receive() -> None:
    strokes = [from_fabric(item) for item in _paths(KEY)]
    state.remember(tuple(line for line in strokes if line.points))


def _paths(key: str) -> list[dict[str, Any]]:
    """What the canvas sent."""
    sent = (st.session_state[key] or {}).get("drawing") or {}
    objects = (sent.get("raw") or {}).get("objects", [])
    return [item for item in objects if item.get("type", "").lower() == "path"]


def canvas_over(
    picture: Image.Image,
    *,
    strokes: list[tuple[Stroke, bool]],
    erase: bool,
    brush: int,
    key: str,
    receive: Callable[[list[tuple[Stroke, bool]]], None],
) -> None:
    """A canvas with a picture behind it, to draw ink and paper on.

    Args:
        picture: what lies behind.
        strokes: those that shall be there, each with whether it is paper. Where they are others than the
            canvas sent last, such as after Back, it starts over with them.
        erase: whether the next stroke is paper.
        brush: the width of the next stroke, px.
        key: another one shows another canvas.
        receive: gets all strokes after each one.
    """
    kept = st.session_state.get(OVER, {})
    if (kept.get("key"), kept.get("strokes")) != (key, strokes):
        objects = [to_fabric(line) | {"stroke": PAPER if paper else INK} for line, paper in strokes]
        count = kept.get("count", 0) + 1
        kept = {"key": key, "strokes": strokes, "count": count, "seed": {"objects": objects}}
        st.session_state[OVER] = kept
    name = f"{OVER}-{kept['count']}"

    def sent() -> None:
        found = [(from_fabric(item), item.get("stroke") == PAPER) for item in _paths(name)]
        drawn = [(line, paper) for line, paper in found if line.points]
        now = st.session_state[OVER]
        if now["count"] != kept["count"] or drawn == now["strokes"]:
            return  # it says by itself what it was given, once its picture is loaded: maybe when it is gone
        st.session_state[OVER] = kept | {"strokes": drawn}
        receive(drawn)

    st_canvas(
        stroke_width=brush,
        stroke_color=PAPER if erase else INK,
        background_image=picture,
        width=CANVAS_SIDE,
        height=CANVAS_SIDE,
        initial_drawing=kept["seed"],
        on_change=sent,
        key=name,
    )
    _name(name, f"The digit to draw on, {_counted(len(strokes))} drawn so far")


def _counted(strokes: int) -> str:
    return "no stroke" if not strokes else f"{strokes} stroke{'' if strokes == 1 else 's'}"


def _name(key: str, words: str) -> None:
    """What the canvas shows, for those who can't see it."""
    _named(data={"key": key, "words": words}, key=f"{key}-name")
