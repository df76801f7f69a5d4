"""What the API turns away: every problem with its status, the token, CORS, limits; what it counts."""

import asyncio
import logging
import threading
from collections.abc import Iterator

import numpy as np
import pytest
from starlette.testclient import TestClient

from core.api import create_api
from core.api_form import name_of
from core.api_metrics import Metrics
from core.api_paths import is_api
from core.api_settings import Settings, read_settings, variable
from core.errors import SettingError
from tests.pictures import BOUNDARY, form_data, png, problem

TOKEN = "correct-horse-battery-staple"


@pytest.fixture
def small(cnn_folder, linear_folder, monkeypatch) -> None:
    """The small checkpoints of the tests."""
    monkeypatch.setenv("DIGITSCOPE_CHECKPOINTS", str(cnn_folder.parent))


@pytest.fixture
def api(small: None) -> Iterator[TestClient]:
    with TestClient(create_api()) as client:
        yield client


def client(**settings) -> TestClient:
    return TestClient(create_api(Settings(**settings)))


def ask(api: TestClient, content: bytes, path: str = "/predict", **form):
    body, headers = form_data(content, **form)
    return api.post(path, content=body, headers=headers)


NOISE = png(np.random.default_rng(0).integers(0, 255, (30, 30), np.uint8))
FORM = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


@pytest.mark.parametrize(
    ("body", "headers", "status", "detail"),
    [
        (b"x", {}, 415, "Send a form (multipart/form-data) with the picture in its field `file`."),
        (b"{}", {"Content-Type": "application/json"}, 415, "Send a form (multipart/form-data)"),
        (b"", {"Content-Type": "multipart/form-data"}, 400, "The form can't be read: Missing boundary"),
        (b"no form at all", FORM, 400, "The form can't be read: Invalid multipart data."),
        (form_data(b"x", field="picture")[0], FORM, 422, "The form has no field `file`."),
        (form_data(b"x")[0].replace(b'; filename="digit.png"', b""), FORM, 422, "The field `file` is text."),
        (form_data(b"")[0], FORM, 422, "digit.png: the file is empty. Save it again."),
        (form_data(b"hello", filename="a.txt")[0], FORM, 415, "a.txt: not an image that can be read."),
        (form_data(png(np.zeros((30, 30), np.uint8)))[0], FORM, 422, "digit.png: Nothing drawn"),
        (form_data(NOISE[:400])[0], FORM, 422, "digit.png: the image is damaged"),
    ],
)
def test_a_request_that_is_no_picture_is_told_so(body, headers, status, detail, api: TestClient):
    assert problem(api.post("/predict", content=body, headers=headers), status).startswith(detail)


def test_a_form_that_breaks_off_is_no_form(api: TestClient):
    body, headers = form_data(png(np.eye(28, dtype=np.uint8) * 255))
    response = api.post("/predict", content=body[:-60], headers=headers)
    assert response.status_code in (400, 422)
    problem(response, response.status_code)


def test_paths_and_methods_that_are_not_there(api: TestClient):
    assert problem(api.get("/api/nope"), 404) == "There is nothing at /api/nope. See /docs."
    response = api.get("/predict")
    assert problem(response, 405) == "/predict does not answer GET; use POST."
    assert response.headers["allow"] == "POST"


def test_a_slash_at_the_end_does_no_harm(api: TestClient, seven: np.ndarray):
    response = ask(api, png(seven), "/predict/?model=linear")
    assert (response.status_code, response.history) == (200, [])
    assert list(response.json()["probabilities"]) == ["3", "7"]
    assert api.get("/healthz/").status_code == 200
    assert problem(api.get("/api/nope/"), 404) == "There is nothing at /api/nope. See /docs."


@pytest.mark.parametrize(
    ("method", "path", "name", "takes"),
    [
        ("POST", "/predict", "modle", "`model`"),
        ("POST", "/api/predict", "target", "`model`"),
        (
            "POST",
            "/api/explain",
            "Target",
            "`model`, `method`, `target`, `against`, `layer`, `format`",
        ),
        ("GET", "/api/model", "name", "`model`"),
        ("GET", "/metrics", "name[]", "none"),
    ],
)
def test_a_parameter_that_there_is_none_of_is_named(method, path, name, takes, api: TestClient):
    response = api.request(method, path, params={name: "7"})
    assert problem(response, 422) == f"'{name}' is no parameter of {path}; it takes {takes}."


def test_a_probe_may_be_called_in_its_callers_way(api: TestClient):
    assert api.get("/healthz?nocache=123").status_code == 200


def test_one_picture_is_one_picture(api: TestClient):
    for count in (2, 5):
        response = api.post("/predict", files=[("file", ("a.png", b"x"))] * count)
        assert problem(response, 413) == "The form has more than one picture: send several to /api/predict."
    response = api.post("/api/predict", files=[("file", ("a.png", b"x"))] * 201)
    assert problem(response, 413) == "The form has more than 200 pictures. Send the rest in another."
    assert api.post("/api/predict", files=[("file", ("a.png", b"x"))] * 200).json()["failed"] == 200


@pytest.mark.parametrize("declared", [True, False])
def test_a_picture_of_too_many_bytes_is_not_read_to_its_end(declared: bool, api: TestClient):
    sent = 0
    head, headers = form_data(b"")

    def chunks() -> Iterator[bytes]:
        nonlocal sent
        yield head[: head.index(b"\r\n\r\n") + 4]
        for _ in range(40):
            sent += 1
            yield bytes(2**20)

    extra = {"Content-Length": str(40 * 2**20)} if declared else {}
    response = api.post("/predict", content=chunks(), headers=headers | extra)
    assert problem(response, 413) == "The picture is over 10 MB, the most that is read. Save it smaller."


def test_the_limit_of_many_pictures_is_a_setting(small: None):
    api = client(max_mb=1)
    files = [("file", ("a.png", bytes(600_000)))] * 2
    response = api.post("/api/predict", files=files)
    assert problem(response, 413) == "The request is over 1 MB. Send the pictures in several."
    assert api.post("/api/predict", files=files[:1]).json()["failed"] == 1


def test_a_picture_of_too_many_pixels_is_too_large(api: TestClient):
    content = png(np.zeros((6400, 6400), dtype=np.uint8))
    assert problem(ask(api, content), 413).startswith("digit.png: 6400 × 6400 px; at most 40 megapixels")


def test_a_body_must_arrive_in_time(small: None, monkeypatch):
    receiving = threading.Event()

    async def ask_slowly() -> list[dict]:
        body, headers = form_data(b"x" * 100)
        sent: list[dict] = []

        async def receive() -> dict:
            if not receiving.is_set():
                receiving.set()
                return {"type": "http.request", "body": body[:50], "more_body": True}
            await asyncio.sleep(60)
            raise AssertionError("waited to the end")

        async def send(message: dict) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": "/predict", "query_string": b"", "root_path": ""}
        raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        api = create_api(Settings(upload_seconds=1))
        await api(scope | {"headers": raw, "client": ("test", 1)}, receive, send)
        return sent

    start, body = asyncio.run(ask_slowly())
    assert start["status"] == 408
    assert b"The request took more than 1 s to arrive." in body["body"]


def test_a_token_is_wanted_where_one_is_set(small: None, seven: np.ndarray):
    api, content = client(token=TOKEN), png(seven)
    for header in (None, "", TOKEN, f"Basic {TOKEN}", "Bearer", f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN}x"):
        body, headers = form_data(content)
        given = {} if header is None else {"Authorization": header}
        response = api.post("/predict", content=body, headers=headers | given)
        assert problem(response, 401).startswith("This service wants a token")
        assert response.headers["www-authenticate"] == 'Bearer realm="Digitscope"'
    api.headers["Authorization"] = f"bearer {TOKEN}"
    assert ask(api, content).status_code == 200
    assert api.get("/metrics").status_code == 200
    del api.headers["Authorization"]
    for path, status in (("/metrics", 401), ("/api/model", 401), ("/api/nope", 401), ("/healthz", 200)):
        assert api.get(path).status_code == status, path
    for path in ("/docs", "/openapi.json", "/docs/assets/swagger-ui.css"):
        assert api.get(path).status_code == 200, path
    document = api.get("/openapi.json").json()
    assert document["security"] == [{"token": []}]
    assert document["components"]["securitySchemes"]["token"] == {"type": "http", "scheme": "bearer"}


def test_other_sites_may_call_only_where_they_are_named(small: None):
    origin = {"Origin": "https://example.org"}
    preflight = origin | {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }
    closed = client()
    assert "access-control-allow-origin" not in closed.get("/healthz", headers=origin).headers
    assert closed.options("/predict", headers=preflight).status_code == 405
    api = client(cors=("https://example.org",), token=TOKEN)
    answer = api.options("/predict", headers=preflight)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "https://example.org"
    for asked, said in (
        (preflight | {"Origin": "https://a.example"}, "https://a.example may not call: DIGITSCOPE_API_CORS"),
        (preflight | {"Access-Control-Request-Method": "PUT"}, "https://example.org may call with GET, POST"),
        (preflight | {"Access-Control-Request-Headers": "x-mine"}, "authorization, content-language"),
    ):
        refused = api.options("/predict", headers=asked)
        assert said in problem(refused, 400)
        assert "Origin" in refused.headers["vary"]
    refused = api.post("/predict", headers=origin)
    problem(refused, 401)
    assert refused.headers["access-control-allow-origin"] == "https://example.org", "else it can't be read"
    other = api.get("/healthz", headers={"Origin": "https://example.com"})
    assert "access-control-allow-origin" not in other.headers


def test_who_asks_too_often_waits(small: None):
    api = client(rate="3/minute")
    for _ in range(3):
        assert api.get("/api/model").status_code == 200
    response = api.get("/api/model")
    assert problem(response, 429).startswith("More than 3/minute from one address. Come back in ")
    assert 1 <= int(response.headers["retry-after"]) <= 120
    assert api.get("/healthz").status_code == 200, "a probe is never turned away"
    other = TestClient(api.app, client=("10.0.0.9", 1))
    assert other.get("/api/model").status_code == 200


def test_more_requests_than_allowed_at_once_are_sent_away(small: None, seven: np.ndarray, monkeypatch):
    app = create_api(Settings(requests=2))
    going, go_on = threading.Semaphore(0), threading.Event()
    predict = app.state.desk.predict

    async def slowly(*arguments):
        going.release()
        await asyncio.to_thread(go_on.wait, 30)
        return await predict(*arguments)

    monkeypatch.setattr(app.state.desk, "predict", slowly)
    answers: list[int] = []
    with TestClient(app) as api:
        waiting = [
            threading.Thread(target=lambda: answers.append(ask(api, png(seven)).status_code))
            for _ in range(2)
        ]
        for thread in waiting:
            thread.start()
        going.acquire(timeout=30)
        going.acquire(timeout=30)
        response = ask(api, png(seven))
        assert problem(response, 503) == "2 requests are being answered. Try again."
        assert response.headers["retry-after"] == "1"
        go_on.set()
        for thread in waiting:
            thread.join()
        assert answers == [200, 200]
        assert ask(api, png(seven)).status_code == 200


def test_a_bug_is_logged_and_not_shown(small: None, seven: np.ndarray, monkeypatch, caplog):
    app = create_api()
    monkeypatch.setattr(app.state.desk.served, "get", lambda *_: 1 / 0)
    with TestClient(app) as api, caplog.at_level(logging.ERROR):
        response = ask(api, png(seven))
        assert problem(response, 500) == "Something broke here. It has been logged."
        assert "ZeroDivisionError" in caplog.text
        figures = api.get("/metrics").text
    assert 'digitscope_requests_total{method="POST",route="/predict",status="500"} 1.0' in figures


def test_every_answer_says_what_a_browser_may_not_do(api: TestClient):
    for response in (api.get("/healthz"), api.get("/api/nope"), api.post("/predict"), api.get("/metrics")):
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert response.headers["cache-control"] == "no-store"


def test_what_happens_is_counted(seven: np.ndarray):
    with TestClient(create_api()) as api:  # with the shipped models, which have a detector
        for _ in range(3):
            assert ask(api, png(seven)).status_code == 200
        problem(ask(api, b"x"), 415)
        api.get("/api/nope-1")
        api.get("/api/nope-2")
        ask(api, png(seven), "/api/explain")
        problem(ask(api, bytes(11 * 2**20)), 413)  # turned away before its route
        response = api.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    for line in (
        'digitscope_requests_total{method="POST",route="/predict",status="200"} 3.0',
        'digitscope_requests_total{method="POST",route="/predict",status="415"} 1.0',
        'digitscope_requests_total{method="POST",route="/predict",status="413"} 1.0',
        'digitscope_requests_total{method="GET",route="none",status="404"} 2.0',
        'digitscope_request_seconds_count{route="/predict"} 5.0',
        'digitscope_predictions_total{model="cnn",verdict="digit"} 3.0',
        'digitscope_explanations_total{method="gradcam",model="cnn"} 1.0',
        "digitscope_requests_in_progress 1.0",
    ):
        assert line in response.text.splitlines()


def test_two_apis_count_for_themselves():
    first, second = Metrics(), Metrics()
    first.in_progress.inc()
    assert b"digitscope_requests_in_progress 0.0" in second.response().body


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("a.png", "a.png"),
        ("../../etc/passwd", "passwd"),
        ("C:\\pictures\\a.png", "a.png"),
        ("a\r\nb\x00.png", "a??b?.png"),
        ("x" * 300, "x" * 100),
        ("", "picture"),
    ],
)
def test_a_sent_name_is_shown_without_harm(sent: str, shown: str):
    assert name_of(sent) == shown


def test_the_api_answers_at_its_own_paths_and_no_others(api: TestClient):
    document = api.get("/openapi.json").json()
    assert all(is_api(path) for path in document["paths"])
    assert all(map(is_api, ("/docs", "/openapi.json", "/docs/assets/swagger-ui.css", "/api/x", "/predict/")))
    assert not any(
        map(
            is_api,
            ("/", "/draw", "/_stcore/health", "/predict/x", "/apis", "/docsx", "/media/a"),
        )
    )


def test_an_empty_environment_gives_the_usual_settings():
    assert read_settings({"PATH": "/bin", "DIGITSCOPE_API_TOKEN": ""}) == Settings()


def test_settings_are_read(tmp_path):
    (tmp_path / "token").write_text(TOKEN + "\n")
    found = read_settings(
        {
            "DIGITSCOPE_API_ENABLED": "off",
            "DIGITSCOPE_API_MODEL": "linear",
            "DIGITSCOPE_API_TOKEN_FILE": str(tmp_path / "token"),
            "DIGITSCOPE_API_CORS": "https://a.example, http://localhost:3000/",
            "DIGITSCOPE_API_RATE": "10/second",
            "DIGITSCOPE_API_REQUESTS": "5",
            "DIGITSCOPE_API_MAX_MB": "7",
            "DIGITSCOPE_API_UPLOAD_SECONDS": "9",
        }
    )
    cors = ("https://a.example", "http://localhost:3000")
    expected = Settings(False, "linear", None, TOKEN, cors, "10/second", 5, 7, 9)
    assert found == expected
    assert found.secret == TOKEN


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("tokn", "x" * 20, "DIGITSCOPE_API_TOKN is no setting; there are DIGITSCOPE_API_ENABLED, "),
        ("enabled", "maybe", "DIGITSCOPE_API_ENABLED is 'maybe': give `on` or `off`."),
        ("token", "short-secret", "DIGITSCOPE_API_TOKEN: give 16 characters or more"),
        ("token", "with a space in it", "DIGITSCOPE_API_TOKEN: give 16 characters or more"),
        (
            "token_file",
            "/no/such/file",
            "DIGITSCOPE_API_TOKEN_FILE is '/no/such/file' (No such file or directory): give",
        ),
        ("cors", "example.org", "DIGITSCOPE_API_CORS is 'example.org': give `*`, or origins such as"),
        ("cors", "https://a.example/path", "DIGITSCOPE_API_CORS is"),
        ("cors", "https://a.example;script-src", "DIGITSCOPE_API_CORS is"),
        ("rate", "often", "DIGITSCOPE_API_RATE is 'often': give a number and one of second, minute"),
        ("rate", "0/minute", "DIGITSCOPE_API_RATE is '0/minute'"),
        ("requests", "0", "DIGITSCOPE_API_REQUESTS is '0': give a whole number from 1 to 10000."),
        ("max_mb", "1.5", "DIGITSCOPE_API_MAX_MB is '1.5': give a whole number from 1 to 1000."),
        ("upload_seconds", "²", "DIGITSCOPE_API_UPLOAD_SECONDS is"),
    ],
)
def test_a_setting_that_can_not_be_is_refused(name: str, text: str, said: str):
    with pytest.raises(SettingError) as caught:
        read_settings({variable(name): text})
    assert str(caught.value).startswith(said)
    assert "secret" not in str(caught.value), "a wrong token is still a token"


def test_two_tokens_are_one_too_many(tmp_path):
    (tmp_path / "token").write_text(TOKEN)
    with pytest.raises(SettingError, match="are both set; set one of the two"):
        read_settings({"DIGITSCOPE_API_TOKEN": TOKEN, "DIGITSCOPE_API_TOKEN_FILE": str(tmp_path / "token")})
