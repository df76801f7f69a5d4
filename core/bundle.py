"""Files that were sent one by one, such as a folder's: read in memory, within an archive's limits."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from core.archive import MB, Limits, over, unsafe_name
from core.errors import DatasetError
from core.files import is_hidden, legible


@runtime_checkable
class Upload(Protocol):
    """A file opened for reading bytes."""

    def read(self, size: int, /) -> bytes: ...


@runtime_checkable
class NamedUpload(Protocol):
    """One that knows its name, with the folders it lay in, and can be read again."""

    name: str

    def read(self, size: int, /) -> bytes: ...

    def seek(self, offset: int, whence: int = 0, /) -> int: ...


class Bundle:
    """Several files as one data set (`core.files.Files`); nothing is ever written to disk.

    Args:
        uploads: the files.
        where: what to call them together in messages.
        limits: what they may be together; those of an archive.

    Raises:
        DatasetError: too many, too large together, or with a name that points elsewhere.
    """

    wraps = True

    def __init__(self, uploads: Sequence[NamedUpload], *, where: str, limits: Limits | None = None):
        limits = limits or Limits()
        self.where = where
        self.most_pictures = limits.pictures
        self.most_bytes: int | None = limits.entry
        self.most_pixels: int | None = limits.pixels
        if len(uploads) > limits.entries:
            raise DatasetError(
                f"{where}: {len(uploads):,} files; at most {limits.entries:,} are read. Split them, or give "
                "the folder to `python -m core evaluate --data`."
            )
        if sum(_size(upload) for upload in uploads) > limits.archive:
            raise DatasetError(
                f"{where}: over {limits.archive // MB} MB together, the most that is read. Split them, or "
                "give the folder to `python -m core evaluate --data`."
            )
        self._uploads: dict[str, NamedUpload] = {}
        skipped = []
        for upload in uploads:
            name = legible(upload.name.removeprefix("./"))
            if problem := unsafe_name(name):
                raise DatasetError(
                    f"{where}: refused, as {name[:80]!r} {problem}. Send files with plain names."
                )
            if is_hidden(name):
                continue
            if name.lower().endswith(".zip"):
                skipped.append(
                    f"{where}/{name}: an archive among other files; it is not opened. Remove the other "
                    "files, or send it alone."
                )
                continue
            if name in self._uploads:
                skipped.append(f"{where}/{name}: sent twice; the last one counts.")
            self._uploads[name] = upload
        self.names = sorted(self._uploads)
        self.skipped: tuple[str, ...] = tuple(skipped)

    def read(self, name: str, *, most: int | None = None) -> bytes:
        """A file's content.

        Raises:
            DatasetError: there is no such file, or it is over the limit.
        """
        content = self.head(name, -1 if most is None else most + 1)
        if most is not None and len(content) > most:
            raise over(f"{self.where}/{name}", most)
        return content

    def head(self, name: str, most: int) -> bytes:
        """A file's first bytes, at most so many; raises as `read`."""
        if name not in self._uploads:
            raise DatasetError(f"{self.where}/{name}: no such file. Send it together with the others.")
        upload = self._uploads[name]
        upload.seek(0)
        return upload.read(most)

    def picture(self, name: str) -> bytes | Path:
        """A picture's bytes."""
        return self.read(name)


def _size(upload: NamedUpload) -> int:
    return upload.seek(0, 2)
