"""What a page shows, kept in its link: a link, a reload, Back and Forward show the same again.

The link is the only truth. Widgets are set from it before they are drawn, and what they are changed to goes
into it before the page is drawn anew.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any, Generic, TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

View = TypeVar("View")
NOTHING: Mapping[str, Any] = {}
HEARD = 5.0  # s after which a browser has heard of a new address, and means the one that it comes with


def shown(page: str) -> None:
    """Notes which page is shown from now on. Before it is run: a visitor may leave it before it is whole."""
    if st.session_state.get("shown-page") != page:
        st.session_state["visited-anew"] = page
    if st.session_state.get("shown-page") != page or _by_history():
        st.session_state.pop(_written_of(page), None)
    st.session_state["shown-page"] = page


def visited_anew(page: str, bring_back: Callable[[], None], names: set[str]) -> None:
    """Brings a page's last view back when it is visited again without a link, once a visit.

    Args:
        page: its path.
        bring_back: what does so.
        names: of the parts that a link to it may have.
    """
    if st.session_state.get("visited-anew") == page:
        if not names & set(st.query_params):
            bring_back()
        del st.session_state["visited-anew"]  # at the end: the run may be broken off before


class PageLink(Generic[View]):
    """The link of one page.

    Args:
        page: its path; the keys of its widgets begin with it.
        kind: a frozen dataclass of every control, each with its usual value; what a control may be set to
            may stand in its metadata as `among`.
        read: a control's value from its name and the address's text; None for a text without sense.
        of_data: what another data set makes meaningless, with the values that go back to.
        of_new_data: the same of a data set that was never seen before, beside those.
    """

    def __init__(
        self,
        page: str,
        kind: type[View],
        read: Callable[[str, str], Any],
        *,
        of_data: Mapping[str, Any] = NOTHING,
        of_new_data: Mapping[str, Any] = NOTHING,
    ):
        self.page, self._kind, self._read = page, kind, read
        self.of_data, self.of_new_data = of_data, {**of_data, **of_new_data}
        self._last = f"{page}-last"  # the view of this session, for when the page is left and visited again
        self._names = {part.name for part in fields(kind)}  # type: ignore[arg-type]
        self._written = _written_of(page)

    def view(self) -> View:
        """What the address says, or will; what it says wrongly is as if it were not there."""
        if self._outdated():
            return st.session_state[self._last]  # type: ignore[no-any-return]
        values = {}
        for part in fields(self._kind):  # type: ignore[arg-type]
            text = st.query_params.get(part.name)
            value = None if text is None else self._read(part.name, text)
            if value is not None and value in part.metadata.get("among", (value,)):
                values[part.name] = value
        return self._kind(**values)

    def arrive(self) -> None:
        """Brings the last view of this session back when the page is visited again without a link."""
        visited_anew(
            self.page, lambda: self._write(st.session_state.get(self._last, self._kind())), self._names
        )
        st.session_state[self._last] = self.view()

    def change(self, **values: Any) -> None:
        """Shows something else. A gallery begins at its first page again unless told otherwise."""
        first = {"page": 1} if any(part.name == "page" for part in fields(self._kind)) else {}  # type: ignore[arg-type]
        self._write(replace(self.view(), **(first | values)))  # type: ignore[type-var]

    def mirror(
        self, name: str, names: Mapping[Any, str] | None = None, *, empty: Any = None, suffix: str = ""
    ) -> dict[str, Any]:
        """The arguments that tie a widget to a part of the link.

        Args:
            name: the part.
            names: what the widget calls each of its choices, for one that has choices.
            empty: what the widget has where the link has None or "".
            suffix: of the widget's key, for one whose choices change.
        """
        key = f"{self.page}-{name}{suffix}"
        value = getattr(self.view(), name)
        st.session_state[key] = empty if value in (None, "") else value

        def changed() -> None:
            chosen = st.session_state[key]
            wanted = getattr(self._kind(), name) if chosen == empty else chosen
            # A widget that comes back to the page calls without a change.
            seen = (self.view(), st.session_state.get(self._last, self.view()))
            if any(wanted != getattr(view, name) for view in seen):
                self.change(**{name: wanted})

        choices = {"options": list(names), "format_func": names.__getitem__} if names else {}
        return {"key": key, "on_change": changed} | choices

    def _outdated(self) -> bool:
        """Whether the browser had not heard of the newest address: the second of two quick clicks comes with
        one that was written over, and so does what a component sends by itself, such as a canvas that has
        loaded its picture. Back brings such a one, too, and means it."""
        if st.session_state.get("shown-page") != self.page or _by_history():
            return False
        written = self._lately()
        return self._address() in written and self._address() != written[-1]

    def _lately(self) -> list[dict[str, str]]:
        """The addresses that the browser may still not have heard of or have left; the last is the newest."""
        at, written = st.session_state.get(self._written, (0.0, []))
        return written if time.monotonic() - at < HEARD else []

    def _address(self) -> dict[str, str]:
        """This page's part of the address."""
        return {name: text for name, text in st.query_params.to_dict().items() if name in self._names}

    def _write(self, view: View) -> None:
        # One message, so one entry in the browser's history. Taking a part out of the address would be a
        # second one, so what is back at its default is written out once it has been there.
        usual, last, changes = self._kind(), st.session_state.get(self._last, view), {}
        for part in fields(self._kind):  # type: ignore[arg-type]
            text, written = _text(getattr(view, part.name)), _text(getattr(last, part.name))
            if {st.query_params.get(part.name, _text(getattr(usual, part.name))), written} != {text}:
                changes[part.name] = text
        if changes:
            written = [*self._lately(), self._address()]
            st.query_params.update(changes)
            st.session_state[self._written] = time.monotonic(), [*written, self._address()]
        st.session_state[self._last] = view


def _written_of(page: str) -> str:
    """The key of the addresses that were written lately, with the time."""
    return f"{page}-written"


def _by_history() -> bool:
    """Whether Back or Forward led here."""
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return "_".join(f"{x:.1f},{y:.1f}" for x, y in value)
    if value is None:
        return "any"
    if isinstance(value, float):
        return f"{value:.12g}"
    return str(int(value)) if isinstance(value, bool) else str(value)
