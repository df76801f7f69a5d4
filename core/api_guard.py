"""Who may ask the API, how much and how often: what stands before every route."""

import hashlib
import hmac
import logging
import math
import time
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.middleware.body_limit import RequestBodyLimitResponder
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.api_metrics import Metrics
from core.api_paths import FOR_EVERYBODY, MANY_PICTURES, PROBES, without_slash
from core.api_problem import Problem
from core.api_settings import Settings, variable
from core.picture import MAX_BYTES
from core.raw_headers import add_missing, raw

log = logging.getLogger(__name__)

AROUND = 64 * 1024  # bytes that a form may have around its picture
GONE = 499  # what the metrics call a client that left before its answer
HEADERS = raw(
    {
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }
)


class Guard:
    """ASGI middleware: token, rate, number and size of requests; what a bug raises; what is counted.

    Args:
        app: what stands behind it.
        settings: the limits.
        metrics: where requests are counted.
    """

    def __init__(self, app: ASGIApp, settings: Settings, metrics: Metrics):
        self.app, self.settings, self.metrics = app, settings, metrics
        self._secret = _digest(settings.secret.encode()) if settings.secret else None
        self._too_often = rate_check(settings.rate) if settings.rate else None
        self._in_progress = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if scope["path"].endswith("/"):  # answered at once: a redirect is a picture sent twice, or an error
            scope = {**scope, "path": without_slash(scope["path"])}
        started, status = time.perf_counter(), 0

        async def tell(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                add_missing(message, HEADERS)
            await send(message)

        self._in_progress += 1
        self.metrics.in_progress.inc()
        try:
            limit = self._admit(scope)
            await RequestBodyLimitResponder(self.app, limit)(scope, receive, tell)
        except Problem as problem:
            await problem.response()(scope, receive, tell)
        except ClientDisconnect:
            status = GONE
        except Exception:
            log.exception("%s %s", scope["method"], scope["path"])
            if status:  # half an answer is out: nothing can be said any more
                raise
            await Problem(500, "Something broke here. It has been logged.").response()(scope, receive, tell)
        finally:
            self._in_progress -= 1
            self.metrics.in_progress.dec()
            self.metrics.answered(scope, status, time.perf_counter() - started)

    def _admit(self, scope: Scope) -> int:
        """How many bytes the body may have.

        Raises:
            Problem: the request may not come in.
        """
        path, headers = scope["path"], dict(scope["headers"])
        if path in PROBES:
            return 0
        if self._secret and not path.startswith(FOR_EVERYBODY):
            self._check_token(headers.get(b"authorization", b""))
        if self._too_often and (seconds := self._too_often((scope.get("client") or ("",))[0])):
            raise Problem(
                429,
                f"More than {self.settings.rate} from one address. Come back in {seconds} s.",
                {"Retry-After": str(seconds)},
            )
        if self._in_progress > self.settings.requests:
            raise Problem(
                503, f"{self.settings.requests} requests are being answered. Try again.", {"Retry-After": "1"}
            )
        limit = self.settings.max_mb * 2**20 if path in MANY_PICTURES else MAX_BYTES + AROUND
        if _length(headers.get(b"content-length", b"")) > limit:
            raise too_large(path, self.settings)
        return limit

    def _check_token(self, authorization: bytes) -> None:
        scheme, _, token = authorization.partition(b" ")
        assert self._secret
        # Digests are of one length, and comparing them takes the same time however much of a token is right.
        right = hmac.compare_digest(_digest(token.strip()), self._secret)
        if scheme.lower() != b"bearer" or not right:
            raise Problem(
                401,
                "This service wants a token: send it as `Authorization: Bearer …`.",
                {"WWW-Authenticate": 'Bearer realm="Digitscope"'},
            )


class Cors(CORSMiddleware):
    """Starlette's, whose refusals are problems too."""

    def preflight_response(self, request_headers: Headers) -> Response:
        """What a browser is told that asks beforehand whether a page of another origin may call."""
        response = super().preflight_response(request_headers)
        if response.status_code == 200:
            return response
        origin = request_headers["origin"]
        if not self.is_allowed_origin(origin):
            detail = f"Pages of {origin[:80]} may not call: {variable('cors')} does not name it."
        else:
            methods, names = ", ".join(self.allow_methods), ", ".join(self.allow_headers)
            detail = f"Pages of {origin[:80]} may call with {methods} and the headers {names}, and no other."
        kept = ("vary", "access-control-allow-origin")
        headers = {name: response.headers[name] for name in kept if name in response.headers}
        return Problem(response.status_code, detail, headers).response()


def too_large(path: str, settings: Settings) -> Problem:
    """The body is over its limit."""
    if path in MANY_PICTURES:
        return Problem(413, f"The request is over {settings.max_mb} MB. Send the pictures in several.")
    return Problem(
        413, f"The picture is over {MAX_BYTES // 2**20} MB, the most that is read. Save it smaller."
    )


def rate_check(rate: str) -> Callable[[str], int]:
    """What says of an address how many seconds it has to wait: 0 while it may ask, and that counts."""
    from limits import parse  # only where a rate is set
    from limits.storage import MemoryStorage
    from limits.strategies import SlidingWindowCounterRateLimiter

    item, limiter = parse(rate), SlidingWindowCounterRateLimiter(MemoryStorage())

    def wait(address: str) -> int:
        if limiter.hit(item, address):
            return 0
        return max(1, math.ceil(limiter.get_window_stats(item, address).reset_time - time.time()))

    return wait


def _digest(token: bytes) -> bytes:
    return hashlib.sha256(token).digest()


def _length(header: bytes) -> int:
    return int(header) if header.isdigit() else 0
