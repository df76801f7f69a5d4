"""The Confidence page's words and its link, by AppTest; what is clicked is in test_journey_confidence.py."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core import paths
from core.abstention import Costs, OperatingPoint, cheapest
from core.answers import answers_of, calibrations_of
from core.card import read_card, update_card
from core.datasets import load_dataset
from core.predictor import Predictor
from core.smoothing import read_lesson
from core.table import EvaluationTable
from core.tabulation import evaluations_folder, table_of, write_table
from dashboard.words import percent

APP = str(paths.ROOT / "dashboard" / "app.py")


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Without MNIST: the page shows the bundled digits."""
    monkeypatch.setenv("DIGITSCOPE_DATA", str(tmp_path))
    return tmp_path


@pytest.fixture
def table(data_folder: Path) -> EvaluationTable:
    return table_of(Predictor.load("cnn"), load_dataset("optdigits"))


def confidence(**query: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=60)
    app.switch_page("views/confidence.py")
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def texts(app: AppTest) -> str:
    html = [element.proto.body for element in app.get("html")]
    return "\n".join([*html, *(m.value for m in app.markdown), *(c.value for c in app.caption)])


@pytest.mark.parametrize("model", ["cnn", "linear"])
def test_the_first_line_asks_and_the_figures_are_the_tables(model: str):
    app = confidence(model=model)
    assert not app.exception
    assert app.caption[0].value.startswith("When the model says 99 %, is it right 99 times in 100?")
    temperature = read_card(paths.checkpoint_folder(model)).temperature
    found = calibrations_of(table_of(Predictor.load(model), load_dataset("optdigits")), temperature)
    words = texts(app)
    assert f"After, T = {temperature:.3f}" in words
    for stage in ("before", "after"):
        for figure in (found[stage].ece, found[stage].adaptive_ece):
            assert f"<strong>{100 * figure.value:.2f} %</strong>" in words
            assert f"[{100 * figure.low:.2f}, {100 * figure.high:.2f}]" in words
        assert f"<strong>{found[stage].nll.value:.4f}</strong>" in words
        assert f"<strong>{found[stage].brier.value:.4f}</strong>" in words
    assert found["before"].nll != found["after"].nll


@pytest.mark.parametrize(("stage", "number"), [("after", 14), ("before", 9)])
def test_a_link_opens_the_digits_of_its_bin(table: EvaluationTable, stage: str, number: int):
    found = answers_of(table, read_card(paths.checkpoint_folder("cnn")).temperature)
    words = texts(confidence(stage=stage, bin=str(number)))
    n = len(found.in_bin(stage, number))
    assert f"**{n:,}** digits that it was" in words
    assert f"sure of {stage} the temperature" in words


def test_an_empty_bin_says_so():
    app = confidence(bin="0")
    assert "**0** digits that it was 0 to 7 % sure of" in texts(app)
    assert "No answer was that sure" in app.info[0].value


def test_a_threshold_says_its_price_and_the_saved_one_stands_there_first(table: EvaluationTable):
    card = read_card(paths.checkpoint_folder("cnn"))
    curve = answers_of(table, card.temperature).curve
    app = confidence(look="refusing")
    assert not app.exception
    assert curve.at(card.verdict["refuse_below"]).words in texts(app)
    assert f"AURC {curve.aurc:.6f}" in texts(app)
    assert app.slider(key="confidence-below").value == pytest.approx(100 * card.verdict["refuse_below"])
    app.slider(key="confidence-below").set_value(95.0).run()
    point = curve.at(0.95)
    assert point.words in texts(app)
    assert f"<strong>{percent(point.accuracy or 0, 2)}</strong> of the answers are right" in texts(app)
    assert app.query_params["below"] == "95"
    assert point.words in texts(confidence(look="refusing", below="95"))


def test_costs_suggest_the_threshold_that_is_cheapest_on_the_validation_digits():
    verdict = read_card(paths.checkpoint_folder("cnn")).verdict
    choices = [OperatingPoint(**each) for each in verdict["choices"]]
    app = confidence(look="refusing")
    app.number_input(key="confidence-error").set_value(500.0).run()
    best = cheapest(choices, Costs(500, 1))
    assert best.threshold != verdict["refuse_below"]
    (button,) = [each for each in app.button if each.label.startswith("Cheapest")]
    assert button.label == f"Cheapest: below {100 * best.threshold:.4g} %"
    button.click().run()
    assert float(app.query_params["below"]) == pytest.approx(100 * best.threshold)
    assert app.query_params["error"] == "500"
    assert app.slider(key="confidence-below").value == pytest.approx(100 * best.threshold)
    (saved,) = [each for each in app.button if each.label.startswith("Saved")]
    saved.click().run()
    assert app.slider(key="confidence-below").value == pytest.approx(100 * verdict["refuse_below"])


def test_the_lesson_of_label_smoothing_has_the_records_figures():
    lesson = read_lesson()
    words = texts(confidence(look="smoothing"))
    assert f"right **{percent(lesson.accuracy)}** of the time" in words
    assert f"**{100 * (lesson.accuracy - lesson.confidence):.1f} points under**" in words
    assert f"{lesson.epochs} epochs, on the {lesson.calibration['before'].n:,} digits of mnist-test" in words


@pytest.mark.parametrize(
    "query",
    [
        {"look": "none", "stage": "during", "bin": "15", "page": "0"},
        {"look": "refusing", "below": "nan", "error": "-1", "refusal": "inf"},
        {"look": "refusing", "below": "101", "error": "x", "data": "own/../../etc"},
        {"bin": "-1", "page": "9" * 30},
        {"bin": "14", "page": "999999"},
    ],
)
def test_a_link_that_makes_no_sense_is_as_if_it_were_not_there(query: dict[str, str]):
    app = confidence(**query)
    assert not app.exception
    assert not app.error


def test_a_model_that_nothing_was_fitted_to_says_how_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from dataclasses import replace

    folder = shutil.copytree(paths.checkpoint_folder("cnn"), tmp_path / "new one")
    key = Predictor.load(folder).key
    update_card(folder, lambda card: replace(card, calibration={}, verdict={}), key=key)
    monkeypatch.setenv("DIGITSCOPE_CHECKPOINTS", str(tmp_path))
    app = confidence(look="refusing")
    assert not app.exception
    assert app.code[0].value == "python -m core calibrate --model 'new one'"
    assert app.slider(key="confidence-below").value == 50
    assert not [each for each in app.button if each.label.startswith(("Saved", "Cheapest"))]


def test_an_evaluation_of_the_command_line_is_shown_and_one_of_another_fit_says_so(optdigits):
    from dataclasses import replace

    now = Predictor.load("cnn")
    earlier = Predictor.load("cnn")
    earlier.card = replace(earlier.card, calibration={}, verdict={})
    some = optdigits.take(np.arange(200))
    for name, predictor in (("now", now), ("earlier", earlier)):
        folder = evaluations_folder() / name
        folder.mkdir(parents=True)
        write_table(folder, predictor, some if name == "now" else optdigits.take(np.arange(150)))
    app = confidence(data="evaluations/now")
    assert not app.exception
    assert "200 digits, less is better" in texts(app)
    assert not app.info
    stale = confidence(data="evaluations/earlier")
    assert not stale.exception
    assert "made before the model was fitted as it is now" in stale.info[0].value
    assert "150 digits, less is better" in texts(stale)
    assert "As recorded" in texts(stale)


def test_mnists_test_digits_are_shown_where_they_are_at_hand(mnist_files, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DIGITSCOPE_DATA", str(mnist_files.parent.parent))
    app = confidence()
    assert not app.exception
    assert "10,000 digits, less is better" in texts(app)
