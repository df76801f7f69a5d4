"""What the Errors page shows, kept in its link: a link, a reload, Back and Forward show the same again.

The link is the only truth. Widgets are set from it before they are drawn, and what they are changed to goes
into it before the page is drawn anew.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from math import isfinite
from typing import Any

import streamlit as st

from core.selection import ORDERS

LENSES = ("matrix", "confusions", "digits", "map", "compare")
PER_PAGE = (24, 48, 96, 200)
CONDITIONS = ("true", "read", "low", "high", "labels", "note", "area", "change")
LARGEST = 10**12  # no data set has as many digits
LAST = "errors-last"  # the view of this session, for when the page is left and visited again
Area = tuple[tuple[float, float], ...]


@dataclass(frozen=True, kw_only=True)
class ErrorsLink:
    """Every control of the page; None and "" choose nothing."""

    data: str = ""
    lens: str = field(default="matrix", metadata={"among": LENSES})
    true: int | None = None
    read: int | None = None
    shown: str = field(default="wrong", metadata={"among": ("wrong", "right", "all")})
    low: int = 0
    high: int = 100
    order: str = field(default="loss", metadata={"among": tuple(ORDERS)})
    page: int = 1
    per: int = field(default=48, metadata={"among": PER_PAGE})
    cam: bool = False
    labels: str = field(default="all", metadata={"among": ("all", "doubtful", "certain")})
    note: str = ""
    area: Area = ()
    scale: str = field(default="log", metadata={"among": ("log", "share")})
    hits: bool = False
    other: str = ""
    change: str = field(default="", metadata={"among": ("", "fixed", "newly_wrong", "both_wrong")})
    digit: int | None = None

    @property
    def filtered(self) -> bool:
        """Whether anything narrows the gallery beyond right or wrong."""
        usual = ErrorsLink()
        return any(getattr(self, name) != getattr(usual, name) for name in CONDITIONS)


def link() -> ErrorsLink:
    """What the address says now; what it says wrongly is as if it were not there."""
    values = {}
    for part in fields(ErrorsLink):
        text = st.query_params.get(part.name)
        value = None if text is None else _read(part.name, text)
        if value is not None and value in part.metadata.get("among", (value,)):
            values[part.name] = value
    return ErrorsLink(**values)


def arrive() -> None:
    """Brings the last view of this session back when the page is visited again without a link."""
    names = {part.name for part in fields(ErrorsLink)}
    if st.session_state.get("shown-page") != "errors" and not names & set(st.query_params):
        _write(st.session_state.get(LAST, ErrorsLink()))
    st.session_state[LAST] = link()


def change(**values: Any) -> None:
    """Shows something else. The gallery begins at its first page again unless told otherwise."""
    _write(replace(link(), **({"page": 1} | values)))


def mirror(name: str, names: Mapping[Any, str] | None = None, *, empty: Any = None) -> dict[str, Any]:
    """The arguments that tie a widget to a part of the link.

    Args:
        name: the part.
        names: what the widget calls each of its choices, for one that has choices.
        empty: what the widget has where the link has None or "".
    """
    key = f"errors-{name}"
    value = getattr(link(), name)
    st.session_state[key] = empty if value in (None, "") else value

    def changed() -> None:
        chosen = st.session_state[key]
        wanted = getattr(ErrorsLink(), name) if chosen == empty else chosen
        # A widget that comes back to the page calls without a change. Of two quick clicks the second may come
        # with an address that is older than what the first one wrote.
        if any(wanted != getattr(view, name) for view in (link(), st.session_state.get(LAST, link()))):
            change(**{name: wanted})

    choices = {"options": list(names), "format_func": names.__getitem__} if names else {}
    return {"key": key, "on_change": changed} | choices


def _write(view: ErrorsLink) -> None:
    # One message, so one entry in the browser's history. Taking a part out of the address would be a
    # second one, so what is back at its default is written out once it has been there.
    usual, last, changes = ErrorsLink(), st.session_state.get(LAST, view), {}
    for part in fields(ErrorsLink):
        text, written = _text(getattr(view, part.name)), _text(getattr(last, part.name))
        if {st.query_params.get(part.name, _text(getattr(usual, part.name))), written} != {text}:
            changes[part.name] = text
    if changes:
        st.query_params.update(changes)
    st.session_state[LAST] = view


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return "_".join(f"{x:.1f},{y:.1f}" for x, y in value)
    if value is None:
        return "any"
    return str(int(value)) if isinstance(value, bool) else str(value)


def _read(name: str, text: str) -> Any:
    try:
        if name == "area":
            pairs = tuple(tuple(map(float, pair.split(","))) for pair in text.split("_"))
            sound = len(pairs) > 2 and all(len(pair) == 2 and all(map(isfinite, pair)) for pair in pairs)
            return pairs if sound else None
        if name in ("cam", "hits"):
            return {"1": True, "0": False}.get(text)
        if name in ("low", "high"):
            return min(100, max(0, int(text)))
        if name in ("true", "read", "digit", "page", "per"):
            return int(text) if (1 if name == "page" else 0) <= int(text) <= LARGEST else None
    except ValueError:
        return None
    return text
