"""The pages' words, by Streamlit's AppTest; what is drawn and clicked is in test_journeys.py."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from streamlit.testing.v1 import AppTest

from core import checkpoint, paths
from core.card import read_card, sha256
from core.config import TrainConfig
from core.paths import CARD, GRAPH
from core.published import import_weights
from core.results import read_results
from core.runs import open_run
from dashboard.words import duration, listed, percent, plain
from scripts.hostile_case import on_paper, saved
from tests.reports import REPORT

APP = str(paths.ROOT / "dashboard" / "app.py")


@pytest.fixture
def app() -> AppTest:
    return AppTest.from_file(APP, default_timeout=60)


def texts(app: AppTest) -> str:
    """Everything that is written on the page."""
    html = [element.proto.body for element in app.get("html")]
    return "\n".join([*html, *(m.value for m in app.markdown), *(c.value for c in app.caption)])


@pytest.mark.parametrize("name", ["cnn", "linear"])
def test_the_overview_says_what_the_card_says(app: AppTest, name: str) -> None:
    card = read_card(paths.checkpoint_folder(name))
    app.query_params["model"] = name
    app.run()
    assert not app.exception
    test = card.metrics["mnist-test"]
    words = texts(app)
    assert f"Of {test['n']:,} digits that it has never seen" in words
    assert f"{test['errors']:,} wrongly" in words
    assert f"{card.parameters:,}" in words
    assert percent(test["interval_95"][0], 2) in words
    assert f"It knows {listed(card.classes)} and nothing else" in words
    (training,) = (one for one in app.markdown if one.value == "**Training**")
    assert training.help == f"Errors by epoch. The epoch was chosen by {plain(card.training['chosen_by'])}."


def test_a_model_that_was_never_measured_says_so_with_the_remedy(
    app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, _ = checkpoint.load_model(paths.checkpoint_folder("cnn"))
    torch.save(model.state_dict(), tmp_path / "model.pt")
    import_weights(tmp_path / "model.pt", tmp_path / "published one")
    monkeypatch.setenv("DIGITSCOPE_CHECKPOINTS", str(tmp_path))
    app.run()
    assert not app.exception
    assert "How good it is on MNIST's test set: not measured." in texts(app)
    assert "python -m core evaluate --model 'published one' --record" in app.code[0].value


def test_the_draw_page_warns_that_the_linear_model_knows_two_digits(app: AppTest) -> None:
    app.query_params["model"] = "linear"
    app.query_params["source"] = "Upload"
    app.switch_page("views/draw.py")
    app.run()
    assert not app.exception
    assert "This model only knows 3 and 7" in texts(app)
    assert "Nothing drawn yet" in texts(app)


def test_a_file_of_another_type_takes_the_last_answer_away_and_is_told_which_types_there_are(
    app: AppTest,
) -> None:
    app.query_params["source"] = "Upload"
    app.switch_page("views/draw.py").run()
    app.file_uploader(key="upload").upload("three.png", saved(on_paper(), "PNG")).run()
    assert 'class="digit"' in texts(app)
    app.file_uploader(key="upload").upload("x.pdf", b"%PDF-1.4").run()
    assert 'class="digit"' not in texts(app)
    assert app.error[0].value == plain(
        "x.pdf: not an image that can be read. Use one of PNG, JPEG, WEBP, BMP, GIF, TIFF."
    )


def test_the_overview_stands_without_the_network_itself(
    app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(paths.checkpoint_folder("cnn"), tmp_path / "cnn")
    (tmp_path / "cnn" / GRAPH).write_bytes(b"damaged")
    card = read_card(tmp_path / "cnn")
    card = replace(card, hashes=card.hashes | {GRAPH: sha256(tmp_path / "cnn" / GRAPH)})
    (tmp_path / "cnn" / CARD).write_text(card.to_json())
    monkeypatch.setenv("DIGITSCOPE_CHECKPOINTS", str(tmp_path))
    app.run()
    assert not app.exception
    assert "160,842" in texts(app)
    (said,) = app.error
    assert said.value.startswith(plain(f"checkpoints/cnn/{GRAPH} can't be loaded")), said.value


def test_a_model_that_there_is_none_of_is_named_and_the_usual_one_shown(app: AppTest) -> None:
    app.query_params["model"] = "zzz*"
    app.run()
    assert app.warning[0].value == r"There is no model zzz\*; there are cnn, linear. Shown is cnn."
    assert "160,842" in texts(app)
    app.run()
    assert app.warning, "until a model is chosen"
    app.selectbox(key="model").set_value("linear").run()
    assert not any("There is no model" in each.value for each in app.warning)


def test_a_file_name_is_shown_as_it_is() -> None:
    assert plain("![x](http://a.b/c) *é* $2$ :red[r].png") == (
        r"\!\[x\]\(http\://a\.b/c\) \*é\* \$2\$ \:red\[r\]\.png"
    )


def test_percentages_never_round_to_a_certainty() -> None:
    assert percent(0.99996) == "> 99.9 %"
    assert percent(0.9994) == "99.9 %"
    assert percent(1.0) == "100.0 %"
    assert percent(0.0001) == "< 0.1 %"
    assert percent(0.0) == "0.0 %"
    assert percent(0.99374, 2) == "99.37 %"


def test_a_second_is_one() -> None:
    said = [duration(seconds) for seconds in (0.2, 0.7, 1, 1.4, 1.6, 89, 90, 600)]
    assert said[:4] == ["less than a second", "1 second", "1 second", "1 second"]
    assert said[4:] == ["2 seconds", "89 seconds", "2 minutes", "10 minutes"]


def test_classes_are_listed_as_people_say_them() -> None:
    assert listed(range(10)) == "0 to 9"
    assert listed((3, 7)) == "3 and 7"


def test_the_overview_shows_a_run_while_it_goes_on_and_not_after(
    app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIGITSCOPE_RUNS", str(tmp_path))
    progress = replace(REPORT, steps=40, epoch=2, epochs=3, loss=0.1234, validation_accuracy=0.987)
    progress = replace(progress, images_per_second=1500.0, eta=60.0)
    with open_run("cnn-plain-seed7", TrainConfig(epochs=3)) as run:
        app.run()
        assert f"In training: {plain('cnn-plain-seed7')}" in texts(app)
        assert "The first steps are under way." in texts(app)
        run.show(progress)
        app.run()
        (bar,) = app.get("progress")
        assert bar.proto.value == 50
        line = "Epoch 2 of 3 · 1,500 images/s · loss 0.123 · validation 98.70 % · about 60 seconds left"
        assert bar.proto.text == line
    app.run()
    assert "In training" not in texts(app)


def test_the_overview_lists_every_recorded_recipe_of_the_network(app: AppTest) -> None:
    app.run()
    shown = texts(app)
    for recipe in read_results():
        mine = recipe.architecture == "DigitCNN"
        if mine:
            assert f"<td>{recipe.recipe}</td>" in shown
        assert (f"{100 * recipe.spread('accuracy').mean:.2f} ±" in shown) is (mine and len(recipe.runs) > 1)
