"""The Errors page's words and its link, by AppTest; what is clicked is in test_journey_errors.py."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core import notes, paths
from core.confusion import Confusion
from core.datasets import LabelledDigits, load_dataset
from core.own import store
from core.predictor import Predictor
from core.selection import Selection
from core.table import EvaluationTable
from core.tabulation import evaluations_folder, table_of, write_table
from dashboard.evaluations import notes_key
from dashboard.words import percent, plain

APP = str(paths.ROOT / "dashboard" / "app.py")


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Without MNIST: the page shows the bundled digits."""
    monkeypatch.setenv("DIGITSCOPE_DATA", str(tmp_path))
    return tmp_path


@pytest.fixture
def table(data_folder: Path) -> EvaluationTable:
    return table_of(Predictor.load("cnn"), load_dataset("optdigits"))


def errors(**query: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=60)
    app.switch_page("views/errors.py")
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def texts(app: AppTest) -> str:
    html = [element.proto.body for element in app.get("html")]
    return "\n".join([*html, *(m.value for m in app.markdown), *(c.value for c in app.caption)])


def test_the_headline_has_the_tables_figures(table: EvaluationTable):
    app = errors()
    assert not app.exception
    found = Confusion(table.confusion(), table.about.classes)
    low, high = found.interval_95
    words = texts(app)
    assert f"**{found.errors:,} of {found.n:,}**" in words
    assert f"**{percent(found.accuracy, 2)}** right" in words
    assert f"{percent(low, 2)} to {percent(high, 2)}" in words
    assert f"**{found.errors:,}** digits read wrongly" in words


def test_mnists_headline_says_what_the_corrected_labels_give(mnist_files, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DIGITSCOPE_DATA", str(mnist_files.parent.parent))
    app = errors()
    assert "10,000" in texts(app)
    assert "with doubtful labels corrected" in texts(app)


@pytest.mark.parametrize(
    ("query", "selection"),
    [
        ({"true": "8"}, Selection(label=8, right=False)),
        ({"read": "1", "shown": "all"}, Selection(prediction=1)),
        ({"shown": "right", "low": "20", "high": "70"}, Selection(right=True, low=0.2, high=0.7)),
        ({"true": "any", "shown": "all", "cam": "0"}, Selection()),
    ],
)
def test_a_link_shows_its_selection(table: EvaluationTable, query: dict[str, str], selection: Selection):
    app = errors(**query)
    assert not app.exception
    assert f"**{table.count(selection):,}** digits" in texts(app)


def test_widgets_show_what_the_link_says_and_change_it():
    app = errors(true="8", order="margin", shown="all", page="3")
    assert app.selectbox(key="errors-true").value == 8
    assert app.selectbox(key="errors-order").value == "margin"
    app.selectbox(key="errors-order").set_value("confidence").run()
    assert app.query_params["order"] == "confidence"
    assert app.query_params["true"] == "8"
    assert app.query_params["page"] == "1"  # another order begins anew


@pytest.mark.parametrize(
    "query",
    [
        {"true": "11", "read": "-1", "lens": "none", "order": "name", "per": "1000000", "cam": "yes"},
        {
            "page": "0",
            "digit": "nine",
            "low": "x",
            "high": "1e9",
            "area": "1,2_3",
            "scale": "",
            "change": "all",
        },
        {"page": "99999", "area": "nan,inf_0,0_1,1", "data": "own/../../etc", "note": "<b>", "labels": "x"},
    ],
)
def test_a_link_that_makes_no_sense_is_as_if_it_were_not_there(query: dict[str, str]):
    app = errors(**query)
    assert not app.exception
    assert not app.error


def test_a_data_set_without_a_digit_of_the_models_leaves_others_to_choose_from(optdigits):
    few = optdigits.take(np.flatnonzero(np.isin(optdigits.labels, [5, 8]))[:20])
    app = errors(data=store(few, "five eight.zip"), model="linear")
    assert "no digit of the model's classes 3, 7" in app.error[0].value.replace("\\", "")
    app.selectbox(key="errors-data").set_value("optdigits").run()
    assert not app.error
    assert "digits that this model does not know" in texts(app) or "does not know" in texts(app)


def test_conditions_that_another_model_or_data_set_can_not_meet_are_dropped():
    app = errors(true="4", read="3", labels="doubtful", change="fixed", other="nope", model="linear")
    assert not app.error
    assert app.selectbox(key="errors-true").value == "any"
    assert app.selectbox(key="errors-read").value == 3
    assert app.query_params["change"] == ""


def test_the_view_comes_back_from_a_page_that_was_left_before_it_was_whole(
    monkeypatch: pytest.MonkeyPatch,
):
    def broken_off(name: str) -> None:
        raise RuntimeError("left")

    app = errors(true="8")
    with monkeypatch.context() as patch:
        patch.setattr("dashboard.resources.history", broken_off)
        app.switch_page("views/overview.py")
        app.query_params.clear()
        assert app.run().exception
    app.switch_page("views/errors.py")
    assert app.run().selectbox(key="errors-true").value == 8


def test_a_digit_outside_the_gallery_says_so(table: EvaluationTable):
    index = table.indices(Selection(right=True), limit=1)[0]
    assert "not in the gallery" in texts(errors(digit=str(index)))


def test_a_digit_far_beyond_every_data_set_is_as_if_it_were_not_there():
    app = errors(digit=str(2**63))
    assert not app.error
    assert [title.value for title in app.title] == ["Errors"]


def test_digits_with_a_note_can_be_picked(table: EvaluationTable):
    key = notes_key(table)
    notes.write(key, 5, tags=("ambiguous",), text="looks like a 9")
    notes.write(key, 6, text="only a text")
    assert "**1** digit" in texts(errors(shown="all", note="ambiguous"))
    assert "**2** digits" in texts(errors(shown="all", note="any"))


def test_digits_of_ones_own_are_shown_with_what_was_skipped(optdigits):
    some = replace(optdigits.take(np.arange(40)), skipped=("3/broken.png: not an image.",))
    name = store(some, "mine.zip")
    app = errors(data=name)
    words = texts(app)
    assert "of 40**" in words
    assert "1 file could not be used" in words
    assert "3/broken.png: not an image." in app.code[0].value


def test_of_many_skipped_files_the_first_are_shown_and_all_are_to_be_had(optdigits):
    reasons = tuple(f"3/{place}.png: not an image." for place in range(2000))
    app = errors(data=store(replace(optdigits.take(np.arange(9)), skipped=reasons), "mine.zip"))
    assert "2,000 files could not be used" in texts(app)
    assert app.code[0].value.splitlines() == list(reasons[:100])
    assert "All 2,000 reasons" in str(app.get("download_button"))


def test_damaged_notes_are_told_and_the_digits_shown(table: EvaluationTable, data_folder: Path):
    (data_folder / "notes.sqlite3").write_bytes(b"rubbish" * 1000)
    for query in ({}, {"digit": str(table.indices(Selection(right=False), limit=1)[0])}):
        app = errors(**query)
        assert not app.error
        assert [w for w in app.warning if "notes.sqlite3 is damaged" in w.value.replace("\\", "")]
        assert "the network looked" in texts(app) or "digits read wrongly" in texts(app)
    assert "**0** digits read wrongly, with a note" in texts(errors(note="any"))


def test_an_even_picture_has_no_evidence_and_spoils_no_page():
    images = np.zeros((30, 28, 28), np.uint8)
    images[1:, 4:24, 13:15] = 255
    data = LabelledDigits("even", images, np.arange(30) % 10, "a test")
    name = store(data, "even.npz")
    app = errors(data=name, shown="all", cam="1")
    assert not app.error
    assert "**30** digits" in texts(app)
    assert "the picture is even" in texts(errors(data=name, shown="all", digit="0"))


def test_a_comparison_without_a_common_digit_leaves_the_page_usable(optdigits):
    some = optdigits.take(np.flatnonzero(optdigits.labels == 4)[:20])
    fours = store(replace(some, source="four s.zip, uploaded"), "four s.zip")
    app = errors(data=fours, lens="compare", other="linear", change="fixed", shown="all")
    assert [e.value.replace("\\", "").split(" has ")[0] for e in app.error] == ["four s.zip"]
    assert "**0** digits, compared with linear" in texts(app)
    next(button for button in app.button if button.label == "Clear").click().run()
    assert app.query_params["change"] == ""


def test_the_number_of_digits_says_every_condition():
    app = errors(true="4", low="10", high="90", note="ambiguous")
    assert "digits, a 4 read wrongly, 10 to 90 % sure, noted as “ambiguous”" in texts(app)


def test_an_evaluation_of_the_command_line_is_offered_to_the_model_that_made_it(optdigits):
    folder = evaluations_folder() / "large one"
    folder.mkdir(parents=True)
    write_table(folder, Predictor.load("cnn"), optdigits.take(np.arange(25)))
    app = errors(data="evaluations/large one")
    assert "of 25**" in texts(app)
    other = errors(data="evaluations/large one", model="linear")
    assert not other.exception
    assert "was not evaluated with linear" in other.error[0].value.replace("\\", "")
    assert other.selectbox(key="errors-data").value == "evaluations/large one"  # and others to choose from


def test_a_digits_page_says_what_is_known_of_it(table: EvaluationTable):
    index = table.indices(Selection(right=False), limit=1)[0]
    (row,) = table.rows([index])
    words = texts(errors(digit=str(index)))
    assert f'<div class="digit">{row.prediction}</div>' in words
    assert f"truly a <strong>{row.label}</strong>" in words
    assert f"speaks for {row.prediction}" in words or f"No positive evidence for {row.prediction}" in words
    assert "The training digits are not at hand" in words
    assert plain("of") in words


def test_the_nearest_training_digits_are_shown_where_mnist_is_at_hand(
    mnist_files, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    (tmp_path / "MNIST").symlink_to(mnist_files.parent)
    app = errors(digit="3")
    assert not app.exception
    assert texts(app).count("Training digit ") == 5
