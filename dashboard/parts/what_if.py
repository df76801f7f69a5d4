"""What if the digit were otherwise? Edit it, and see answer and map follow, beside the digit as it is."""

import zlib
from html import escape

import numpy as np
import streamlit as st
from PIL import Image

from core.errors import PictureError
from core.methods import METHODS
from core.predictor import Prediction
from core.strokes import Stroke, decode, encode
from core.what_if import NOTHING, Edit, Paint, edited
from dashboard import explanations, resources
from dashboard.explain_link import ExplainLink, change, link, mirror
from dashboard.parts import maps, strokes_removed
from dashboard.parts.believe import chosen_method
from dashboard.parts.canvas import canvas_over
from dashboard.parts.explained_digit import Subject
from dashboard.words import percent

INK, PAPER = "i", "p"
BRUSH = 18  # px of the canvas
LONGEST = 4000  # characters of strokes in the link
UNCHANGED = ExplainLink()
SLIDERS = (
    ("turn", "Turn", -90, 90, 5, "%d°"),
    ("size", "Size", 50, 140, 5, "%d %%"),
    ("right", "Right", -8, 8, 1, "%d px"),
    ("down", "Down", -8, 8, 1, "%d px"),
)
MOVES = ("thicker", "turn", "size", "right", "down")


def show(subject: Subject) -> None:
    """The tools, both digits, and the strokes one by one."""
    edit = current(subject)
    left, right = st.columns([46, 54], gap="small")
    with left.container(border=True, height="stretch"):
        _tools(subject, edit)
    with right.container(border=True, height="stretch", key="explain-compare"):
        method = chosen_method(subject)
        _compare(subject, edit, method)
    with st.container(border=True):
        strokes_removed.show(subject, edit)


def name_of(subject: Subject) -> str:
    """What the link calls the digit that an edit is of."""
    return f"{zlib.crc32(subject.pixels.tobytes()):08x}"


def current(subject: Subject) -> Edit:
    """The edit that the link holds, if it is of this digit."""
    view = link()
    if view.of != name_of(subject):
        return NOTHING
    gone = tuple(int(part) for part in view.gone.split(".") if part.isdigit())
    try:
        lines = decode(view.drawn)
    except PictureError:
        lines = ()
    kinds = view.kinds.ljust(len(lines), INK)
    paints = tuple(Paint(line, kind == PAPER) for line, kind in zip(lines, kinds, strict=False))
    return Edit(gone, paints, view.thicker, view.turn, view.size, view.right, view.down)


def alter(subject: Subject, **values: object) -> None:
    """Changes the edit of this digit; one of another digit is forgotten."""
    if link().of != name_of(subject):
        names = ("gone", "drawn", "kinds", *MOVES)
        values = {name: getattr(UNCHANGED, name) for name in names} | values
    change(of=name_of(subject), **values)


def _tools(subject: Subject, edit: Edit) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.segmented_control(
            "Tool",
            required=True,
            label_visibility="collapsed",
            **mirror("tool", {"paint": "Paint", "erase": "Erase"}),
        )
        st.button(
            "As it was",
            icon=":material/restart_alt:",
            disabled=edit == NOTHING,
            on_click=_reset,
            args=(subject,),
        )
    behind = edited(subject.pixels, Edit(gone=edit.gone))
    with st.container(horizontal_alignment="center"):
        canvas_over(
            Image.fromarray(np.kron(behind, np.ones((10, 10), dtype=np.uint8))),
            strokes=[(paint.stroke, paint.erases) for paint in edit.paints],
            erase=link().tool == "erase",
            brush=BRUSH,
            key=f"{name_of(subject)}-{edit.gone}",
            receive=lambda lines: _receive(subject, lines),
        )
    told = [
        f"{label} {form % getattr(edit, name)}"
        for name, label, *_, form in SLIDERS
        if getattr(edit, name) != getattr(UNCHANGED, name)
    ]
    told += [f"{edit.thicker / 4:g} px thicker"] if edit.thicker else []
    with st.popover(" · ".join(told) or "Turn, scale, shift, thicken", width="stretch"):
        _sliders(subject)


def _sliders(subject: Subject) -> None:
    for name, label, low, high, step, form in SLIDERS:
        key = _slider_state(subject, name)
        st.slider(
            label, low, high, step=step, format=form, key=key, on_change=_moved, args=(subject, name, key)
        )
    key = _slider_state(subject, "thicker")
    st.select_slider(
        "Thicker, on either side",
        range(9),
        format_func=lambda quarters: f"{quarters / 4:g} px",
        key=key,
        on_change=_moved,
        args=(subject, "thicker", key),
    )


def _slider_state(subject: Subject, name: str) -> str:
    key = f"explain-{name}"
    st.session_state[key] = getattr(link() if link().of == name_of(subject) else UNCHANGED, name)
    return key


def _moved(subject: Subject, name: str, key: str) -> None:
    alter(subject, **{name: st.session_state[key]})


def _reset(subject: Subject) -> None:
    change(of="", **{name: getattr(UNCHANGED, name) for name in ("gone", "drawn", "kinds", *MOVES)})


def _receive(subject: Subject, lines: list[tuple[Stroke, bool]]) -> None:
    text = encode(tuple(line for line, _ in lines)) if lines else ""
    if len(text) > LONGEST:
        st.toast("More than a link can hold: the last stroke is not kept.", icon=":material/link_off:")
        return
    alter(subject, drawn=text, kinds="".join(PAPER if paper else INK for _, paper in lines))


def _compare(subject: Subject, edit: Edit, method: str) -> None:
    pixels = edited(subject.pixels, edit)
    before = subject.prediction
    blank = pixels.min() == pixels.max()
    after = None if blank else subject.predictor.predict(pixels)
    st.html(f'<div class="changed" role="status">{_words(subject, edit, before, after)}</div>')
    waiting = st.empty()
    if resources.warming(subject.predictor):
        waiting.info("The explanation is being loaded …", icon=":material/hourglass_top:")
    found = [explanations.explanation(subject.predictor, subject.pixels, method, subject.question)]
    if after is not None:
        found.append(explanations.explanation(subject.predictor, pixels, method, subject.question))
    waiting.empty()
    tops = [one.strength for one in found if not isinstance(one, str)]
    for column, name, picture, one, prediction in zip(
        st.columns(2, gap="small"),
        ("As it is", "Changed"),
        (subject.pixels, pixels),
        [*found, "Nothing is left of the digit."],
        (before, after),
        strict=False,
    ):
        if isinstance(one, str):
            body = maps.reason(one)
        elif one.note:
            body = maps.reason(one.note, "∅")
        else:
            unseen = explanations.unseen(subject.predictor, method)
            label = f"{name}, {METHODS[method].label}"
            body = maps.picture(one, picture, top=max(tops), label=label, unseen=unseen)
        with column:
            st.html(maps.tile(name, body) + _bars(prediction, subject))


def _words(subject: Subject, edit: Edit, before: Prediction, after: Prediction | None) -> str:
    if edit == NOTHING:
        return "Paint, erase, move it, or take a stroke out below: answer and map follow."
    if after is None:
        return "Nothing is left of the digit."
    was, now = percent(before.of(before.digit)), percent(after.of(before.digit))
    if after.digit == before.digit:
        return f"Still a <strong>{after.digit}</strong>: {was} before, {now} now."
    return (
        f"Now a <strong>{after.digit}</strong>, {percent(after.confidence)} sure. "
        f"{escape(str(before.digit))} had {was} and has {now} left."
    )


def _bars(prediction: Prediction | None, subject: Subject) -> str:
    """The probabilities as short bars."""
    if prediction is None:
        return ""
    rows = "".join(
        f'<span>{digit}</span><i class="{"top" if digit == prediction.digit else ""}" '
        f'style="width: {100 * share:.1f}%"></i><span>{percent(share)}</span>'
        for digit, share in zip(prediction.classes, prediction.probabilities.tolist(), strict=True)
    )
    words = f"Read as {prediction.digit}, {percent(prediction.confidence)} sure"
    return f'<div class="bars" role="img" aria-label="{words}">{rows}</div>'
