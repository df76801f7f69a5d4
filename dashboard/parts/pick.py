"""Things to pick from that Streamlit has not: a matrix, a table by rows, a grid of digits, bins.

They are parts of the page and no frames, in the theme's own colours; what they send is a trigger, which is
gone after the rerun that it starts.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

FOLDER = Path(__file__).parent / "browser"
TABLE = "<table><thead></thead><tbody></tbody></table>"


def _component(name: str, html: str) -> Callable[..., Any]:
    return st.components.v2.component(
        f"digitscope_{name}",
        html=html,
        css=(FOLDER / f"{name}.css").read_text(encoding="utf-8"),
        js=(FOLDER / f"{name}.js").read_text(encoding="utf-8"),
    )


_matrix = _component(
    "matrix", TABLE.replace("<thead>", "<caption>columns: read as · rows: true digit</caption><thead>")
)
_table = _component("table", TABLE)
_gallery = _component("gallery", '<div class="grid"></div>')
_way = _component("way", "<a></a>")
_bins = _component("bins", '<div class="diagram"></div>')
_presenter = _component("presenter", '<nav aria-label="Steps of the story"></nav>')


def matrix(data: dict[str, Any], *, key: str, pick: Callable[[dict[str, int | None]], None]) -> None:
    """A matrix of counts; `pick` gets the true digit and the predicted one, either may be None."""
    _mount(_matrix, data, key, "pick", pick)


def table(data: dict[str, Any], *, key: str, pick: Callable[[Any], None]) -> None:
    """A table; `pick` gets the id of the row."""
    _mount(_table, data, key, "pick", pick)


def gallery(
    data: dict[str, Any], *, key: str, open_digit: Callable[[int], None] = lambda index: None
) -> None:
    """A grid of digits; `open_digit` gets the index of the one that was clicked, where it has no `href`."""
    _mount(_gallery, data, key, "open", open_digit)


def bins(data: dict[str, Any], *, key: str, pick: Callable[[int], None]) -> None:
    """A reliability diagram; `pick` gets the number of the bin."""
    _mount(_bins, data, key, "pick", pick)


def presenter(data: dict[str, Any], *, key: str, go: Callable[[int], None]) -> None:
    """The steps of a story, with arrow keys; `go` gets the number of the step, from 1, or 0 to leave."""
    _mount(_presenter, data, key, "go", go)


def way(words: str, href: str, *, key: str) -> None:
    """A link to another page, which leaves this one in the browser's history as it is."""
    _way(data={"words": words, "href": href}, key=key, width="content")


def _mount(
    component: Callable[..., Any], data: dict[str, Any], key: str, trigger: str, act: Callable[[Any], None]
) -> None:
    def sent() -> None:
        value = st.session_state[key].get(trigger)
        if value is not None:
            act(value)

    component(data=data, key=key, **{f"on_{trigger}_change": sent})
