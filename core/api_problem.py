"""What went wrong with a request, as a problem document (RFC 9457)."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

from core.errors import CheckpointError, DigitscopeError, NoPicture, PictureTooLarge
from core.paths import without_folders

MEDIA_TYPE = "application/problem+json"
TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}  # RFC 9110; Python 3.11 has older names


class Problem(Exception):
    """An answer other than the one asked for.

    Args:
        status: of the response.
        detail: what was wrong and what to do, for the one who asked.
        headers: of the response.
    """

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None):
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, dict(headers or {})

    def to_json(self) -> dict[str, Any]:
        """The members of RFC 9457; `type` is left out, which means `about:blank`: the status says it all."""
        title = TITLES.get(self.status) or HTTPStatus(self.status).phrase
        return {"title": title, "status": self.status, "detail": self.detail}

    def response(self) -> Response:
        """The document, as it is sent."""
        content = json.dumps(self.to_json(), ensure_ascii=False).encode()
        return Response(content, self.status, self.headers, MEDIA_TYPE)


def problem_of(error: DigitscopeError) -> Problem:
    """The problem that an error of ours is to the one who asked.

    What is wrong with a checkpoint is the server's business, and its message names folders: it is not told.
    """
    if isinstance(error, CheckpointError):
        return Problem(503, "The model can't be used at the moment; the server's log says why.")
    status = 413 if isinstance(error, PictureTooLarge) else 415 if isinstance(error, NoPicture) else 422
    return Problem(status, without_folders(str(error)))
