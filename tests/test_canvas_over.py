"""The canvas over a digit: what it sends by itself, once its picture is loaded, takes nothing back."""

import sys

import pytest
from streamlit.testing.v1 import AppTest

from core.strokes import stroke
from dashboard.parts.fabric import to_fabric


def script() -> None:
    import streamlit as st
    from PIL import Image

    from dashboard.parts.canvas import canvas_over
    from tests import test_canvas_over as test

    canvas_over(
        Image.new("L", (280, 280)),
        strokes=st.session_state.get("link", []),
        erase=False,
        brush=18,
        key="digit",
        receive=lambda lines: st.session_state.update(link=lines),
    )
    st.button("As it was", on_click=lambda: st.session_state.update(link=[]))
    for number, sends in enumerate(test.sending):
        st.button(f"canvas {number} sends", on_click=sends)
    st.text(str(len(st.session_state.get("link", []))))


sending: list = []
sent: list = []


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> AppTest:
    def shown(*, key: str, on_change, **_: object) -> None:
        if key not in names:
            names.append(key)
            sending.append(on_change)
        sending[names.index(key)] = on_change

    # Its component is known to a running Streamlit alone.
    assert not AppTest.from_string("import dashboard.parts.canvas").run().exception
    canvas = sys.modules["dashboard.parts.canvas"]
    names: list[str] = []
    sending.clear()
    sent[:] = [to_fabric(stroke([(40, 40), (200, 210)], 18))]
    monkeypatch.setattr(canvas, "st_canvas", shown)
    monkeypatch.setattr(canvas, "_name", lambda *_: None)
    monkeypatch.setattr(canvas, "_paths", lambda _key: sent)
    return AppTest.from_function(script).run().run()


def press(app: AppTest, label: str) -> str:
    next(button for button in app.button if button.label == label).click()
    return app.run().text[0].value


def test_a_stroke_is_received(app: AppTest):
    assert press(app, "canvas 0 sends") == "1"


def test_what_a_canvas_was_given_takes_no_button_back(app: AppTest):
    press(app, "canvas 0 sends")
    received = sending[0]
    assert press(app, "As it was") == "0"
    sending[0] = received  # the canvas that is gone sends what it was given, late
    app.run()
    assert press(app, "canvas 0 sends") == "0"
    assert press(app, "canvas 1 sends") == "1", "the one that is there is listened to"
