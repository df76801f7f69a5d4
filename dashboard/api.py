"""The HTTP API beside the dashboard, in one process."""

import asyncio
import threading

from starlette.types import ASGIApp, Receive, Scope, Send

from core.api_paths import is_api
from core.api_settings import Settings
from dashboard.memory import set_libraries_aside


class BesideTheDashboard:
    """ASGI middleware that hands the API's paths to the API and all others on.

    The API comes before Streamlit's own middleware (sessions, compression), which it has no use for. It is
    loaded in a thread when somebody first asks it, as its imports would delay the first page.

    Args:
        app: the dashboard.
        settings: of the API.
    """

    def __init__(self, app: ASGIApp, settings: Settings):
        self.app, self.settings = app, settings
        self._api: ASGIApp | None = None
        self._lock = threading.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self.settings.enabled and is_api(scope["path"]):
            await (self._api or await asyncio.to_thread(self._load))(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _load(self) -> ASGIApp:
        from core.api import create_api

        with self._lock:
            if self._api is None:
                self._api = create_api(self.settings)
                set_libraries_aside()
            return self._api
