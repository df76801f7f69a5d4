"""The pictures of a request's form."""

import asyncio
import re

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from core.api_problem import Problem
from core.picture import MAX_BYTES
from core.reading import MOST

FIELD = "file"
LONGEST = 100  # characters of a name


async def one_picture(request: Request, *, seconds: float) -> tuple[str, bytes]:
    """The name and the content of the only picture in a form.

    Args:
        request: with a form that has one `file`.
        seconds: how long its body may take to arrive.

    Raises:
        Problem: no form, no picture in it, or several.
    """
    found = await pictures(request, seconds=seconds, most=1)
    return found[0]


async def pictures(request: Request, *, seconds: float, most: int = MOST) -> list[tuple[str, bytes]]:
    """The names and the contents of all pictures in a form, in their order.

    Args:
        request: with a form that has one `file` or more.
        seconds: how long its body may take to arrive.
        most: of them.

    Raises:
        Problem: no form, no picture in it, or too many.
    """
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise Problem(415, f"Send a form (multipart/form-data) with the picture in its field `{FIELD}`.")
    try:
        async with asyncio.timeout(seconds), request.form(max_files=most + 1, max_fields=10) as form:
            return [await _content(file) for file in _files(form, most)]
    except TimeoutError:
        raise Problem(408, f"The request took more than {seconds} s to arrive.") from None
    except HTTPException as error:
        if error.status_code != 400:
            raise
        if error.detail.startswith("Too many files"):
            raise _too_many(most) from error
        raise Problem(400, f"The form can't be read: {error.detail}") from error


def _files(form: FormData, most: int) -> list[UploadFile | str]:
    found = form.getlist(FIELD)
    if not found:
        raise Problem(422, f"The form has no field `{FIELD}`. Send the picture in it.")
    if others := [name for name in form if name != FIELD]:
        raise Problem(
            422,
            f"The form has a field {others[0][:40]!r}, which nobody reads. Its only field is `{FIELD}`; "
            "parameters stand in the address, after a question mark.",
        )
    if len(found) > most:
        raise _too_many(most)
    return found


def _too_many(most: int) -> Problem:
    where = (
        "one picture: send several to /api/predict"
        if most == 1
        else f"{most} pictures. Send the rest in another"
    )
    return Problem(413, f"The form has more than {where}.")


async def _content(file: UploadFile | str) -> tuple[str, bytes]:
    if isinstance(file, str):
        raise Problem(422, f"The field `{FIELD}` is text. Send it as a file, with a file name.")
    return name_of(file.filename or ""), await file.read(MAX_BYTES + 1)


def name_of(sent: str) -> str:
    """A sent file's name as it is shown: no folders, nothing that can't be printed, not too long."""
    name = re.split(r"[/\\]", sent)[-1]
    return "".join(sign if sign.isprintable() else "?" for sign in name)[:LONGEST] or "picture"
