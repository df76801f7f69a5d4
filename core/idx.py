"""IDX, the file format of MNIST (LeCun, Cortes, Burges): a magic number, the shape, the bytes."""

import gzip
import io
import math
import zlib
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from core.errors import DatasetError


def read_idx(path: Path) -> UInt8[np.ndarray, "..."]:
    """Reads an IDX file of unsigned bytes, gzipped (`.gz`) or not.

    Raises:
        DatasetError: the file is missing, truncated or not IDX.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise DatasetError(f"{path}: no such file. Check the path.") from None
    except OSError as error:
        raise DatasetError(f"{path}: can't be read ({error}). Fetch the file again.") from error
    return parse_idx(content, name=str(path))


def parse_idx(content: bytes, *, name: str, most: int | None = None) -> UInt8[np.ndarray, "..."]:
    """The array in an IDX file's bytes, gzipped or not.

    Args:
        content: of the whole file.
        name: what to call the file in an error.
        most: bytes that it may unpack to.

    Raises:
        DatasetError: truncated, over the limit, or not IDX.
    """
    content = _unpacked(content, name, most)
    if len(content) < 4 or content[:3] != b"\x00\x00\x08" or not 1 <= content[3] <= 3:
        raise DatasetError(
            f"{name}: not an IDX file of unsigned bytes (it starts with {content[:4].hex(' ') or 'nothing'}, "
            "expected 00 00 08 and the number of dimensions). Give an IDX file like MNIST's."
        )
    header = 4 + 4 * content[3]
    if len(content) < header:
        raise DatasetError(f"{name}: damaged: it ends within its header. Fetch the file again.")
    shape = tuple(int(n) for n in np.frombuffer(content[4:header], dtype=">u4"))
    if len(content) - header != math.prod(shape):
        raise DatasetError(
            f"{name}: damaged: its header promises {'×'.join(map(str, shape))} bytes, "
            f"{len(content) - header} follow. Fetch the file again."
        )
    return np.frombuffer(content, dtype=np.uint8, offset=header).reshape(shape)


def _unpacked(content: bytes, name: str, most: int | None) -> bytes:
    if content[:2] != b"\x1f\x8b":
        return content
    try:
        with gzip.open(io.BytesIO(content)) as file:
            head = file.read(16)
            wanted = _promised(head) if most is None else min(_promised(head), most)
            unpacked = head + file.read(wanted + 1)  # what is too long shows, and costs no memory
    except (OSError, EOFError, zlib.error) as error:
        raise DatasetError(f"{name}: can't be read ({error}). Fetch the file again.") from error
    if most is not None and len(unpacked) > most:
        raise DatasetError(f"{name}: unpacks to over {most // 2**20} MB, the most that is read. Split it.")
    return unpacked


def _promised(head: bytes) -> int:
    """The bytes that follow the first ones of an IDX file by its own header, at most; 0 if it is none."""
    dimensions = head[3] if len(head) > 3 and head[:3] == b"\x00\x00\x08" else 0
    if not 1 <= dimensions <= 3 or len(head) < 4 + 4 * dimensions:
        return 0
    return math.prod(int(n) for n in np.frombuffer(head[4 : 4 + 4 * dimensions], dtype=">u4"))
