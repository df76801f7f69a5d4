"""Pickles of NumPy arrays, read by a reader that knows nothing else: no code in the file is ever run."""

import io
import pickle
import pickletools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64

from core.errors import CheckpointError

MOST_BYTES = 16 * 2**20
MOST_PARTS = 1000  # lists, arrays and numbers in it
KINDS = ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "b1")


def read_arrays(path: Path) -> list[Float64[np.ndarray, "..."]]:
    """All arrays and numbers of a pickle, in the order of its lists, tuples and dictionaries.

    Raises:
        CheckpointError: no such file, too large, damaged, or anything but arrays of numbers, numbers
            and texts in it.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise CheckpointError(f"{path}: can't be read ({error.strerror}). Check the path.") from error
    if len(content) > MOST_BYTES:
        raise CheckpointError(f"{path}: over {MOST_BYTES // 2**20} MB, which is no linear model.")
    try:
        return list(_arrays(_read(content)))
    except Exception as error:  # a damaged pickle makes the reader raise nearly anything
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise CheckpointError(
            f"{path} is not a pickle of NumPy arrays alone ({reason}); code in it is never run. "
            "Save the arrays alone: `pickle.dump([weights, bias], file)`."
        ) from error


class _Kind:
    """A dtype in the making: plain numbers, in either byte order."""

    def __init__(self, code: Any, *_: Any):
        self.code, self.order = code, "="

    def __setstate__(self, state: Any) -> None:
        self.order = ">" if state[1] == ">" else "<"

    def dtype(self) -> np.dtype[Any]:
        if self.code not in KINDS:
            raise pickle.UnpicklingError(f"an array of type {str(self.code)[:20]!r}, not of numbers")
        kind: np.dtype[Any] = np.dtype(self.code).newbyteorder(self.order)
        return kind


class _Blank:
    """An array in the making."""

    def __init__(self, array: Any = None, *_: Any):
        self.array = array if isinstance(array, np.ndarray) else None

    def __setstate__(self, state: Any) -> None:
        _, shape, kind, fortran, content = state
        self.array = _array(_bytes(content), _dtype(kind), shape, fortran=bool(fortran))


def _array(content: bytes, kind: np.dtype[Any], shape: Any, *, fortran: bool) -> np.ndarray:
    return np.frombuffer(content, kind).reshape(shape, order="F" if fortran else "C").astype(np.float64)


def _bytes(content: Any) -> bytes:
    if not isinstance(content, (bytes, bytearray)):
        raise pickle.UnpicklingError("an array that is not of plain numbers")
    return bytes(content)


def _dtype(kind: Any) -> np.dtype[Any]:
    if not isinstance(kind, _Kind):
        raise pickle.UnpicklingError("an array that is not of plain numbers")
    return kind.dtype()


def _rebuilt(*_: Any) -> _Blank:
    """In the place of NumPy's `_reconstruct`: an empty array whose state comes with the next opcode."""
    return _Blank()


def _scalar(kind: Any, content: Any) -> _Blank:
    """In the place of NumPy's `scalar`."""
    return _Blank(_array(_bytes(content), _dtype(kind), (-1,), fortran=False))


def _from_buffer(content: Any, kind: Any, shape: Any, order: Any = "C") -> _Blank:
    """In the place of NumPy's `_frombuffer`, which protocol 5 uses."""
    return _Blank(_array(_bytes(content), _dtype(kind), shape, fortran=order == "F"))


def _encoded(text: Any, codec: Any = "latin1") -> bytes:
    """In the place of `_codecs.encode`, by which protocol 2 writes bytes."""
    return str(text).encode("latin1")


class _Name:
    """A name that a pickle asks for: it can be called, and not be changed by the pickle."""

    __slots__ = ("_make",)

    def __init__(self, make: Callable[..., Any]):
        self._make = make

    def __call__(self, *arguments: Any) -> Any:
        return self._make(*arguments)

    def __setstate__(self, state: Any) -> None:
        raise pickle.UnpicklingError("it changes a function")


def _names() -> dict[tuple[str, str], _Name]:
    names: dict[tuple[str, str], Callable[..., Any]] = {
        ("numpy", "ndarray"): _Blank,
        ("numpy", "dtype"): _Kind,
        ("_codecs", "encode"): _encoded,
    }
    for package in ("numpy.core", "numpy._core"):  # before and since NumPy 2
        names |= {
            (f"{package}.multiarray", "_reconstruct"): _rebuilt,
            (f"{package}.multiarray", "scalar"): _scalar,
            (f"{package}.numeric", "_frombuffer"): _from_buffer,
        }
    return {name: _Name(make) for name, make in names.items()}


ALLOWED = _names()


# Python's own reader, not the one in C: that one makes room for whatever a pickle says it will need.
class _Reader(pickle._Unpickler):
    """Never imports anything: the few names that arrays are made of stand for functions of this file."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}"[:120])
        return ALLOWED[module, name]

    def persistent_load(self, pid: Any) -> Any:
        raise pickle.UnpicklingError("it asks for an object from elsewhere")


def _read(content: bytes) -> Any:
    for _ in pickletools.genops(content):  # every length in it is kept, or this raises
        pass
    return _Reader(io.BytesIO(content)).load()


def _arrays(content: Any) -> Iterator[np.ndarray]:
    """Depth first, in order; a pickle can hold itself, so there is an end to it."""
    rest = [content]
    for _ in range(MOST_PARTS):
        if not rest:
            return
        part = rest.pop()
        if isinstance(part, _Blank) and part.array is not None:
            yield part.array
        elif isinstance(part, (int, float)):
            yield np.array([part], dtype=np.float64)
        elif isinstance(part, dict):
            rest += reversed(part.values())
        elif isinstance(part, (list, tuple)):
            rest += reversed(part)
        elif not isinstance(part, str) and part is not None:
            raise pickle.UnpicklingError(f"a {type(part).__name__.strip('_').lower()} in it")
    raise pickle.UnpicklingError(f"over {MOST_PARTS} parts")
