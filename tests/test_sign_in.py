"""Sign-in: off by default, closed in doubt. The way through a provider is in test_journey_sign_in.py."""

from pathlib import Path

import pytest
import streamlit as st
from streamlit import config
from streamlit.runtime.secrets import Secrets
from streamlit.testing.v1 import AppTest

from core.paths import ROOT
from dashboard import sign_in

AUTH = {
    "redirect_uri": "http://localhost:8501/oauth2callback",
    "cookie_secret": "a secret of more than fourteen bytes",
    "client_id": "digitscope",
    "client_secret": "for tests",
    "server_metadata_url": "http://127.0.0.1:9/.well-known/openid-configuration",
}
ADA = {"is_logged_in": True, "email": "ada@example.com", "email_verified": True}


@pytest.fixture
def app() -> AppTest:
    return AppTest.from_file(str(ROOT / "dashboard" / "app.py"), default_timeout=60)


def buttons(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def test_without_auth_everybody_sees_the_pages_and_no_sign_out(app: AppTest) -> None:
    app.run()
    assert not app.exception
    assert app.title[0].value == "Overview"
    assert "Sign out" not in buttons(app)


def test_a_stranger_sees_a_button_and_nothing_else(app: AppTest) -> None:
    app.secrets["auth"] = AUTH
    app.run()
    assert not app.exception
    assert buttons(app) == ["Sign in"]
    assert [title.value for title in app.title] == ["Digitscope"]
    assert not app.sidebar.selectbox
    assert not app.get("html")[1:], "only the rules of style"


def test_every_provider_gets_a_button(app: AppTest) -> None:
    named = {key: AUTH[key] for key in ("client_id", "client_secret", "server_metadata_url")}
    app.secrets["auth"] = {
        "redirect_uri": AUTH["redirect_uri"],
        "cookie_secret": AUTH["cookie_secret"],
        "google": named,
        "okta": named,
    }
    app.run()
    assert buttons(app) == ["Sign in with Google", "Sign in with Okta"]


def test_who_signed_in_sees_the_pages_and_the_way_out(app: AppTest) -> None:
    app.secrets["auth"] = AUTH
    app.user = ADA
    app.run()
    assert not app.exception
    assert app.title[0].value == "Overview"
    assert [button.label for button in app.sidebar.button] == ["Sign out"]
    assert "ada@example\\.com" in app.sidebar.caption[-1].value


def test_who_is_not_on_the_list_sees_only_the_way_out(app: AppTest) -> None:
    app.secrets["auth"] = AUTH
    app.secrets["access"] = {"allow": ["@elsewhere.org"]}
    app.user = ADA
    app.run()
    assert not app.exception
    assert buttons(app) == ["Sign out"]
    assert "may not look" in app.warning[0].value


@pytest.mark.parametrize(
    ("user", "allow", "expected"),
    [
        (ADA, [], True),
        (ADA, ["Ada@Example.com"], True),
        (ADA, ["@example.com"], True),
        (ADA, ["example.com"], False),
        (ADA, ["@ample.com"], False),
        (ADA | {"email": "ada@example.com@evil.org"}, ["@example.com"], False),
        (ADA | {"email": "@example.com"}, ["@example.com"], False),
        (ADA | {"email_verified": False}, ["@example.com"], False),
        ({"is_logged_in": True, "name": "Ada"}, ["@example.com"], False),
    ],
)
def test_the_list_admits_addresses_and_whole_domains(user: dict, allow: list[str], expected: bool) -> None:
    assert sign_in.admitted(user, allow) is expected


@pytest.mark.parametrize(
    ("secrets", "demand", "message"),
    [
        (None, "required", "have no `\\[auth\\]`"),
        (None, "yes", "DIGITSCOPE_SIGN_IN is 'yes'; it can be `required`"),
        ("[auth\n", "", "can't be read"),
        ('[access]\nallow = "@example.com"\n[auth]\nclient_id = "x"\n', "", "give a list such as"),
    ],
)
def test_sign_in_that_can_not_work_lets_nobody_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secrets: str | None, demand: str, message: str
) -> None:
    file = tmp_path / "secrets.toml"
    if secrets is not None:
        file.write_text(secrets, encoding="utf-8")
    monkeypatch.setattr(st, "secrets", Secrets())
    monkeypatch.setattr(st, "user", {"is_logged_in": True})
    others = config.get_option
    files = {"secrets.files": [str(file)]}
    monkeypatch.setattr(config, "get_option", lambda name: files.get(name) or others(name))
    monkeypatch.setenv(sign_in.REQUIRED, demand)
    with pytest.raises(sign_in.SignInError, match=message):
        sign_in.may_look()
