"""The HTTP API's routes: the published contract, many pictures, explanations, card, health."""

import io
import json
import logging
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from core.api import create_api
from core.api_schema import Explained, Health, ManyPredicted, Model, Predicted
from core.archive import Limits
from core.explanation import explain
from core.overlay import overlay
from core.paths import ROOT
from core.predictor import Predictor
from core.preprocess import prepare
from tests.pictures import drawn_in_a_browser, form_data, png, problem


@pytest.fixture(scope="module")
def shipped() -> Predictor:
    return Predictor.load(ROOT / "checkpoints" / "cnn")


@pytest.fixture(scope="module")
def api() -> Iterator[TestClient]:
    """With the shipped models."""
    with TestClient(create_api()) as client:
        yield client


def upload(content: bytes, name: str = "digit.png") -> dict[str, tuple[str, bytes]]:
    return {"file": (name, content)}


def test_the_published_client_gets_the_published_answer(api: TestClient, shipped: Predictor):
    picture = drawn_in_a_browser()
    body, headers = form_data(picture)
    response = api.post("/predict", content=body, headers=headers)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    answer, expected = response.json(), shipped.predict(picture)
    assert list(answer) == ["prediction", "confidence", "probabilities", "verdict", "unusualness"]
    assert answer["prediction"] == expected.digit == 7
    assert answer["confidence"] == expected.confidence == max(answer["probabilities"].values())
    assert list(answer["probabilities"]) == [str(digit) for digit in range(10)]
    assert list(answer["probabilities"].values()) == expected.probabilities.tolist()
    assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert answer["verdict"] == expected.verdict.kind == "digit"
    assert answer["unusualness"] == expected.unusualness
    Predicted.model_validate(answer, strict=True)


def test_another_model_answers_for_its_classes(api: TestClient, seven: np.ndarray):
    answer = api.post("/predict?model=linear", files=upload(png(seven))).json()
    assert answer["prediction"] == 7
    assert list(answer["probabilities"]) == ["3", "7"]


def test_a_model_without_a_detector_gives_no_verdict(cnn_folder: Path, seven: np.ndarray, monkeypatch):
    monkeypatch.setenv("DIGITSCOPE_CHECKPOINTS", str(cnn_folder.parent))
    answer = TestClient(create_api()).post("/predict", files=upload(png(seven))).json()
    assert answer["verdict"] is None
    assert answer["unusualness"] is None


def test_many_pictures_are_answered_in_their_order_and_bad_ones_are_named(
    api: TestClient, shipped: Predictor, seven: np.ndarray
):
    two = np.concatenate([seven[:, 60:210], np.roll(seven, 0)[:, 60:210]], axis=1)
    sent = [("seven.png", png(seven)), ("../x.txt", b"hello"), ("empty.png", b""), ("two.png", png(two))]
    response = api.post("/api/predict", files=[("file", each) for each in sent])
    answer = response.json()
    ManyPredicted.model_validate(answer)
    assert (answer["model"], answer["failed"]) == ("cnn", 2)
    seven_row, text, empty, two_row = answer["results"]
    assert [row["file"] for row in answer["results"]] == ["seven.png", "x.txt", "empty.png", "two.png"]
    expected = shipped.predict(seven)
    assert seven_row["digit"] == expected.digit == 7
    assert list(seven_row["probabilities"].values()) == pytest.approx(expected.probabilities.tolist())
    assert seven_row["verdict"] == "digit"
    assert text["error"].startswith("x.txt: not an image that can be read. Use one of PNG")
    assert empty["error"] == "empty.png: the file is empty. Save it again."
    assert [each["digit"] for each in two_row["digits"]] == [7, 7]


def test_a_model_named_in_the_form_is_not_overlooked(api: TestClient, seven: np.ndarray):
    response = api.post("/predict", files=upload(png(seven)), data={"model": "linear"})
    assert problem(response, 422).startswith("The form has a field 'model', which nobody reads.")


def test_many_pictures_have_a_budget_of_pixels(api: TestClient, seven: np.ndarray, monkeypatch):
    monkeypatch.setattr("core.api_desk.Limits", lambda: Limits(pixels=2 * seven.size))
    sent = [("file", (f"{n}.png", png(seven))) for n in range(3)]
    first, second, third = api.post("/api/predict", files=sent).json()["results"]
    assert (first["digit"], second["digit"]) == (7, 7)
    assert third["error"].startswith("2.png: with the pictures before it over 1,000 megapixels, the most")


@pytest.mark.parametrize("question", [{}, {"target": 4, "against": 9, "method": "integrated-gradients"}])
def test_an_explanation_is_the_one_of_core(
    question: dict, api: TestClient, shipped: Predictor, seven: np.ndarray
):
    expected = explain(shipped, prepare(png(seven)), **question)
    response = api.post(
        "/api/explain", params=question, files=upload(png(seven)), headers={"Accept": "application/json"}
    )
    answer = response.json()
    Explained.model_validate(answer)
    np.testing.assert_array_equal(np.array(answer["map"], dtype=np.float32), expected.map)
    for name in ("method", "layer", "target", "against", "signed", "strength", "note"):
        assert answer[name] == getattr(expected, name), name
    pixels = prepare(png(seven)).pixels
    np.testing.assert_array_equal(answer["pixels"], pixels)
    assert (answer["model"], answer["prediction"]) == ("cnn", 7)

    response = api.post("/api/explain", params=question, files=upload(png(seven)))
    assert response.headers["content-type"] == "image/png"
    picture = Image.open(io.BytesIO(response.content))
    np.testing.assert_array_equal(np.asarray(picture), np.asarray(overlay(pixels, expected)))
    assert picture.text["Description"].startswith(f"Evidence for {expected.question}, scale ")


@pytest.mark.parametrize(
    ("accept", "format", "kind"),
    [
        ("*/*", None, "image/png"),
        ("application/json", None, "application/json"),
        ("image/png, application/json;q=0.5", None, "image/png"),
        ("text/html, application/json", None, "application/json"),
        ("application/json", "png", "image/png"),
        ("image/png", "json", "application/json"),
    ],
)
def test_the_form_of_an_explanation_can_be_chosen(
    accept: str, format: str | None, kind: str, api: TestClient, seven: np.ndarray
):
    params = {"format": format} if format else {}
    response = api.post("/api/explain", params=params, files=upload(png(seven)), headers={"Accept": accept})
    assert response.headers["content-type"] == kind
    assert response.headers["vary"] == "Accept"


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("method=tea", "Unknown method 'tea'; choose one of gradcam, "),
        ("target=10", "target='10': Input should be less than or equal to 9"),
        ("target=four", "target='four': Input should be a valid integer"),
        ("layer=block9", "No layer 'block9'; choose one of block1, "),
        ("format=gif", "format='gif': Input should be 'png' or 'json'"),
        ("model=linear&method=gradcam", "Grad-CAM needs a convolutional layer"),
        ("model=linear&target=5", "The model does not know the digit 5; choose among 3, 7."),
    ],
)
def test_what_can_not_be_explained_is_said(query: str, detail: str, api: TestClient, seven: np.ndarray):
    response = api.post(f"/api/explain?{query}", files=upload(png(seven)))
    assert problem(response, 422).startswith(detail)


def test_the_card_is_the_checkpoints(api: TestClient):
    answer = api.get("/api/model?model=linear").json()
    card = json.loads((ROOT / "checkpoints" / "linear" / "card.json").read_text(encoding="utf-8"))
    assert {name: answer[name] for name in card} == card
    assert answer["models"] == ["cnn", "linear"]
    assert answer["layers"] == []
    assert "gradcam" not in answer["methods"]
    Model.model_validate(answer, strict=True)


@pytest.mark.parametrize("name", ["nope", "../cnn", "checkpoints/cnn", "/etc", ".", "", "a\x00b", "x" * 5000])
def test_a_model_is_named_and_never_a_path(name: str, api: TestClient, seven: np.ndarray):
    response = api.post("/predict", params={"model": name}, files=upload(png(seven)))
    if not name:
        assert response.status_code == 200, "nothing named is the usual one"
        return
    assert problem(response, 422).endswith("choose among cnn, linear.")


def test_health_follows_the_model(cnn_folder: Path, tmp_path: Path, monkeypatch, caplog):
    monkeypatch.setenv("DIGITSCOPE_CHECKPOINTS", str(tmp_path))
    client = TestClient(create_api())
    assert problem(client.get("/healthz"), 503) == "The model can't be used; the server's log says why."
    shutil.copytree(cnn_folder, tmp_path / "cnn")
    answer = client.get("/healthz").json()
    assert (answer["status"], answer["model"]) == ("ready", "cnn")
    Health.model_validate(answer)
    (tmp_path / "cnn" / "model.onnx").write_bytes(b"damaged")
    (tmp_path / "cnn" / "card.json").touch()  # as anybody who restores or replaces it does
    with caplog.at_level(logging.ERROR):
        assert "log says why" in problem(client.get("/healthz"), 503)
    assert "its SHA-256 differs" in caplog.text
    response = client.post("/predict", files=upload(png(np.eye(28, dtype=np.uint8) * 255)))
    assert str(tmp_path) not in problem(response, 503), "folders are the server's business"
    shutil.rmtree(tmp_path / "cnn")
    assert "log says why" in problem(client.get("/healthz"), 503)


def test_eight_threads_get_the_answers_that_one_gets(api: TestClient, seven: np.ndarray):
    turned = [png(np.rot90(seven, turns)) for turns in range(4)]
    calls = [
        (path, picture)
        for picture in turned
        for path in (
            "/predict",
            "/api/explain?format=json",
            "/api/explain?format=json&method=saliency&target=2",
        )
    ] * 4

    def ask(call: tuple[str, bytes]) -> tuple[dict[str, object], float]:
        response = api.post(call[0], files=upload(call[1]))
        assert response.status_code == 200
        answer = response.json()
        return answer, answer.pop("unusualness", 0.0)

    alone = {call: ask(call) for call in calls}
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(ask, calls))
    for (answer, unusualness), (expected, score) in zip(together, map(alone.get, calls), strict=True):
        assert answer == expected
        assert unusualness == pytest.approx(score, rel=1e-4), "sums of many pictures round in another order"


def test_the_documentation_asks_nobody_else(api: TestClient):
    page = api.get("/docs")
    assert page.status_code == 200
    assert "http" not in page.text.replace("https://", "http://").split("<body>")[1]
    assert "'unsafe-inline'" not in page.headers["content-security-policy"].split("style-src")[0]
    for asset in ("swagger-ui-bundle.js", "swagger-ui.css", "favicon.png"):
        assert f'"/docs/assets/{asset}"' in page.text
        assert api.get(f"/docs/assets/{asset}").status_code == 200
