"""The HTTP API's settings: environment variables, checked once at the start."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from core.errors import SettingError

PREFIX = "DIGITSCOPE_API_"
LEAST_TOKEN = 16  # characters: shorter ones can be guessed
ORIGIN = re.compile(r"https?://[A-Za-z0-9.*\[\]:-]+")  # nothing that would end a header's directive
UNITS = ("second", "minute", "hour", "day")


def _setting(default: Any, reader: Callable[[str], Any], wanted: str) -> Any:
    return field(default=default, metadata={"reader": reader, "wanted": wanted})


def _number(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not (text.isascii() and text.isdecimal() and least <= int(text) <= most):
            raise ValueError
        return int(text)

    return read


def _switch(text: str) -> bool:
    return {"on": True, "off": False}[text.lower()]


def read_origins(text: str) -> tuple[str, ...]:
    """Origins such as https://example.org, separated by commas; or `*`.

    Raises:
        ValueError: something else.
    """
    found = tuple(part.strip().rstrip("/") for part in text.split(","))
    for origin in found:
        if origin != "*" and not ORIGIN.fullmatch(origin):
            raise ValueError
    return found


def _token(text: str) -> str:
    if len(text) < LEAST_TOKEN or not text.isascii() or any(sign.isspace() for sign in text):
        raise ValueError
    return text


def _token_file(path: str) -> str:
    return _token(Path(path).read_text(encoding="ascii").strip())


def _rate(text: str) -> str:
    count, _, unit = text.partition("/")
    if not (count.isascii() and count.isdecimal() and int(count) and unit in UNITS):
        raise ValueError
    return text


@dataclass(frozen=True)
class Settings:
    """How the API answers. Each field is `DIGITSCOPE_API_` and its name in capitals.

    Attributes:
        enabled: whether there is an API at all.
        model: the checkpoint that answers where a request names none.
        token: what requests must bring as `Authorization: Bearer …`; None lets everybody in.
        token_file: the same, from a file.
        cors: the origins whose pages may call from a browser; `*` for all, none by default.
        rate: requests a client may make, `600/minute`; None for any number.
        requests: how many are worked on or wait at once; more are told to come back.
        max_mb: the largest body of a request with many pictures, MB. A single picture's is 10 MB.
        upload_seconds: how long a body may take to arrive.
    """

    enabled: bool = _setting(True, _switch, "`on` or `off`")
    model: str = _setting("cnn", str, "a checkpoint's name")
    token: str | None = _setting(None, _token, f"{LEAST_TOKEN} characters or more, ASCII, without spaces")
    token_file: str | None = _setting(
        None, _token_file, f"a file that holds a token of {LEAST_TOKEN} characters or more"
    )
    cors: tuple[str, ...] = _setting(
        (), read_origins, "`*`, or origins such as https://example.org, by commas"
    )
    rate: str | None = _setting(None, _rate, f"a number and one of {', '.join(UNITS)}, such as 600/minute")
    requests: int = _setting(64, _number(1, 10_000), "a whole number from 1 to 10000")
    max_mb: int = _setting(64, _number(1, 1000), "a whole number from 1 to 1000")
    upload_seconds: int = _setting(30, _number(1, 3600), "a whole number from 1 to 3600")

    @property
    def secret(self) -> str | None:
        """The token, wherever it came from."""
        return self.token or self.token_file


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + name.upper()


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings in an environment; one that is set to nothing is not set.

    Raises:
        SettingError: a setting that does not exist, or a value that it can't have.
    """
    known = {variable(each.name): each for each in fields(Settings)}
    given = {name: text for name, text in environment.items() if name.startswith(PREFIX) and text}
    if unknown := sorted(set(given) - set(known)):
        raise SettingError(f"{unknown[0]} is no setting; there are {', '.join(known)}. See docs/api.md.")
    values = {known[name].name: _read(name, text, known[name].metadata) for name, text in given.items()}
    if {"token", "token_file"} <= set(values):
        raise SettingError(
            f"{variable('token')} and {variable('token_file')} are both set; set one of the two."
        )
    return Settings(**values)


def _read(name: str, text: str, about: Mapping[str, Any]) -> Any:
    try:
        return about["reader"](text)
    except (ValueError, KeyError, OSError) as error:
        # A token is a secret: it must not reach a log by being a wrong one.
        shown = "" if name == variable("token") else f" is {text[:80]!r}"
        reason = f" ({error.strerror})" if isinstance(error, OSError) else ""
        raise SettingError(f"{name}{shown}{reason}: give {about['wanted']}. See docs/api.md.") from error
