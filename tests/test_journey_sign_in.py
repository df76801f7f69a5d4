"""Signing in and out through a real OpenID Connect provider on this machine."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from core.paths import ROOT
from tests.browser import free_port, serve
from tests.visitor import browser

pytestmark = pytest.mark.journey
__all__ = ["browser"]


@contextlib.contextmanager
def provider() -> Iterator[str]:
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "tests.provider", str(port)], cwd=ROOT)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=20)


def test_a_stranger_signs_in_looks_and_signs_out(browser: Browser, tmp_path: Path) -> None:
    port, secrets = free_port(), tmp_path / "secrets.toml"
    with provider() as issuer:
        secrets.write_text(
            f"""
            [auth]
            redirect_uri = "http://127.0.0.1:{port}/oauth2callback"
            cookie_secret = "a secret of more than fourteen bytes"
            client_id = "digitscope"
            client_secret = "for tests"
            server_metadata_url = "{issuer}/.well-known/openid-configuration"
            [access]
            allow = ["@example.com"]
            """,
            encoding="utf-8",
        )
        with serve(tmp_path / "log", port=port, STREAMLIT_SECRETS_FILES=str(secrets)) as server:
            page = browser.new_page()
            page.goto(f"{server.url}/draw")
            enter = page.get_by_role("button", name="Sign in", exact=False)
            expect(enter).to_be_visible()
            expect(page.get_by_role("link", name="Errors")).to_have_count(0)
            expect(page.locator("canvas")).to_have_count(0)
            enter.click()
            expect(page.get_by_role("heading", name="Overview")).to_be_visible()
            expect(page.get_by_text("Signed in as ada@example.com")).to_be_visible()
            page.get_by_role("button", name="Sign out").click()
            expect(enter).to_be_visible()
            page.reload()
            expect(enter).to_be_visible()
            page.close()
