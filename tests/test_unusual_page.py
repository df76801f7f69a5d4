"""How sure, and who notices: words, tables and links by AppTest, with few pictures and no MNIST."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from core.detection import detection
from core.detector_kinds import KINDS
from core.inputs import load_set
from dashboard import unusual_inputs
from dashboard.parts.noticing import COLOURS, best
from dashboard.words import percent

FEW = 12


@pytest.fixture(autouse=True)
def few_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DIGITSCOPE_DATA", str(tmp_path))
    monkeypatch.setattr(unusual_inputs, "load_set", partial(load_set, n=FEW))
    names = {"letters": "Rendered letters", "uniform-noise": "Uniform noise"}
    monkeypatch.setattr(unusual_inputs, "set_names", lambda classes: names)
    unusual_inputs._kept.clear()
    return tmp_path


def sureness() -> None:
    import streamlit as st

    from dashboard.parts import sureness

    st.session_state.model = "cnn"
    sureness.show()


def noticing() -> None:
    import streamlit as st

    from dashboard.parts import noticing

    st.session_state.model = "cnn"
    noticing.show()


def run(part: Callable[[], None], **query: str) -> AppTest:
    app = AppTest.from_function(part, default_timeout=120)
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def texts(app: AppTest) -> str:
    return "\n".join(
        [each.value for kind in ("markdown", "caption", "success") for each in app.get(kind)]
        + [each.proto.body for each in app.get("html")]
    )


def seen(key: str) -> unusual_inputs.Seen:
    _, found, problems = unusual_inputs.everything("cnn", lambda share, words: None, detectors=True)
    assert problems == []
    return found[key]


def test_a_set_says_how_sure_the_model_is_of_it_and_shows_the_surest():
    app = run(sureness, inputs="Rendered letters")
    found = seen("letters")
    sure = float((found.scores.confidence >= 0.99).mean())
    assert f"**{percent(sure)}** of these are read with 99 % confidence or more" in texts(app)
    assert f"**{percent(float(found.noticed.mean()))}** are told from digits" in texts(app)
    assert texts(app).count("Rendered letters: read as") == FEW
    first = found.scores.surest(1)[0]
    assert f"yet {percent(float(found.scores.confidence[first]))} sure" in texts(app)


def test_what_the_verdict_misses_can_be_seen_alone():
    app = run(sureness, inputs="Uniform noise", missed="true")
    assert seen("uniform-noise").noticed.all()
    assert "None: the verdict tells all of these from digits." in texts(app)


def test_a_set_that_cannot_be_read_is_said_and_the_others_are_there(
    few_pictures: Path, monkeypatch: pytest.MonkeyPatch
):
    (few_pictures / "ood" / "mine").mkdir(parents=True)
    (few_pictures / "ood" / "mine" / "a.png").write_bytes(b"no picture")
    monkeypatch.undo()
    monkeypatch.setenv("DIGITSCOPE_DATA", str(few_pictures))
    monkeypatch.setattr(unusual_inputs, "load_set", partial(load_set, n=FEW))
    app = run(sureness)
    assert any("mine: no usable picture" in each.value.replace("\\", "") for each in app.warning)
    assert "mine" not in app.selectbox(key="inputs").options
    Image.fromarray(np.eye(28, dtype=np.uint8) * 255).save(few_pictures / "ood" / "mine" / "b.png")
    app = run(sureness, inputs="mine")
    assert app.selectbox(key="inputs").value == "found/mine"
    assert "1 file could not be used" in texts(app)


def test_the_best_of_a_row_is_the_lowest_for_false_positives():
    usual, found, _ = unusual_inputs.everything("cnn", lambda share, words: None, detectors=True)
    row = unusual_inputs.detections("cnn", usual, found)["letters"]
    assert list(row) == [name for name, kind in KINDS.items() if not kind.fitted]
    assert row["both"] == detection(usual.scores.scores["both"], found["letters"].scores.scores["both"])
    assert best(row, "auroc") == max(each.auroc for each in row.values())
    assert best(row, "fpr95") == min(each.fpr95 for each in row.values())


def test_what_is_not_at_hand_is_named():
    words = texts(run(noticing))
    assert "Not here: Mahalanobis, kNN, ViM" in words
    assert "the chance that a picture of the set is more unusual" in words.lower()
    assert "0 is best" in texts(run(noticing, figure="FPR at 95 % TPR"))


def test_the_first_look_needs_no_detector_but_the_verdicts():
    def refused(*_arguments: object) -> None:
        raise AssertionError("fitted")

    unusual_inputs._kept.clear()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(unusual_inputs, "_detectors", refused)
        quick = unusual_inputs.everything("cnn", lambda share, words: None, detectors=False)[1]["letters"]
    assert list(quick.scores.scores) == ["both"]
    whole = seen("letters")
    np.testing.assert_allclose(quick.scores.confidence, whole.scores.confidence, rtol=1e-5)
    np.testing.assert_array_equal(quick.noticed, whole.noticed)


def test_the_curves_can_be_told_from_either_page():
    def brightness(colour: str) -> float:
        parts = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
        linear = np.where(parts <= 0.03928, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    for page in ("#fcfcfa", "#14181a"):
        for colour in COLOURS:
            dark, light = sorted((brightness(page), brightness(colour)))
            assert (light + 0.05) / (dark + 0.05) >= 3, (page, colour)
    assert len(COLOURS) >= len(KINDS) - 1
