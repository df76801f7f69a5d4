"""The Story page and the model card's, by AppTest; the keys are in test_journey_story.py."""

import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core import stories
from core.card import read_card
from core.paths import ROOT
from core.story import BUILT_IN, SHOWS, Step, Story
from core.story_facts import facts_of
from dashboard.words import percent
from tests.test_views import APP, texts


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One data folder without MNIST for all: what was evaluated once stays."""
    return tmp_path_factory.mktemp("data")


@pytest.fixture
def app(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("DIGITSCOPE_DATA", str(folder))
    opened = AppTest.from_file(APP, default_timeout=120)
    opened.switch_page("views/story.py")
    return opened


def button(app: AppTest, words: str):
    return next(each for each in app.button if each.label == words)


@pytest.mark.parametrize("model", ["cnn", "linear"])
def test_every_kind_of_step_is_shown_with_real_figures_and_without_mnist(app: AppTest, model: str) -> None:
    facts = facts_of(read_card(ROOT / "checkpoints" / model))
    steps = tuple(Step(f"{{model}}: {what}", "Right: {accuracy}", what) for what in SHOWS if what != "draw")
    name = stories.add(Story("All", steps), f"all of {model}")
    app.query_params.update({"model": model, "story": name})
    for number, step in enumerate(steps, start=1):
        app.query_params["step"] = str(number)
        app.run()
        assert not app.exception, step.shows
        assert not app.error, (step.shows, [each.value for each in app.error])
        shown = texts(app)
        assert f"<h1>{model}: {step.shows}</h1><p>Right: {facts['accuracy']}</p>" in shown
        if step.shows in ("samples", "errors", "evidence", "unusual"):
            assert len(re.findall("<figure", shown)) >= 12, step.shows
            assert 'alt=""' not in shown


def test_the_page_itself_tells_the_built_in_story_with_its_figures(app: AppTest) -> None:
    app.run()
    assert not app.exception
    card = read_card(ROOT / "checkpoints" / "cnn")
    shown = texts(app).replace("\\", "")
    assert percent(card.metrics["mnist-test"]["accuracy"], 2) in shown
    assert all(step.title in shown for step in BUILT_IN.steps)
    assert not app.text_area  # it is not the visitor's to change


def test_a_changed_caption_is_kept_and_a_wrong_figure_is_not(app: AppTest) -> None:
    name = stories.add(BUILT_IN, "mine")
    app.query_params["story"] = name
    app.run()
    app.text_area(key=f"story-{name}-2-caption").set_value("Now {errors} errors.").run()
    assert stories.read(name).steps[2].caption == "Now {errors} errors."
    errors = read_card(ROOT / "checkpoints" / "cnn").metrics["mnist-test"]["errors"]
    assert f"Reads: Now {errors} errors" in texts(app)
    app.text_area(key=f"story-{name}-2-caption").set_value("Now {erors}.").run()
    assert "There is no figure" in app.error[0].value
    assert "Did you mean" in app.error[0].value
    assert (
        app.text_area(key=f"story-{name}-2-caption").value == "Now {erors}."
    )  # what was typed stays to mend
    assert stories.read(name).steps[2].caption == "Now {errors} errors."


def test_steps_move_come_and_go(app: AppTest) -> None:
    name = stories.add(Story("Few", (Step("a", "", "words"), Step("b", "", "draw"))), "few")
    app.query_params["story"] = name
    app.run()
    app.button(key="story-down-0").click().run()
    assert [step.title for step in stories.read(name).steps] == ["b", "a"]
    button(app, "Add a step").click().run()
    app.button(key="story-remove-0").click().run()
    assert [step.title for step in stories.read(name).steps] == ["a", "A new step"]
    assert app.text_input(key=f"story-{name}-0-title").value == "a"


def test_somebody_else_s_change_of_another_part_meanwhile_stays(app: AppTest) -> None:
    name = stories.add(BUILT_IN, "shared")
    app.query_params["story"] = name
    app.run()
    stories.write(name, Story("Theirs", BUILT_IN.steps))
    app.text_area(key=f"story-{name}-0-caption").set_value("mine").run()
    kept = stories.read(name)
    assert (kept.title, kept.steps[0].caption, kept.steps[1:]) == ("Theirs", "mine", BUILT_IN.steps[1:])
    assert not app.warning


@pytest.mark.parametrize("choice", ["Keep mine", "Take theirs"])
def test_of_two_captions_the_visitor_takes_one(app: AppTest, choice: str) -> None:
    name = stories.add(Story("One", (Step("a", "", "words"), Step("b", "", "words"))), "one")
    app.query_params["story"] = name
    app.run()
    theirs = Story("One", (Step("a", "theirs", "words"), Step("b", "", "words")))
    stories.write(name, theirs)
    caption = app.text_area(key=f"story-{name}-0-caption")
    caption.set_value("mine").run()
    assert "Changed elsewhere meanwhile. There it reads: a: theirs" in app.warning[0].value.replace("\\", "")
    assert (caption.value, stories.read(name)) == ("mine", theirs)
    button(app, choice).click().run()
    wanted = "mine" if choice == "Keep mine" else "theirs"
    assert stories.read(name).steps[0].caption == wanted
    assert app.text_area(key=f"story-{name}-0-caption").value == wanted
    assert not app.warning


def test_steps_do_not_move_in_a_story_whose_steps_are_others_by_now(app: AppTest) -> None:
    name = stories.add(BUILT_IN, "moved")
    app.query_params["story"] = name
    app.run()
    theirs = Story(BUILT_IN.title, BUILT_IN.steps[1:])
    stories.write(name, theirs)
    app.button(key="story-remove-0").click().run()
    assert stories.read(name) == theirs
    assert "changed elsewhere meanwhile" in app.error[0].value


def test_the_cell_that_was_chosen_is_in_the_link(app: AppTest) -> None:
    app.query_params.update({"step": "4", "true": "4", "read": "4"})
    app.run()
    shown = texts(app)
    assert "Of these:" in shown
    assert set(re.findall(r"true (\d), read as (\d)", shown)) == {("4", "4")}
    app.query_params.update({"true": "x", "read": "12"})
    app.run()
    assert "The worst:" in texts(app)


def test_a_link_to_a_story_that_is_gone_says_so_and_leaves_the_others(app: AppTest) -> None:
    app.query_params.update({"story": "gone", "step": "2"})
    app.run()
    assert not app.exception
    assert "There is no story 'gone'" in app.error[0].value
    assert app.selectbox(key="story-story").value == "gone"


@pytest.mark.parametrize("model", ["cnn", "linear"])
def test_the_model_card_s_page_shows_its_figures_and_sections(app: AppTest, model: str) -> None:
    app.query_params["model"] = model
    app.switch_page("views/card.py")
    app.run()
    assert not app.exception
    shown, test = texts(app), read_card(ROOT / "checkpoints" / model).metrics["mnist-test"]
    assert percent(test["accuracy"], 2) in shown
    assert {"Uses", "Bias, Risks, and Limitations", "Evaluation", "Environmental Impact"} <= {
        each.value for each in app.subheader
    }
    assert "Carbon Emitted:** not measured" in shown
