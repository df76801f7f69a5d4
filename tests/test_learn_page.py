"""The Learn page's words and controls, by AppTest; charts and clicks are in test_journey_learn.py."""

import time

import pytest
from streamlit.testing.v1 import AppTest

from core import paths
from core.datasets import load_dataset
from core.live_training import Pool
from core.predictor import Predictor
from core.reading import prepare_files
from dashboard import resources
from dashboard.learn_link import TABS
from dashboard.words import percent
from tests.history import go_to

APP = str(paths.ROOT / "dashboard" / "app.py")
PATIENCE = 60.0  # s


@pytest.fixture(autouse=True)
def bundled(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without MNIST: it trains with scikit-learn's digits. All pages under test share a visitor's name, so
    that each test gets a pool of its own."""
    monkeypatch.setenv("DIGITSCOPE_DATA", str(tmp_path))
    pool = Pool()
    monkeypatch.setattr(resources, "training_pool", lambda: pool)


def learn(**query: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=60)
    app.switch_page("views/learn.py")
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def texts(app: AppTest) -> str:
    html = [element.proto.body for element in app.get("html")]
    return "\n".join([*html, *(m.value for m in app.markdown), *(c.value for c in app.caption)])


def until(app: AppTest, words: str) -> AppTest:
    end = time.monotonic() + PATIENCE
    while words not in texts(app) + "".join(w.value for w in (*app.warning, *app.error)).replace("\\", ""):
        assert time.monotonic() < end, texts(app)
        time.sleep(0.1)
        app.run()
    return app


def weights_shown(app: AppTest) -> str:
    (html,) = (e.proto.body for e in app.get("html") if "The 784 weights after epoch" in e.proto.body)
    return html


@pytest.mark.parametrize("model", ["cnn", "linear"])
@pytest.mark.parametrize("tab", TABS)
def test_every_tab_stands_with_both_models(tab: str, model: str):
    app = learn(tab=tab, model=model)
    assert not app.exception
    assert not app.error
    assert [title.value for title in app.title] == ["Learn"]


def test_without_mnist_it_trains_with_the_bundled_digits_and_offers_mnist():
    app = learn()
    assert "the bundled 3s from 7s" in texts(app)
    assert any("Fetch MNIST" in button.label for button in app.button)


def test_a_training_ends_and_can_be_scrubbed_and_gone_on_with():
    app = learn(epochs="5", start="normal")
    app.button(key="learn-train").click().run()
    until(app, "Done after 5 epochs")
    assert app.query_params["run"] == "normal,23,-1,-1_5,0.1,64,cross-entropy"
    newest = weights_shown(app)
    assert "after epoch 5" in newest
    app.select_slider(key="learn-epoch5").set_value(1).run()
    assert "after epoch 1" in weights_shown(app)
    assert app.query_params["epoch"] == "1"
    app.select_slider(key="learn-rate").set_value(0.01).run()
    assert app.button(key="learn-resume").label == "Go on from epoch 1"
    app.button(key="learn-resume").click().run()
    until(app, "Done after 5 epochs")
    assert app.query_params["run"] == "normal,23,-1,-1_1,0.1,64,cross-entropy_5,0.01,64,cross-entropy"
    assert weights_shown(app) != newest


def test_a_link_trains_the_same_weights_again_and_shows_its_epoch():
    run = "faint,7,-1,-1_4,0.3,64,distance"
    first, second = (until(learn(run=run, epoch="2"), "Done after 4 epochs") for _ in range(2))
    assert "after epoch 2" in weights_shown(first)
    assert weights_shown(first) == weights_shown(second)
    other = until(learn(run=run.replace(",7,", ",8,"), epoch="2"), "Done after 4 epochs")
    assert weights_shown(other) != weights_shown(first)


def test_a_stopped_training_keeps_its_epochs_and_resumes():
    app = learn(epochs="100", start="zero")
    app.button(key="learn-train").click().run()
    until(app, "of 100")
    time.sleep(3.0)  # a few epochs
    app.button(key="learn-stop").click().run()
    reached = int(app.query_params["run"].split("_")[1].split(",")[0])
    assert 0 < reached < 100
    assert f"Done after {reached} epochs" in texts(app)
    app.button(key="learn-resume").click().run()
    until(app, "of 100")
    time.sleep(3.0)
    app.button(key="learn-stop").click().run()
    later = int(app.query_params["run"].split("_")[-1].split(",")[0])
    assert later > reached


def test_a_rate_of_1000_ends_in_a_sentence():
    app = learn(rate="1000.0", epochs="5")
    app.button(key="learn-train").click().run()
    until(app, "The rate of 1000 is too high: lower it.")
    assert not app.exception


@pytest.mark.parametrize(("few", "digit"), [("threes", 3), ("sevens", 7)])
def test_a_class_without_digits_ends_in_a_sentence(few: str, digit: int):
    app = learn(**{few: "0"})
    app.button(key="learn-train").click().run()
    assert f"There is no {digit} among the digits" in app.error[0].value
    assert not app.exception


def test_a_full_house_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(resources, "training_pool", lambda: Pool(0))
    app = learn()
    app.button(key="learn-train").click().run()
    assert "as many as this machine takes" in app.error[0].value
    assert not app.exception


@pytest.mark.parametrize(
    "query",
    [
        {"tab": "none", "rate": "7", "batch": "-1", "loss": "hinge", "epochs": "1000000", "seed": "x"},
        {"tab": "digit", "example": "99999", "weights": "mine"},
        {"tab": "digit", "example": "-5"},
        {"tab": "parabola", "prate": "nan", "pstep": "61"},
        {"tab": "many", "first": "999999", "pictures": "none", "model": "linear"},
        {"epoch": "5", "threes": "2", "start": "ones"},
    ],
)
def test_a_link_that_makes_no_sense_is_as_if_it_were_not_there(query: dict[str, str]):
    app = learn(**query)
    assert not app.exception
    assert not app.error


@pytest.mark.parametrize(
    "run", ["<b>", "normal,7,-1,-1_99999999,1,64,distance", "normal,7,0,-1_4,1,64,distance"]
)
def test_a_link_to_a_run_that_cannot_be_says_so(run: str):
    app = learn(run=run)
    assert not app.exception
    assert app.error
    app.button(key="learn-train").click().run()
    assert not app.error


def test_both_trainings_differ_by_rounding_alone():
    app = learn(tab="torch", both="1", epochs="5")
    until(app, "After epoch 5 the 785 weights differ by")
    assert "rounding, no more" in texts(app)
    assert "x.T @ dz" in app.code[0].value
    assert "autograd" in app.code[1].value


def test_the_parabola_says_where_it_is_and_when_it_diverges():
    assert "Step 15: v = " in learn(tab="parabola").info[0].value
    assert "This rate diverges" in learn(tab="parabola", prate="0.4", pstep="3").warning[0].value


def test_one_digit_can_be_read_with_ones_own_weights():
    run = "zero,23,-1,-1_3,1,64,cross-entropy"
    app = until(learn(tab="train", run=run), "Done after 3 epochs")
    app.segmented_control(key="learn-tab").set_value("digit").run()
    assert "The model linear reads a" in texts(app)
    app.segmented_control(key="learn-weights").set_value("mine").run()
    assert "Your training after epoch 3 reads a" in texts(app)
    assert "temperature" not in texts(app)  # fitted for the shipped model alone


def test_back_to_a_link_of_before_trains_what_it_names():
    """Back changes the address alone; what was trained last must not stay under another training's name."""
    app = learn(epochs="5", start="zero", rate="1.0")
    app.button(key="learn-train").click().run()
    first = weights_shown(until(app, "Done after 5 epochs"))
    link = app.query_params["run"]
    app.select_slider(key="learn-rate").set_value(0.01).run()
    app.button(key="learn-train").click().run()
    assert weights_shown(until(app, "Done after 5 epochs")) != first
    assert app.query_params["run"] != link
    before = {name: app.query_params[name] for name in app.query_params}
    go_to(app, before | {"run": link})
    assert weights_shown(until(app, "Done after 5 epochs")) == first
    go_to(app, {name: value for name, value in before.items() if name != "run"})
    assert "Press **Train**" in texts(app)


def test_a_course_that_no_link_could_carry_is_refused_in_a_sentence():
    app = until(learn(run="zero,1,10,10_990,1,64,distance", epochs="20"), "Done after 990 epochs")
    app.button(key="learn-resume").click().run()
    assert "at most 20 settings and 1,000 epochs" in app.error[0].value.replace("\\", "")
    assert not app.exception


def test_one_digit_ends_at_the_confidence_that_the_other_pages_show():
    found = Predictor.load("linear").predict(load_dataset("optdigits").images[12])
    words = texts(learn(tab="digit", example="12"))
    assert "÷ temperature" in words
    assert f"reads a **{found.digit}**, **{percent(found.confidence)}** sure" in words


def test_samples_are_read_into_a_table_and_other_digits_are_outside_the_linear_models_world():
    app = learn(tab="many", model="linear", first="100")
    words = texts(app)
    assert "**24** pictures read" in words
    assert words.count("<tr>") == 25
    assert "optdigits 100" in words
    assert "This model only knows 3 and 7" in words
    assert "Of the 8 others" in words
    assert "The verdict warns of" in words
    assert "Outside its world" not in texts(learn(tab="many", model="cnn"))


def test_pictures_of_ones_own_are_read_and_bad_ones_named(seven):
    import io

    from PIL import Image

    content = io.BytesIO()
    Image.fromarray(seven).save(content, "PNG")
    app = learn(tab="many", pictures="files")
    assert "The table appears here" in texts(app)
    files = [("a<b>.png", content.getvalue), ("broken.png", lambda: b"no"), ("empty.png", lambda: b"")]
    app.session_state["learn-files"] = prepare_files(files)
    app.run()
    words = texts(app)
    assert "**1** picture read" in words
    assert "a&lt;b&gt;.png" in words
    (warning,) = app.warning  # one, however many pictures it names
    assert "broken" in warning.value
    assert "empty" in warning.value
