"""Headers as ASGI has them, added to answers that lack them."""

from collections.abc import Mapping

from starlette.types import Message

Raw = list[tuple[bytes, bytes]]


def raw(headers: Mapping[str, str]) -> Raw:
    """Headers by name, ready to be sent."""
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]


def add_missing(start: Message, headers: Raw) -> None:
    """Adds to an answer's start each header that it does not have yet."""
    present = {name.lower() for name, _ in start["headers"]}
    start["headers"] = [*start["headers"], *(each for each in headers if each[0] not in present)]
