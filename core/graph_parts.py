"""What an ONNX graph would make ONNX Runtime do, seen before it is given to it.

A graph may name files to be read as its numbers, call operations of any library, and make gigabytes of a
few bytes while it is only being opened. None of that is in the graphs that `core.checkpoint` writes.
"""

import math
from collections.abc import Iterator

OPERATIONS = {  # of our graphs, and what exporters of other versions write such networks with
    b"Add",
    b"AveragePool",
    b"BatchNormalization",
    b"Conv",
    b"Flatten",
    b"Gemm",
    b"GlobalAveragePool",
    b"Identity",
    b"MatMul",
    b"MaxPool",
    b"ReduceMean",
    b"Relu",
    b"Reshape",
    b"Slice",
    b"Transpose",
}
MOST_NODES = 64  # the shipped network has 25
MOST_NUMBER = 32  # of an operation's settings: sides, steps and margins, px
MOST_FIELDS = 10_000  # of one message
MOST_BESIDE = 2**20  # bytes of all but the numbers: a parser makes many times as many of them
DIMENSIONS = 8
# Fields by their numbers in onnx.proto3.
GRAPH, FUNCTIONS = 7, 25
NODE, INITIALIZER, SPARSE = 1, 5, 15
OP_TYPE, ATTRIBUTE, DOMAIN = 4, 5, 7
WHOLE, WHOLES, HARMLESS = 3, 8, {1, 2, 3, 4, 8, 13, 20}  # of an attribute: numbers and texts, no graph
DIMS, RAW, PLAIN = 1, 9, {1, 2, 8, 9, 12}  # of a tensor: no text, and no file that it lies in

Field = tuple[int, int | memoryview]


def problem(graph: bytes) -> str | None:
    """Why a graph is not opened, in words; None if it may be."""
    try:
        return _of_model(memoryview(graph))
    except ValueError as error:
        return f"is no ONNX graph ({error})"


def _of_model(content: memoryview) -> str | None:
    beside = len(content)
    nodes = 0
    for number, value in _fields(content):
        if number == FUNCTIONS:
            return "has functions of its own"
        if number != GRAPH:
            continue
        for part, inner in _fields(_bytes(value)):
            found = None
            if part == NODE:
                nodes += 1
                found = f"has over {MOST_NODES} operations" if nodes > MOST_NODES else _of_node(_bytes(inner))
            elif part == INITIALIZER:
                found, numbers = _of_tensor(_bytes(inner))
                beside -= numbers
            elif part == SPARSE:
                found = "has sparse numbers"
            if found:
                return found
    return f"has over {MOST_BESIDE // 2**20} MB beside its numbers" if beside > MOST_BESIDE else None


def _of_node(content: memoryview) -> str | None:
    for number, value in _fields(content):
        if number == OP_TYPE and bytes(_bytes(value)) not in OPERATIONS:
            return f"calls {bytes(_bytes(value))[:40].decode(errors='replace')!r}, which no network here does"
        if number == DOMAIN and len(_bytes(value)):
            return f"calls the library {bytes(_bytes(value))[:40].decode(errors='replace')!r}"
        if number != ATTRIBUTE:
            continue
        for part, inner in _fields(_bytes(value)):
            if part not in HARMLESS:
                return "has a graph or numbers within an operation"
            if part in (WHOLE, WHOLES) and max(_numbers(inner), default=0) > MOST_NUMBER:
                return f"has an operation with a setting over {MOST_NUMBER} or below 0"
    return None


def _of_tensor(content: memoryview) -> tuple[str | None, int]:
    """What is wrong with numbers of the graph, and the bytes that they take."""
    dims: list[int] = []
    raw = 0
    for number, value in _fields(content):
        if number not in PLAIN:
            return "has numbers that lie in another file, or are no plain bytes", 0
        if number == DIMS:
            dims += _numbers(value)
        if number == RAW:
            raw += len(_bytes(value))
    if len(dims) > DIMENSIONS or math.prod(dims) > raw:
        return f"promises {'×'.join(map(str, dims[:DIMENSIONS]))} numbers and holds {raw:,} bytes", 0
    return None, raw


def _fields(content: memoryview) -> Iterator[Field]:
    """The fields of a Protocol Buffers message: numbers, and what is in them.

    Raises:
        ValueError: it is none.
    """
    place = count = 0
    while place < len(content):
        key, place = _number(content, place)
        count += 1
        if count > MOST_FIELDS:
            raise ValueError(f"over {MOST_FIELDS:,} fields")
        kind = key & 7
        if kind == 0:
            value: int | memoryview
            value, place = _number(content, place)
        else:
            if kind == 2:
                length, place = _number(content, place)
            elif kind in (1, 5):
                length = 8 if kind == 1 else 4
            else:
                raise ValueError(f"a field of kind {kind}")
            if place + length > len(content):
                raise ValueError("it ends within a field")
            value = content[place : place + length]
            place += length
        yield key >> 3, value


def _number(content: memoryview, place: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(content):
            raise ValueError("it ends within a number")
        byte = content[place]
        place += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, place
    raise ValueError("a number without an end")


def _numbers(value: int | memoryview) -> list[int]:
    """One number, or several packed; one below 0 counts as huge."""
    if isinstance(value, int):
        return [value]
    found, place = [], 0
    while place < len(value):
        one, place = _number(value, place)
        found.append(one)
        if len(found) > MOST_BESIDE:
            raise ValueError("too many numbers")
    return found


def _bytes(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise ValueError("a number in the place of a message")
    return value
