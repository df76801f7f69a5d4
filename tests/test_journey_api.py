"""The API and the headers of the real server; its documentation in a real Chromium."""

import json
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from typing import Any

import pytest
from playwright.sync_api import expect

from core.paths import ROOT
from core.predictor import Predictor
from tests.browser import Server
from tests.pictures import drawn_in_a_browser, form_data
from tests.visitor import Visitor, browser, server, visitor

pytestmark = pytest.mark.journey
__all__ = ["browser", "server", "visitor"]  # fixtures


def ask(server: Server, path: str, body: bytes | None = None, **headers: str) -> tuple[int, Any, bytes]:
    request = urllib.request.Request(server.url + path, body, headers)
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, response.headers, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def test_the_api_answers_beside_the_dashboard(server: Server) -> None:
    status, _, content = ask(server, "/healthz")
    assert status == 200
    assert json.loads(content)["status"] == "ready"
    picture = drawn_in_a_browser()
    body, headers = form_data(picture)
    status, _, content = ask(server, "/predict", body, **headers)
    assert status == 200
    expected = Predictor.load(ROOT / "checkpoints" / "cnn").predict(picture)
    assert json.loads(content)["prediction"] == expected.digit == 7
    assert json.loads(content)["confidence"] == expected.confidence
    status, headers, content = ask(server, "/predict", b"x", **{"Content-Type": "text/plain"})
    assert (status, headers["Content-Type"]) == (415, "application/problem+json")
    status, _, content = ask(server, "/metrics")
    assert b'digitscope_requests_total{method="POST",route="/predict",status="200"} 1.0' in content


def test_a_body_without_an_end_is_answered_at_its_limit(server: Server) -> None:
    host, port = server.url.removeprefix("http://").split(":")
    head, headers = form_data(b"")
    lines = ["POST /predict HTTP/1.1", f"Host: {host}", "Transfer-Encoding: chunked"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        start = head[: head.index(b"\r\n\r\n") + 4]
        connection.sendall(f"{len(start):x}\r\n".encode() + start + b"\r\n")
        for _ in range(12):
            connection.sendall(f"{2**20:x}\r\n".encode() + bytes(2**20) + b"\r\n")
        answer = connection.recv(65536)  # though the body has no end
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"application/problem+json" in answer
    assert ask(server, "/healthz")[0] == 200


@pytest.mark.parametrize("path", ["/", "/draw", "/_stcore/health", "/static/nope"])
def test_every_answer_of_the_dashboard_has_its_security_headers(path: str, server: Server) -> None:
    _, headers, _ = ask(server, path)
    policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
    assert "unsafe-inline" not in policy["script-src"]
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'self'"
    assert policy["object-src"] == "'none'"
    assert "http" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "SAMEORIGIN"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "camera=(self)" in headers["Permissions-Policy"]
    assert "microphone=()" in headers["Permissions-Policy"]


def test_an_upload_without_its_token_is_refused(server: Server) -> None:
    body, headers = form_data(b"x")
    request = urllib.request.Request(f"{server.url}/_stcore/upload_file/a/b", body, headers, method="PUT")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request)
    assert caught.value.code == 403


def test_the_documentation_is_drawn_without_asking_anybody_else(visitor: Visitor) -> None:
    visitor.open("/docs")
    expect(visitor.page.locator(".opblock")).to_have_count(6)
    visitor.page.locator(".opblock", has_text="/healthz").click()
    visitor.press("Try it out")
    visitor.press("Execute")
    expect(visitor.page.locator(".live-responses-table")).to_contain_text('"ready"')


def test_a_wrong_setting_ends_the_start_with_a_sentence() -> None:
    command = [sys.executable, "-c", "import dashboard.server"]
    for name, text, said in (
        ("DIGITSCOPE_API_REQUESTS", "many", "error: DIGITSCOPE_API_REQUESTS is 'many': give a whole number"),
        (
            "DIGITSCOPE_SIGN_IN",
            "maybe",
            "error: DIGITSCOPE_SIGN_IN is 'maybe'; it can be `required`",
        ),
        ("DIGITSCOPE_FRAME_ANCESTORS", "a;b", "error: DIGITSCOPE_FRAME_ANCESTORS holds 'a;b': give origins"),
    ):
        environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), name: text}
        result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
        assert result.returncode == 1
        assert said in result.stderr
        assert "Traceback" not in result.stderr
