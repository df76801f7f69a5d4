"""A checkpoint's files: plain ones within their limits, whatever lies under their names."""

import errno
import os
import stat
from pathlib import Path

from core.errors import CheckpointError

MB = 2**20
TEXT, ARRAYS = 8 * MB, 64 * MB  # the most that is read of a card or a study, and of weights or a graph

MOST_HEADER = 65_536  # bytes of a safetensors header; the shipped ones have 3,000


def read_plain(path: Path, *, most: int = ARRAYS) -> bytes:
    """A file's content, of which never more is read than is allowed.

    A link is not followed: it may lead anywhere, and to files that never end.

    Args:
        path: of the file.
        most: bytes that it may have.

    Raises:
        FileNotFoundError: there is none.
        CheckpointError: a link, a device or a folder, over the limit, or not readable.
    """
    careful = os.O_NONBLOCK | os.O_NOFOLLOW  # opening a pipe that nobody writes to would wait for ever
    try:
        with open(path, "rb", opener=lambda file, flags: os.open(file, flags | careful)) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise CheckpointError(f"{path} is no plain file. Restore the checkpoint.")
            content = file.read(most + 1)
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise CheckpointError(
                f"{path} is a link, which is not followed. Copy the file itself."
            ) from error
        raise CheckpointError(f"{path} can't be read ({error.strerror}). Check who owns it.") from error
    if len(content) > most:
        raise CheckpointError(
            f"{path} has over {most // MB} MB, the most that is read of it. Restore the checkpoint."
        )
    return content


def check_header(content: bytes, where: str) -> None:
    """Whether the header of a safetensors file is as short as those of the networks here.

    Raises:
        CheckpointError: it is not: its reader would make an object of each of millions of tensors.
    """
    length = int.from_bytes(content[:8], "little")
    if length > MOST_HEADER:
        raise CheckpointError(
            f"{where} holds no tensors of a network here (a header of {length:,} bytes; at most "
            f"{MOST_HEADER:,} are read). Restore the checkpoint."
        )
