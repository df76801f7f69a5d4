"""One visitor's session, over the websocket and in the messages of Streamlit's own front end.

A page's widgets come in the server's messages, each with an id that ends in the key our code gave it, and the
fragment it lies in; a change goes back as that id's new state. Written against Streamlit 1.67.
"""

import asyncio
import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

PATIENCE = 60.0  # s: what takes longer has failed
WHOLE = (ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY)
EVENTS = "$$STREAMLIT_INTERNAL_KEY_{}__events"  # where a component of version 2 puts its triggers


class NoAnswer(Exception):
    """What was waited for did not come."""


@dataclass(frozen=True)
class Widget:
    """Where a widget's state goes."""

    id: str
    fragment: str


class Session:
    """A visitor's session; use `Session.open`.

    Attributes:
        widgets: by their keys, or where they have none by their labels.
        shown: the last HTML of each kind, by the class that it begins with.
        said: the page's text since the last message was sent.
        components: what each component of version 2 was given, by its key.
        finished: how many runs have ended as a whole.
    """

    def __init__(self, url: str, socket: websockets.ClientConnection):
        self._url, self._socket = url, socket
        self.widgets: dict[str, Widget] = {}
        self.pages: dict[str, str] = {}
        self.page = self.query = self._fragment = ""
        self.shown: dict[str, str] = {}
        self.said: list[str] = []
        self.components: dict[str, Any] = {}
        self.problems: list[str] = []
        self.finished = 0
        self.bytes = 0
        self._kept: dict[str, WidgetState] = {}
        self._arrived = asyncio.Event()
        self._reader = asyncio.create_task(self._read())

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, url: str, page: str, query: str = "") -> Any:
        """Connects, and opens a page as one who follows a link."""
        address = url.replace("http", "ws", 1) + "/_stcore/stream"
        async with websockets.connect(
            address, subprotocols=["streamlit"], max_size=None, compression=None, ping_interval=None
        ) as socket:
            session = cls(url, socket)
            try:
                session.page, session.query = page, query
                await session._send(name=page)
                await session.rest()
                yield session
            finally:
                session._reader.cancel()

    async def rest(self, before: int = 0) -> None:
        """Waits until a run after the `before`-th has ended as a whole."""
        await self.until(lambda: self.finished > before, f"the end of {self.page or 'the first page'}")

    async def until(self, true: Callable[[], bool], what: str) -> None:
        """Waits for something, at most a minute.

        Raises:
            NoAnswer: it did not come.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while not true():
                    if self._reader.done():
                        raise NoAnswer(f"The server closed the connection while waiting for {what}.")
                    self._arrived.clear()
                    await self._arrived.wait()
        if not true():
            raise NoAnswer(f"No sign of {what} within {PATIENCE:.0f} s.")

    async def go(self, page: str) -> None:
        """Another page, by the navigation; its widgets are others."""
        before = self.finished
        self.page, self.query, self._kept = page, "", {}
        self.widgets, self.shown, self.said, self.components = {}, {}, [], {}
        await self._send(script=self.pages[page])
        await self.rest(before)

    async def draw(self, key: str, value: dict[str, Any]) -> None:
        """What a canvas holds; it goes with every message from then on, as the front end does it."""
        widget = self._widget(key)
        self._kept[key] = WidgetState(id=widget.id, json_value=json.dumps(value))
        await self._send(fragment=widget.fragment)

    async def choose(self, key: str, *choices: str) -> None:
        """Segments of a control, by their labels."""
        widget = self._widget(key)
        state = WidgetState(id=widget.id)
        state.string_array_value.data.extend(choices)
        if not choices:
            state.string_array_value.SetInParent()
        await self._send(state, fragment=widget.fragment)

    async def slide(self, key: str, value: float) -> None:
        widget = self._widget(key)
        state = WidgetState(id=widget.id)
        state.double_array_value.data.append(value)
        await self._send(state, fragment=widget.fragment)

    async def press(self, key: str) -> None:
        """A button; what the canvas held before it is not sent again."""
        widget = self._widget(key)
        self._kept.clear()
        await self._send(WidgetState(id=widget.id, trigger_value=True), fragment=widget.fragment)

    async def number(self, key: str, value: float) -> None:
        widget = self._widget(key)
        await self._send(WidgetState(id=widget.id, double_value=value), fragment=widget.fragment)

    async def pick(self, key: str, event: str, value: Any) -> None:
        """A trigger of one of our own components."""
        widget = self._widget(key)
        told = json.dumps([{"event": event, "value": value}])
        state = WidgetState(id=EVENTS.format(widget.id), json_trigger_value=told)
        await self._send(state, fragment=widget.fragment)

    def _widget(self, key: str) -> Widget:
        try:
            return self.widgets[key]
        except KeyError:
            raise NoAnswer(f"{self.page}: no widget {key!r} among {', '.join(self.widgets)}.") from None

    async def _send(self, *states: WidgetState, script: str = "", name: str = "", fragment: str = "") -> None:
        self.said = []
        message = BackMsg()
        run = message.rerun_script
        run.query_string, run.page_name, run.fragment_id = self.query, name, fragment
        run.page_script_hash = script or self.pages.get(self.page, "")
        run.widget_states.widgets.extend([*self._kept.values(), *states])
        run.context_info.url = f"{self._url}/{self.page}"
        run.context_info.timezone, run.context_info.locale = "UTC", "en-US"
        run.context_info.color_scheme = "light"
        await self._socket.send(message.SerializeToString())

    async def _read(self) -> None:
        try:
            with contextlib.suppress(websockets.ConnectionClosed):
                async for content in self._socket:
                    self.bytes += len(content)
                    message = ForwardMsg()
                    message.ParseFromString(content)  # type: ignore[arg-type]
                    self._take(message)
                    self._arrived.set()
        finally:
            self._arrived.set()

    def _take(self, message: ForwardMsg) -> None:
        match message.WhichOneof("type"):
            case "delta" if message.delta.WhichOneof("type") == "new_element":
                self._notice(message.delta.new_element, message.delta.fragment_id)
            case "navigation":
                for page in message.navigation.app_pages:
                    self.pages[page.url_pathname] = page.page_script_hash
            case "page_info_changed":
                self.query = message.page_info_changed.query_string
            case "script_finished":
                if message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
                    self.problems.append("a page did not compile")
                self.finished += message.script_finished in WHOLE

    def _notice(self, element: Element, fragment: str) -> None:
        kind = element.WhichOneof("type")
        part = getattr(element, kind)
        found = getattr(part, "id", "")
        if found.startswith("$$ID-"):
            key = found.split("-", 2)[2]
            self.widgets[part.label if key == "None" else key] = Widget(found, fragment)
        match kind:
            case "html":
                self.shown[_class_of(part.body)] = part.body
            case "markdown" | "heading":
                self.said.append(part.body)
            case "bidi_component" if part.WhichOneof("data") == "json":
                self.components[found.split("-", 2)[2]] = part.json
            case "exception":
                self.problems.append(f"{self.page}: {part.type}: {part.message}")
            case "alert" if part.format == part.ERROR:
                self.problems.append(f"{self.page}: {part.body}")


def _class_of(body: str) -> str:
    """`answer` of `<div class="answer several" …`."""
    return body[:80].partition('class="')[2].partition('"')[0].partition(" ")[0]


def texts(session: Session) -> Iterator[str]:
    """Everything the page says."""
    yield from session.said
    yield from session.shown.values()
