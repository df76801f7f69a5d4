"""The walk's and the robustness part's words, links and buttons, by AppTest on the bundled digits.

A link holds what people read on the widget: Streamlit's bound widgets write their formatted choice.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core import robustness as measured
from core.corruptions import CORRUPTIONS
from core.datasets import load_dataset
from core.predictor import Outputs, Predictor
from core.robustness import robustness_of
from core.walk import PATHS, walk
from dashboard import distortions
from dashboard.words import percent

SAMPLE = 20


@pytest.fixture(autouse=True)
def without_mnist_and_with_few_digits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGITSCOPE_DATA", str(tmp_path))
    few = partial(robustness_of, n=SAMPLE)
    monkeypatch.setattr(distortions, "robustness_of", few)
    distortions._kept.clear()


def walking() -> None:
    import streamlit as st

    from dashboard.parts import walk

    st.session_state.model = "cnn"
    walk.show()


def corrupting() -> None:
    import streamlit as st

    from dashboard.parts import robustness

    st.session_state.model = "cnn"
    robustness.show()


def run(part: Callable[[], None], **query: str) -> AppTest:
    app = AppTest.from_function(part, default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def texts(app: AppTest) -> str:
    html = [element.proto.body for element in app.get("html")]
    return "\n".join([*html, *(m.value for m in app.markdown), *(c.value for c in app.caption)])


@pytest.mark.parametrize("name", PATHS)
def test_a_link_shows_the_digit_the_path_and_the_place_on_it(name: str):
    path = PATHS[name]
    value = float(path.values[4])
    app = run(walking, walk_digit="5", walk=path.label, **{f"walk_{name}": str(value)})
    data = load_dataset("optdigits")
    found = walk(Predictor.load("cnn"), data.images[5], name)
    words = texts(app)
    assert f'<span class="digit">{found.prediction[4]}</span>' in words
    assert f"{percent(float(found.confidence[4]))}</b> sure" in words
    assert path.words.format(f"{value:g}{path.unit}") in words
    assert f"people call {data.labels[5]}" in words
    assert f"unusualness {found.unusualness[4]:.2f}" in words


def test_the_first_digit_is_one_that_is_read_rightly_and_surely():
    app = run(walking)
    index = int(app.number_input(key="walk_digit").value)
    data = load_dataset("optdigits")
    answers = Predictor.load("cnn").predict(data.images[:200])
    right = [
        answer.confidence
        for answer, label in zip(answers, data.labels[:200].tolist(), strict=True)
        if answer.digit == label
    ]
    assert answers[index].digit == data.labels[index]
    assert answers[index].confidence == pytest.approx(max(right))


def test_the_start_of_a_path_is_the_digit_as_it_is():
    app = run(walking, walk="Rotate", walk_digit="5")
    app.slider(key="walk_rotation").set_value(0.0).run()
    assert not app.exception
    assert "as it is" in texts(app)


def test_the_buttons_turn_to_the_neighbours_and_stop_at_the_ends():
    app = run(walking, walk_digit="0")
    assert app.button(key="walk-chevron_left").disabled
    app.button(key="walk-chevron_right").click().run()
    assert app.number_input(key="walk_digit").value == 1
    app.button(key="walk-chevron_left").click().run()
    assert app.number_input(key="walk_digit").value == 0
    app.number_input(key="walk_digit").set_value(1796).run()
    assert app.button(key="walk-chevron_right").disabled


@pytest.mark.parametrize(
    "query",
    [
        {"walk": "mirror", "walk_digit": "99999"},
        {"walk_rotation": "900"},
        {"walk_digit": "-1", "walk_blur": "x"},
    ],
)
def test_a_link_that_makes_no_sense_is_as_if_it_were_not_there(query: dict[str, str]):
    app = run(walking, **query)
    assert not app.error
    assert texts(app).count('class="walk"') == 1


def test_robustness_begins_with_the_worst_and_says_what_was_measured():
    app = run(corrupting)
    found = robustness_of(Predictor.load("cnn"), load_dataset("optdigits"), n=SAMPLE)
    worst = found.worst_first[0]
    row = found.corruptions.index(worst)
    assert app.selectbox(key="corruption").value == worst
    assert f"**{percent(found.accuracy[row, -1])}** read rightly" in texts(app)
    assert f"**{percent(found.confidence[row, -1])}** sure" in texts(app)
    assert f"a sample of {SAMPLE}" in texts(app)
    assert texts(app).count("at severity") >= 6  # a picture each


@pytest.mark.parametrize("name", ["fog", "canny_edges"])
def test_a_link_picks_a_corruption(name: str):
    app = run(corrupting, corruption=name.replace("_", " ").capitalize())
    found = robustness_of(Predictor.load("cnn"), load_dataset("optdigits"), n=SAMPLE)
    row = list(CORRUPTIONS).index(name)
    assert f"**{name.replace('_', ' ').capitalize()}** at severity 5" in texts(app)
    assert f"**{percent(found.accuracy[row, -1])}** read rightly" in texts(app)


def test_measuring_is_what_the_second_visit_does_without(monkeypatch: pytest.MonkeyPatch):
    run(corrupting)
    distortions._kept.clear()  # as another process would begin

    def refuse(*args: object) -> np.ndarray:
        raise AssertionError("measured again")

    monkeypatch.setattr(measured, "_measured", refuse)
    run(corrupting)


def test_a_score_of_unusualness_is_shown_wherever_there_is_one(monkeypatch: pytest.MonkeyPatch):
    def spread(self: Predictor, outputs: Outputs) -> np.ndarray:
        return -outputs.logits.max(axis=1)

    monkeypatch.setattr(Predictor, "unusualness", spread, raising=False)
    st.cache_resource.clear()  # walks from before
    words = texts(run(walking, walk="Blur", walk_digit="5", walk_blur="1.5"))
    st.cache_resource.clear()  # and none for after
    found = walk(Predictor.load("cnn"), load_dataset("optdigits").images[5], "blur")
    assert found.unusualness is not None
    assert f"unusualness {found.unusualness[15]:.2f}" in words
    assert words.count('<i style="bottom') == 2  # a dot on either line


def test_the_marker_stands_where_the_slider_does():
    for value, share in ((0.0, "0.0000"), (45.0, "0.2500"), (180.0, "1.0000")):
        words = texts(run(walking, walk_digit="5", walk_rotation=str(value)))
        assert f"* {share})" in words
        assert words.count('<i style="bottom') == 2, "on the confidence, and on the unusualness"
