"""Sign-in by OpenID Connect, where Streamlit's secrets have an `[auth]` (docs/deployment.md)."""

import importlib.util
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit import config
from streamlit.errors import StreamlitAPIException, StreamlitSecretNotFoundError

from core.errors import DigitscopeError
from dashboard.words import plain

REQUIRED = "DIGITSCOPE_SIGN_IN"
NO_AUTH = (
    f"{REQUIRED} is `required`, but Streamlit's secrets have no `[auth]`, so nobody can sign in. "
    "Put it into .streamlit/secrets.toml as docs/deployment.md says."
)
NO_AUTHLIB = (
    "Sign-in is switched on by `[auth]`, but Authlib is not installed: "
    "`pip install -r requirements-auth.txt`."
)


class SignInError(DigitscopeError):
    """Sign-in that is wanted and can't work: nobody gets in."""


def settings() -> Mapping[str, Any] | None:
    """The `[auth]` of Streamlit's secrets; None if everybody may look.

    Raises:
        SignInError: `DIGITSCOPE_SIGN_IN` can't be kept, secrets can't be read, or Authlib is missing.
    """
    required = demanded(os.environ)
    auth = _secrets().get("auth")
    if auth is None and required:
        raise SignInError(NO_AUTH)
    if auth is not None and importlib.util.find_spec("authlib") is None:
        raise SignInError(NO_AUTHLIB)
    return auth


def demanded(environment: Mapping[str, str]) -> bool:
    """Whether nobody may look without signing in, whatever the secrets say.

    Raises:
        SignInError: `DIGITSCOPE_SIGN_IN` is something else.
    """
    text = environment.get(REQUIRED, "")
    if text not in ("", "required"):
        raise SignInError(f"{REQUIRED} is {text!r}; it can be `required` or not set.")
    return bool(text)


def admitted(user: Mapping[str, Any], allow: Sequence[str]) -> bool:
    """Whether somebody who signed in may look.

    Args:
        user: the claims of the identity token.
        allow: addresses (`ada@example.com`) and whole domains (`@example.com`); empty for everybody
            whom the provider knows.
    """
    if not allow:
        return True
    address = str(user.get("email") or "").lower()
    if "@" not in address or user.get("email_verified") is False:
        return False
    name, domain = address.rsplit("@", 1)
    return bool(name) and bool({address, f"@{domain}"} & {entry.lower() for entry in allow})


def may_look() -> bool:
    """Whether the pages may be shown to this visitor.

    Raises:
        SignInError: sign-in is wanted and can't work.
    """
    return settings() is None or (bool(st.user.get("is_logged_in")) and admitted(st.user, _allowed()))


def draw() -> None:
    """What a visitor sees who may not look: a button, and nothing else."""
    st.title("Digitscope", anchor=False)
    if st.user.get("is_logged_in"):
        st.warning(f"{plain(_name())} is signed in, but may not look here. Ask who runs it.")
        st.button("Sign out", on_click=st.logout)
        return
    st.write("Sign in to see what a digit classifier sees.")
    auth = settings() or {}
    providers = [name for name, entry in auth.items() if isinstance(entry, Mapping) and "client_id" in entry]
    for name in providers or [None]:
        label = f"Sign in with {name.title()}" if name else "Sign in"
        if st.button(label, type="primary", icon=":material/login:"):
            _begin(name)


def _begin(provider: str | None) -> None:
    try:
        st.login(provider)
    except StreamlitAPIException as error:
        raise SignInError(f"[auth] is not complete: {' '.join(str(error).split())}") from error


def draw_way_out() -> None:
    """At the end of the sidebar: who is signed in, and a button out; nothing where nobody signs in."""
    if settings() is not None:
        st.sidebar.caption(f"Signed in as {plain(_name())}")
        st.sidebar.button("Sign out", on_click=st.logout, icon=":material/logout:")


def _name() -> str:
    return str(st.user.get("email") or st.user.get("name") or "Somebody")


def _allowed() -> list[str]:
    """`allow` of `[access]`.

    Raises:
        SignInError: it is no list of texts, so who may look is not known.
    """
    allow = _secrets().get("access", {}).get("allow", [])
    if (
        not isinstance(allow, Sequence)
        or isinstance(allow, str)
        or not all(isinstance(e, str) for e in allow)
    ):
        raise SignInError(f'`allow` in `[access]` is {allow!r}; give a list such as ["@example.com"].')
    return list(allow)


def _secrets() -> Mapping[str, Any]:
    """Streamlit's secrets, empty where there is no file.

    Raises:
        SignInError: a file that can't be read may hold an `[auth]`.
    """
    try:
        return st.secrets.to_dict()
    except StreamlitSecretNotFoundError as error:
        if any(Path(file).exists() for file in config.get_option("secrets.files")):
            raise SignInError(f"Streamlit's secrets can't be read: {' '.join(str(error).split())}") from error
        return {}
