"""A route of the API that refuses parameters it does not have."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from core.api_paths import PROBES
from core.api_problem import Problem


class StrictRoute(APIRoute):
    """A parameter that nobody reads is a slip of the pen: without a word, its default would answer."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's hook: what answers a request."""
        answer = super().get_route_handler()
        known = [parameter.alias for parameter in self.dependant.query_params]

        async def strict(request: Request) -> Response:
            if request.scope["query_string"] and self.path not in PROBES:
                for name in request.query_params:
                    if name not in known:
                        raise Problem(422, _unknown(name, self.path, known))
            return await answer(request)

        return strict


def _unknown(name: str, path: str, known: list[str]) -> str:
    takes = ", ".join(f"`{each}`" for each in known) or "none"
    return f"{name[:40]!r} is no parameter of {path}; it takes {takes}."
