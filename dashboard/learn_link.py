"""What the Learn page shows, kept in its link as on the Errors page: the link is the only truth."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

import streamlit as st

from core.config import LOSSES, STARTS
from core.course import ALL
from dashboard.page_link import visited_anew
from dashboard.pages import LEARN

TABS = ("train", "digit", "parabola", "torch", "many")
RATES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
BATCHES = (16, 64, 256, 1024, 4096)
COUNTS = (0, 1, 10, 100, 1000, ALL)
NEWEST = -1
LAST = "learn-last"  # the view of this session, for when the page is left and visited again


@dataclass(frozen=True, kw_only=True)
class LearnLink:
    """Every control of the page.

    `run` is the course that the session's training follows (`core.course`), so that a link or a reload
    trains it again; `epoch` is the one that is looked at.
    """

    tab: str = field(default="train", metadata={"among": TABS})
    rate: float = field(default=0.1, metadata={"among": RATES})
    batch: int = field(default=64, metadata={"among": BATCHES})
    loss: str = field(default="cross-entropy", metadata={"among": LOSSES})
    start: str = field(default="faint", metadata={"among": STARTS})
    epochs: int = field(default=20, metadata={"among": (5, 10, 20, 50, 100)})
    seed: int = field(default=23, metadata={"most": 9999})
    threes: int = field(default=ALL, metadata={"among": COUNTS})
    sevens: int = field(default=ALL, metadata={"among": COUNTS})
    run: str = ""
    epoch: int = field(default=NEWEST, metadata={"most": 10**6})
    both: int = field(default=0, metadata={"among": (0, 1)})
    weights: str = field(default="shipped", metadata={"among": ("shipped", "mine")})
    example: int = field(default=0, metadata={"most": 10**6})
    prate: float = field(default=0.1, metadata={"among": (0.003, 0.01, 0.03, 0.1, 0.2, 0.25, 0.3, 0.4)})
    pstep: int = field(default=15, metadata={"most": 60})
    pictures: str = field(default="samples", metadata={"among": ("samples", "files")})
    first: int = field(default=0, metadata={"most": 10**6})


def link() -> LearnLink:
    """What the address says now; what it says wrongly is as if it were not there."""
    values = {}
    for part in fields(LearnLink):
        value = _read(part.name, st.query_params.get(part.name))
        if value is not None and value in part.metadata.get("among", (value,)):
            values[part.name] = value
    return LearnLink(**values)


def arrive() -> None:
    """Brings the last view of this session back when the page is visited again without a link."""
    names = {part.name for part in fields(LearnLink)}
    visited_anew(LEARN.path, lambda: _write(st.session_state.get(LAST, LearnLink())), names)
    st.session_state[LAST] = link()


def change(**values: Any) -> None:
    """Shows something else."""
    _write(replace(link(), **values))


def mirror(name: str, names: Mapping[Any, str] | None = None, *, suffix: str = "") -> dict[str, Any]:
    """The arguments that tie a widget to a part of the link.

    Args:
        name: the part.
        names: what the widget calls each of its choices, for one that has choices.
        suffix: of the widget's key, for one whose choices change.
    """
    key = f"learn-{name}{suffix}"
    st.session_state[key] = getattr(link(), name)

    def changed() -> None:
        chosen = st.session_state[key]
        # A widget that comes back to the page calls without a change; see dashboard.errors_link.
        if any(chosen != getattr(view, name) for view in (link(), st.session_state.get(LAST, link()))):
            change(**{name: chosen})

    choices = {"options": list(names), "format_func": names.__getitem__} if names else {}
    return {"key": key, "on_change": changed} | choices


def _write(view: LearnLink) -> None:
    # One message, so one entry in the browser's history; see dashboard.errors_link.
    usual, last, changes = LearnLink(), st.session_state.get(LAST, view), {}
    for part in fields(LearnLink):
        text, written = str(getattr(view, part.name)), str(getattr(last, part.name))
        if {st.query_params.get(part.name, str(getattr(usual, part.name))), written} != {text}:
            changes[part.name] = text
    if changes:
        st.query_params.update(changes)
    st.session_state[LAST] = view


def _read(name: str, text: str | None) -> Any:
    usual = LearnLink.__dataclass_fields__[name]
    if text is None or isinstance(usual.default, str):
        return text
    try:
        value = type(usual.default)(text)
    except ValueError:
        return None
    most = usual.metadata.get("most")
    return value if most is None or usual.default == value or 0 <= value <= most else None
