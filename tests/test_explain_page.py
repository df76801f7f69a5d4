"""The Explain page's words and its link, by AppTest; what is clicked is in test_journey_explain.py."""

import re
import shutil
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core import explanation, paths
from core.card import read_card, sha256, update_card
from core.datasets import load_dataset
from core.methods import METHODS
from core.paths import CARD, WEIGHTS
from core.predictor import Predictor
from core.what_if import Edit, edited, without_each
from dashboard.explanations import BROKEN, Question
from dashboard.words import percent

APP = str(paths.ROOT / "dashboard" / "app.py")


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Without MNIST: the page shows the bundled digits."""
    monkeypatch.setenv("DIGITSCOPE_DATA", str(tmp_path))
    return tmp_path


def explained(**query: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=120)
    app.switch_page("views/explain.py")
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def texts(app: AppTest) -> str:
    html = [element.proto.body for element in app.get("html")]
    return "\n".join([*html, *(m.value for m in app.markdown), *(c.value for c in app.caption)])


def test_every_method_has_its_tile_with_its_scale_and_the_question_stands_above():
    app = explained(target="4", against="9")
    assert not app.exception
    assert app.caption[0].value.startswith("What in the picture speaks for the answer")
    words = texts(app)
    assert "Evidence for **4 against 9**: purple speaks for 4, orange for 9" in words
    for method in METHODS.values():
        assert f"<figcaption>{method.label}</figcaption>" in words
        assert (
            f'alt="{method.label}: evidence for 4 against 9, scale' in words
            or "No positive evidence" in words
        )
    assert words.count("owes") == sum(method.complete for method in METHODS.values())


def test_maps_of_one_unit_share_a_scale_unless_each_shall_have_its_own():
    ends = {}
    for scale in ("shared", "own"):
        words = texts(explained(target="4", scale=scale))
        found = {}
        for name in ("input-x-gradient", "integrated-gradients", "deeplift", "lrp"):
            label = METHODS[name].label
            (found[name],) = re.findall(rf'alt="{label}: evidence for 4, scale ±([\d.e+-]+)"', words)
        ends[scale] = found
    assert len(set(ends["shared"].values())) == 1
    assert len(set(ends["own"].values())) > 1
    assert max(map(float, ends["own"].values())) == float(ends["shared"]["lrp"])


def test_a_method_that_fails_says_so_in_its_tile_and_the_others_stay(monkeypatch: pytest.MonkeyPatch):
    real = explanation.explain

    def fails(*arguments, **options):
        if options["method"] == "lrp":
            raise RuntimeError("a failure in the middle")
        return real(*arguments, **options)

    monkeypatch.setattr(explanation, "explain", fails)
    app = explained(index="17")
    assert not app.exception
    words = texts(app)
    assert words.count(BROKEN) == 1
    assert "a failure in the middle" not in words
    assert words.count("The digit&#x27;s contour") + words.count("∅") == len(METHODS) - 1


def test_weights_that_do_not_fit_the_network_are_named_in_every_tile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    broken = tmp_path / "ours" / "broken"
    shutil.copytree(paths.checkpoint_folder("cnn"), broken)
    shutil.copy(paths.checkpoint_folder("linear") / WEIGHTS, broken)
    card = read_card(broken)
    card = replace(card, hashes=card.hashes | {WEIGHTS: sha256(broken / WEIGHTS)})
    (broken / CARD).write_text(card.to_json())
    monkeypatch.setenv("DIGITSCOPE_CHECKPOINTS", str(broken.parent))
    app = explained(index="17")
    assert not app.exception
    said = r"⚠ checkpoints/broken/model\.safetensors does not fit DigitCNN: [\w.]+ is missing"
    assert len(re.findall(said, texts(app))) == len(METHODS)


def test_the_linear_models_truth_is_known_and_given_by_those_that_owe_it():
    app = explained(model="linear", look="believe", index="3")
    assert not app.exception
    words = texts(app)
    assert "Here the truth is known" in words
    assert words.count("owes equality: ✓ equal") == 4
    assert "✗ not equal" not in words
    (choice,) = [each for each in app.selectbox if each.key == "explain-method"]
    assert choice.options[0] == "Input × Gradient"
    assert "Grad-CAM" not in choice.options


def test_a_model_whose_explanations_were_not_studied_says_how_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = shutil.copytree(paths.checkpoint_folder("cnn"), tmp_path / "new one")
    key = Predictor.load(folder).key
    kept = {paths.WEIGHTS, paths.GRAPH, paths.HISTORY, paths.DETECTOR}

    def forget(card):
        return replace(card, hashes={name: value for name, value in card.hashes.items() if name in kept})

    update_card(folder, forget, key=key)
    monkeypatch.setenv("DIGITSCOPE_CHECKPOINTS", str(tmp_path))
    app = explained(look="believe")
    assert not app.exception
    assert app.code[0].value == "python -m core faithfulness --model 'new one'"
    assert "not measured" in texts(app)
    app = explained(look="turn")
    assert app.code[0].value == "python -m core faithfulness --model 'new one'"
    app = explained(look="inside")
    assert app.code[0].value == "python -m core channels --model 'new one'"


def test_a_study_of_other_weights_is_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    card = read_card(paths.checkpoint_folder("cnn"))
    if paths.STUDY not in card.hashes:
        pytest.skip("the shipped network has no study yet")
    folder = shutil.copytree(paths.checkpoint_folder("cnn"), tmp_path / "cnn")
    (folder / paths.STUDY).write_text("{}")
    st.cache_resource.clear()  # another test may have read the right one
    monkeypatch.setenv("DIGITSCOPE_CHECKPOINTS", str(tmp_path))
    app = explained(look="believe")
    assert not app.exception
    assert "its SHA\\-256 differs" in app.warning[0].value


def test_an_edit_lives_in_the_link_and_belongs_to_its_digit():
    pixels = load_dataset("optdigits").images[0]
    cnn = Predictor.load("cnn")
    target = cnn.predict(pixels).digit
    piece = without_each(cnn, pixels, target)[0].piece
    edit = {"gone": str(piece), "turn": "30", "of": f"{zlib.crc32(pixels.tobytes()):08x}"}
    after = cnn.predict(edited(pixels, Edit(gone=(piece,), turn=30)))
    words = texts(explained(look="whatif", **edit))
    assert f"<strong>{after.digit}</strong>" in words
    assert f"{percent(after.of(target))} {'now' if after.digit == target else 'left'}." in words
    assert "Paint, erase, move it" in texts(explained(look="whatif", index="1", **edit))


def test_a_question_is_asked_of_a_method_with_what_it_listens_to_only():
    asked = Question(4, 9, "block2", replace(Question(4).options, steps=64, window=7))
    assert asked.told("saliency") == Question(4, 9)
    assert asked.told("gradcam") == Question(4, 9, "block2")
    assert asked.told("integrated-gradients").options.steps == 64
    assert asked.told("occlusion").options.window == 7
    assert asked.words == "4 against 9"


@pytest.mark.parametrize(
    "query",
    [
        {"look": "none", "target": "11", "against": "x", "steps": "7", "layer": "block9"},
        {"index": "999999999", "data": "own/../../etc"},
        {"look": "whatif", "of": "zz", "drawn": "§", "gone": "a.b", "turn": "nan", "size": "0"},
        {"look": "inside", "block": "block4", "channel": "999", "page": "99999"},
        {"look": "turn", "into": "12", "model": "linear", "target": "5"},
        {"look": "believe", "method": "gradcam", "model": "linear", "against": "9"},
        {"target": "4", "against": "4"},
    ],
)
def test_a_link_that_makes_no_sense_is_as_if_it_were_not_there(query: dict[str, str]):
    app = explained(**query)
    assert not app.exception
    assert not app.error
