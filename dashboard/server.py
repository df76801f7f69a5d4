"""The ASGI app: `streamlit run dashboard/server.py`."""

import logging
import os
import sys
from importlib.resources import files

import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse
from starlette.routing import Route

from core.api_settings import read_settings
from core.cores import one_thread_each
from core.errors import DigitscopeError
from core.report_template import SCRIPT, source
from dashboard.api import BesideTheDashboard
from dashboard.environment import check
from dashboard.memory import give_back_freed
from dashboard.pages import PAGES
from dashboard.security import SecurityHeaders, frame_ancestors
from dashboard.words import plain

log = logging.getLogger(__name__)

# Opened at /draw, the front end looks for the server below /draw first and fills the console with
# 404s; told where the server is, it asks there at once.
BASE = "<script>window.__streamlit = { BACKEND_BASE_URL: new URL('.', document.baseURI).href }</script>"


REPORT = f"<script>{source(SCRIPT)}</script>"  # in the preview, a frame that inherits the page's policy
PAGE = (files("streamlit") / "static" / "index.html").read_text(encoding="utf-8")
PAGE_TOLD = PAGE.replace("<head>", "<head>" + BASE, 1)


async def index(_: Request) -> HTMLResponse:
    """Streamlit's own page, told where its server is."""
    return HTMLResponse(PAGE_TOLD, headers={"Cache-Control": "no-cache"})


def show_error(error: Exception) -> bool:
    """What a visitor can mend is shown in words; the rest is a bug: logged, never shown."""
    if isinstance(error, DigitscopeError):
        log.warning("a page could not be shown: %s", error)
        st.error(plain(str(error)), icon=":material/error:")
    else:
        log.error("uncaught in a page", exc_info=error)
        st.error("Something broke here. It has been logged; reload the page to go on.")
    return True


try:
    check(os.environ)
    settings, ancestors = read_settings(os.environ), frame_ancestors(os.environ)
except DigitscopeError as error:
    sys.exit(f"error: {error}")

one_thread_each()
give_back_freed()
app = st.App(
    "app.py",
    routes=[
        Route(f"/{PAGES[0].path}", lambda _: RedirectResponse("/")),  # the first page is the root's
        *(Route(f"/{page.path}", index) for page in PAGES[1:]),
    ],
    middleware=[
        Middleware(SecurityHeaders, pages=(PAGE, PAGE_TOLD, REPORT), frame_ancestors=ancestors),
        Middleware(BesideTheDashboard, settings=settings),
    ],
    on_script_error=show_error,
)
