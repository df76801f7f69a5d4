"""The API's OpenAPI document: its forms, parameters and problems."""

from typing import Annotated, Any

from fastapi import FastAPI, Query
from fastapi.openapi.utils import get_openapi

from core.api_problem import MEDIA_TYPE
from core.api_schema import ProblemDocument

PROBLEMS = {
    400: "The form or the request is damaged.",
    401: "The token is missing or wrong.",
    408: "The body took too long to arrive.",
    413: "Too many bytes, pixels or pictures.",
    415: "No form, or no picture of a known format.",
    422: "A field, a parameter or a picture that can't be used; no ink, for one.",
    429: "Too many requests; `Retry-After` says when to come back.",
    500: "A bug. It has been logged.",
    503: "Overloaded, or the model can't be used.",
}
UPLOAD = (400, 401, 408, 413, 415, 422, 429, 500, 503)
LOOK = (401, 422, 429, 500, 503)

ModelName = Annotated[
    str | None, Query(alias="model", description="A checkpoint's name, as `GET /api/model` lists them.")
]


def problems(statuses: tuple[int, ...]) -> dict[int | str, dict[str, Any]]:
    """The problems of a route."""
    schema = {"$ref": "#/components/schemas/ProblemDocument"}
    return {
        status: {"description": PROBLEMS[status], "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in statuses
    }


def form(*, many: bool) -> dict[str, Any]:
    """The form that a route reads: one `file`, or several."""
    file = {"type": "string", "format": "binary", "description": "PNG, JPEG, WebP, BMP, GIF or TIFF"}
    field = {"type": "array", "items": file, "minItems": 1} if many else file
    schema = {"type": "object", "required": ["file"], "properties": {"file": field}}
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}


def describe(api: FastAPI, *, token: bool) -> None:
    """Makes the document once, with the problems' schema and, where a token is wanted, how it is sent."""
    document = get_openapi(
        title=api.title,
        version=api.version,
        summary=api.summary,
        description=api.description,
        routes=api.routes,
    )
    components = document.setdefault("components", {})
    components.setdefault("schemas", {})["ProblemDocument"] = ProblemDocument.model_json_schema()
    if token:
        components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        document["security"] = [{"token": []}]
        document["paths"]["/healthz"]["get"]["security"] = []
    # FastAPI makes its own anew whenever its routes have changed, as by the page of this document.
    api.openapi = lambda: document  # type: ignore[method-assign]
