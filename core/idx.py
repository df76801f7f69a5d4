"""IDX, the file format of MNIST (LeCun, Cortes, Burges): a magic number, the shape, the bytes."""

import gzip
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
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
    except FileNotFoundError:
        raise DatasetError(f"{path}: no such file. Check the path.") from None
    except (OSError, EOFError, zlib.error) as error:
        raise DatasetError(f"{path}: can't be read ({error}). Fetch the file again.") from error
    if len(content) < 4 or content[:3] != b"\x00\x00\x08" or not 1 <= content[3] <= 3:
        raise DatasetError(
            f"{path}: not an IDX file of unsigned bytes (it starts with {content[:4].hex(' ') or 'nothing'}, "
            "expected 00 00 08 and the number of dimensions). Give an IDX file like MNIST's."
        )
    header = 4 + 4 * content[3]
    if len(content) < header:
        raise DatasetError(f"{path}: damaged: it ends within its header. Fetch the file again.")
    shape = tuple(int(n) for n in np.frombuffer(content[4:header], dtype=">u4"))
    if len(content) - header != math.prod(shape):
        raise DatasetError(
            f"{path}: damaged: its header promises {'×'.join(map(str, shape))} bytes, "
            f"{len(content) - header} follow. Fetch the file again."
        )
    return np.frombuffer(content, dtype=np.uint8, offset=header).reshape(shape)
