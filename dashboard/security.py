"""What a browser is told not to do on the dashboard's pages."""

from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.api_settings import read_origins
from core.errors import SettingError
from core.inline_scripts import script_hashes
from core.raw_headers import add_missing, raw

FRAMES = "DIGITSCOPE_FRAME_ANCESTORS"

# What Streamlit's front end does, and nothing else:
# - scripts: its own files, the components' as blobs, and the inline ones of its page, by their hashes;
#   Plotly's WebGL (the map of 10,000 digits) makes functions of text;
# - styles: emotion and Plotly write them into the page;
# - pictures and sound: media files, and what is drawn or recorded in the page, as data or blobs;
# - frames: HTML of a page's own, without an address.
POLICY = {
    "default-src": "'self'",
    "script-src": "'self' blob: 'unsafe-eval'",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "media-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "connect-src": "'self' data: blob:",
    "worker-src": "'self' blob:",
    "frame-src": "'self' data: blob:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
}
DENIED = ("accelerometer", "geolocation", "gyroscope", "magnetometer", "microphone", "midi", "payment", "usb")


class SecurityHeaders:
    """ASGI middleware that adds headers to every answer that does not have them already.

    Args:
        app: what answers.
        pages: the HTML whose inline scripts may run.
        frame_ancestors: the origins that may show the dashboard in a frame, besides its own.
    """

    def __init__(self, app: ASGIApp, *, pages: tuple[str, ...] = (), frame_ancestors: tuple[str, ...] = ()):
        self.app = app
        self.headers = raw(headers(pages, frame_ancestors))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                add_missing(message, self.headers)
            await send(message)

        await self.app(scope, receive, tell)


def headers(pages: tuple[str, ...], frame_ancestors: tuple[str, ...]) -> dict[str, str]:
    """The headers by name."""
    policy = POLICY | {
        "script-src": " ".join([POLICY["script-src"], *sorted(set().union(*map(script_hashes, pages)))]),
        "frame-ancestors": " ".join(("'self'", *frame_ancestors)),
    }
    found = {
        "Content-Security-Policy": "; ".join(f"{name} {sources}" for name, sources in policy.items()),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": ", ".join(["camera=(self)", *(f"{name}=()" for name in DENIED)]),
    }
    # For browsers that know no frame-ancestors; it can't name other origins.
    return found if frame_ancestors else found | {"X-Frame-Options": "SAMEORIGIN"}


def frame_ancestors(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The origins in `DIGITSCOPE_FRAME_ANCESTORS`, which are separated by commas or spaces.

    Raises:
        SettingError: something else is in it.
    """
    found = tuple(environment.get(FRAMES, "").replace(",", " ").split())
    for origin in found:
        try:
            read_origins(origin)
        except ValueError as error:
            raise SettingError(
                f"{FRAMES} holds {origin[:80]!r}: give origins such as https://huggingface.co."
            ) from error
    return found
