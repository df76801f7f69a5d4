"""The files of a data set by their names, in a folder here or in an archive (`core.archive`)."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol, runtime_checkable

from core.errors import DatasetError


@runtime_checkable
class Files(Protocol):
    """A folder or an archive.

    Attributes:
        where: its path, for messages.
        names: paths relative to it, with `/`, sorted; without hidden files and folders.
        skipped: files that will not be looked into, with the reason.
        most_pictures: how many may be prepared.
        most_bytes: that a file may unpack to; None for any number.
        most_pixels: that all pictures may have together; None for any number.
        wraps: whether all of it may lie in one more folder, as in an archive of a folder.
    """

    where: str
    names: list[str]
    skipped: tuple[str, ...]
    most_pictures: int
    most_bytes: int | None
    most_pixels: int | None
    wraps: bool

    def read(self, name: str, *, most: int | None = None) -> bytes:
        """A file's content. Raises DatasetError where it can't be read or is over a limit.

        Args:
            name: of the file.
            most: bytes that it may have, where others than its owner send it.
        """

    def head(self, name: str, most: int) -> bytes:
        """A file's first bytes, at most so many; raises as `read`."""

    def picture(self, name: str) -> bytes | Path:
        """What `core.preprocess.prepare` takes. Raises UnusableFile where this one can't be read."""


class Folder:
    """A folder of this machine: its owner's, so nothing limits it."""

    most_pictures = 2**60
    most_bytes: int | None = None
    most_pixels: int | None = None
    wraps = False

    def __init__(self, path: Path):
        self.path = path
        self.where = str(path)
        self.names = sorted(_below(path))
        self.skipped: tuple[str, ...] = ()

    def read(self, name: str, *, most: int | None = None) -> bytes:
        """A file's content, however large.

        Raises:
            DatasetError: it is missing or can't be read.
        """
        return self._read(name, -1)

    def head(self, name: str, most: int) -> bytes:
        """A file's first bytes; raises as `read`."""
        return self._read(name, most)

    def _read(self, name: str, most: int) -> bytes:
        try:
            with (self.path / name).open("rb") as file:
                return file.read(most)
        except FileNotFoundError:
            raise DatasetError(f"{self.path / name}: no such file. Check the path.") from None
        except OSError as error:
            raise DatasetError(f"{self.path / name}: can't be read ({error.strerror}). Check it.") from error

    def picture(self, name: str) -> Path:
        """The picture's path."""
        return self.path / name


def _below(path: Path) -> Iterator[str]:
    """The visible files, also behind links to folders, but no folder twice."""
    seen = set()
    for folder, subfolders, files in os.walk(path, followlinks=True):
        within = Path(folder).relative_to(path)
        seen.add(os.path.realpath(folder))
        subfolders[:] = [
            name
            for name in sorted(subfolders)
            if not is_hidden(name) and os.path.realpath(os.path.join(folder, name)) not in seen
        ]
        for name in files:
            if not is_hidden(name) and os.path.isfile(os.path.join(folder, name)):
                yield (within / name).as_posix()


def is_hidden(name: str) -> bool:
    """What the system keeps for itself: dot files, and what macOS adds to its archives."""
    return any(part.startswith(".") or part == "__MACOSX" for part in name.split("/"))


def legible(name: str) -> str:
    """A file's name as text that can be shown and stored, also where it is not UTF-8."""
    return name.encode("utf-8", "backslashreplace").decode()
