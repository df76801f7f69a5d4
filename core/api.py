"""The HTTP API: `create_api` makes the app that answers beside the dashboard, or alone."""

import asyncio
import json
import logging
from enum import Enum
from importlib.metadata import version
from typing import Annotated, Any, Literal

from fastapi import APIRouter, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from core import api_schema
from core.answer import shares_of
from core.api_desk import Desk
from core.api_docs import add_docs
from core.api_form import one_picture, pictures
from core.api_guard import Cors, Guard, too_large
from core.api_openapi import LOOK, UPLOAD, ModelName, describe, form, problems
from core.api_paths import DOCS, EXPLAIN, HEALTH, MANY, METRICS, MODEL, OPENAPI, PREDICT
from core.api_problem import Problem, problem_of
from core.api_route import StrictRoute
from core.api_settings import Settings
from core.cores import one_thread_each
from core.errors import CheckpointError, DigitscopeError
from core.methods import METHODS

log = logging.getLogger(__name__)

HEALTH_SECONDS = 10
ABOUT = """Names the digit in a picture, says whether to believe the answer, and shows where the model looked.

Any picture of one digit will do: it is brought into MNIST's convention, as the dashboard does. Errors are
problem documents (RFC 9457)."""

Method = Annotated[
    str | None,
    Query(json_schema_extra={"enum": [*METHODS]}, description="By default Grad-CAM, or what fits the model."),
]
Digit = Annotated[
    int | None, Query(ge=0, le=9, description="The digit to find evidence for; the predicted one.")
]
Rival = Annotated[int | None, Query(ge=0, le=9, description="The digit to hold it against; none by default.")]
Layer = Annotated[str | None, Query(description="`block1` to `block4`, for Grad-CAM, guided or not.")]
Format = Annotated[
    Literal["png", "json"] | None,
    Query(description="By default what `Accept` asks for; PNG if anything will do."),
]

router = APIRouter(route_class=StrictRoute)
PICTURES: list[str | Enum] = ["Pictures"]
SERVICE: list[str | Enum] = ["Service"]


def create_api(settings: Settings | None = None) -> FastAPI:
    """The API as an ASGI app.

    Args:
        settings: by default those of an empty environment.
    """
    settings = settings or Settings()
    one_thread_each()
    api = FastAPI(
        docs_url=None,  # FastAPI's own loads its scripts from elsewhere
        redoc_url=None,
        openapi_url=OPENAPI,
        title="Digitscope",
        version=version("digitscope"),
        summary="A handwritten-digit classifier that says when not to believe it",
        description=ABOUT,
    )
    api.state.desk = desk = Desk(settings)
    # The routes themselves, not the router: one layer less before every answer.
    api.router.routes.extend(router.routes)
    api.add_middleware(Guard, settings=settings, metrics=desk.metrics)
    if settings.cors:
        api.add_middleware(
            Cors,
            allow_origins=settings.cors,
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type"],
            expose_headers=["Retry-After"],
        )
    for kind in (Problem, DigitscopeError, HTTPException, RequestValidationError):
        api.add_exception_handler(kind, _as_problem)
    describe(api, token=bool(settings.secret))
    add_docs(api)
    return api


@router.post(
    PREDICT,
    tags=PICTURES,
    summary="Name the digit in a picture",
    response_model=api_schema.Predicted,
    responses=problems(UPLOAD),
    openapi_extra=form(many=False),
)
async def predict(request: Request, model: ModelName = None) -> Response:
    """Reads one picture. Unknown fields of the answer may come later; these stay."""
    desk = _desk(request)
    file = await one_picture(request, seconds=desk.settings.upload_seconds)
    found = await desk.predict(file, model)
    return _json(
        {
            "prediction": found.digit,
            "confidence": found.confidence,
            "probabilities": shares_of(found),
            "verdict": found.verdict.kind if found.verdict else None,
            "unusualness": found.unusualness,
        }
    )


@router.post(
    MANY,
    tags=PICTURES,
    summary="Name the digits in many pictures",
    response_model=api_schema.ManyPredicted,
    responses=problems(UPLOAD),
    openapi_extra=form(many=True),
)
async def predict_many(request: Request, model: ModelName = None) -> Response:
    """Reads up to 200 pictures. One that can't be used gives an `error` in its place."""
    desk = _desk(request)
    files = await pictures(request, seconds=desk.settings.upload_seconds)
    return _json(await desk.run(desk.rows, files, model, slow=True))


@router.post(
    EXPLAIN,
    tags=PICTURES,
    summary="Show where the model looked",
    response_model=api_schema.Explained,
    responses=problems(UPLOAD)
    | {
        200: {
            "description": "A picture, or the map.",
            "content": {"image/png": {"schema": {"type": "string"}}},
        }
    },
    openapi_extra=form(many=False),
)
async def explain(
    request: Request,
    model: ModelName = None,
    method: Method = None,
    target: Digit = None,
    against: Rival = None,
    layer: Layer = None,
    format: Format = None,
) -> Response:
    """Explains the answer to one picture: 280 × 280 px with the map over the digit, or the numbers."""
    from core.api_explain import Question, explained  # torch: seconds, only for who wants this

    desk = _desk(request)
    file = await one_picture(request, seconds=desk.settings.upload_seconds)
    asked = Question(model, method, target, against, layer)
    as_json = format == "json" or (format is None and _prefers_json(request.headers.get("accept", "")))

    def work() -> Response:
        found = explained(desk, file, asked)
        return _json(found.to_json()) if as_json else Response(found.to_png(), media_type="image/png")

    response = await desk.run(work, slow=True)
    response.headers["Vary"] = "Accept"
    return response


@router.get(
    MODEL, tags=SERVICE, summary="The model's card", response_model=api_schema.Model, responses=problems(LOOK)
)
async def card(request: Request, model: ModelName = None) -> Response:
    """What the model is, how it was trained and measured, and what can be asked of it."""
    desk = _desk(request)
    return _json(await desk.run(desk.card, model))


@router.get(
    HEALTH,
    tags=SERVICE,
    summary="Whether the model answers",
    response_model=api_schema.Health,
    responses=problems((503,)),
)
async def health(request: Request) -> Response:
    """Asks the usual model for a prediction, and is ready when it gives one."""
    desk = _desk(request)
    try:
        async with asyncio.timeout(HEALTH_SECONDS):
            name = await desk.run(desk.ready)
    except TimeoutError:
        raise Problem(503, f"The model has not answered within {HEALTH_SECONDS} s.") from None
    except DigitscopeError as error:
        log.error("not ready: %s", error)
        raise Problem(503, "The model can't be used; the server's log says why.") from error
    return _json({"status": "ready", "model": name, "version": request.app.version})


@router.get(
    METRICS,
    tags=SERVICE,
    summary="Figures for Prometheus",
    response_class=Response,
    responses=problems((401, 422, 429, 500, 503)),
)
async def metrics(request: Request) -> Response:
    """Requests by route and status, their times, predictions by verdict, the process."""
    return _desk(request).metrics.response()


# Load balancers ask so; it answers as GET does, without the body, and is no operation of its own.
router.add_route(HEALTH, health, methods=["HEAD"], include_in_schema=False)


def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


def _json(content: Any) -> Response:
    return Response(
        json.dumps(content, ensure_ascii=False, allow_nan=False).encode(), media_type="application/json"
    )


def _prefers_json(accept: str) -> bool:
    """Whether JSON stands in an Accept header, and before any picture."""
    kinds = [part.partition(";")[0].strip().lower() for part in accept.split(",")]
    wanted = [kind for kind in kinds if kind in ("application/json", "image/png", "image/*", "*/*")]
    return wanted[:1] == ["application/json"]


async def _as_problem(request: Request, error: Exception) -> Response:
    """Every error that has words for the one who asked, as a problem document."""
    if isinstance(error, Problem):
        return error.response()
    if isinstance(error, DigitscopeError):
        if isinstance(error, CheckpointError):
            log.error("%s: %s", request.url.path, error)
        return problem_of(error).response()
    if isinstance(error, RequestValidationError):
        wrong = error.errors()[0]
        return Problem(422, f"{wrong['loc'][-1]}={wrong.get('input')!r}: {wrong['msg']}.").response()
    assert isinstance(error, HTTPException)
    if error.status_code == 413:
        return too_large(request.url.path, _desk(request).settings).response()
    allowed = (error.headers or {}).get("Allow", "another method")
    words = {
        404: f"There is nothing at {request.url.path}. See {DOCS}.",
        405: f"{request.url.path} does not answer {request.method}; use {allowed}.",
    }
    return Problem(error.status_code, words.get(error.status_code, error.detail), error.headers).response()
