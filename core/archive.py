"""Zip archives from anybody: read in memory, within limits, and refused where they are hostile."""

import io
import mmap
import re
import stat
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from core.errors import DatasetError, UnusableFile
from core.files import is_hidden

MB = 2**20
ENTRY = b"PK\x01\x02"  # what each entry of the directory begins with
DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    RuntimeError,  # an encrypted entry; NotImplementedError, a method or version that is not known
)


@dataclass(frozen=True)
class Limits:
    """What an archive may be.

    Attributes:
        archive: bytes of the archive itself.
        entries: files, folders and all else in its directory.
        pictures: to be prepared.
        entry: bytes of one file, unpacked.
        unpacked: bytes of all files that are read, unpacked.
        pixels: of all pictures together, as many as are decoded.
    """

    archive: int = 200 * MB
    entries: int = 50_000  # macOS adds a hidden twin to each picture
    pictures: int = 20_000
    entry: int = 64 * MB  # more digits than are kept (`core.own`)
    unpacked: int = 1024 * MB
    pixels: int = 1_000_000_000  # up to 16 s of work; 200 MB of photographs have fewer


LOCAL = Limits(entry=400 * MB)  # for a zip of this machine's owner
UNLIMITED = Limits(*[2**60] * 6)  # for a file of this machine's owner


class Archive:
    """A zip archive's files (`core.files.Files`); nothing is ever written to disk.

    Args:
        source: a path, or the whole content.
        where: what to call the archive in messages.
        limits: what it may be.
        form: what it is said to be, for messages.

    Raises:
        DatasetError: over a limit, damaged, encrypted, or with a file that would land elsewhere.
    """

    wraps = True

    def __init__(self, source: Path | bytes, *, where: str, limits: Limits | None = None, form: str = "zip"):
        self.where = where
        self.limits = limits or Limits()
        self.most_pictures = self.limits.pictures
        self.most_bytes: int | None = self.limits.entry
        self.most_pixels: int | None = self.limits.pixels
        self._form = form
        self.unpacked = 0
        self._doubles: tuple[str, ...] = ()
        try:
            self._file: io.BufferedIOBase = (
                source.open("rb") if isinstance(source, Path) else io.BytesIO(source)
            )
        except OSError as error:
            raise DatasetError(f"{where}: can't be read ({error.strerror}). Check the path.") from error
        try:
            self._check_size()
            self._zip = self._opened()
            self._entries = self._checked()
        except DatasetError:
            self._file.close()
            raise
        nested = {name for name in self._entries if name.lower().endswith(".zip")}
        self.names = sorted(self._entries.keys() - nested)
        self.skipped: tuple[str, ...] = self._doubles + tuple(
            f"{where}/{name}: an archive within the archive; it is not opened. Unpack it first."
            for name in sorted(nested)
        )

    def __enter__(self) -> "Archive":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()
        self._file.close()

    def read(self, name: str, *, most: int | None = None) -> bytes:
        """A file's content.

        Raises:
            DatasetError: there is no such file, it is damaged or over a limit.
        """
        limit = self.limits.entry if most is None else min(most, self.limits.entry)
        content = self.head(name, limit + 1)
        if len(content) > limit:
            raise over(f"{self.where}/{name}", limit)
        return content

    def head(self, name: str, most: int) -> bytes:
        """A file's first bytes, at most so many, whatever size its entry says it has; raises as `read`."""
        if name not in self._entries:
            raise DatasetError(f"{self.where}/{name}: no such file. Add it to the archive.")
        info = self._entries[name]
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            # zipfile unpacks the others in pieces that nothing limits.
            raise UnusableFile(
                f"{self.where}/{name}: packed by method {info.compress_type}; pack it with Deflate."
            )
        left = self.limits.unpacked - self.unpacked
        try:
            with self._zip.open(info) as file:
                content = file.read(min(most, left + 1))
        except DAMAGE as error:
            raise UnusableFile(f"{self.where}/{name}: damaged ({error}). Pack it again.") from error
        self.unpacked += len(content)
        if self.unpacked > self.limits.unpacked:
            raise self._bomb()
        return content

    def picture(self, name: str) -> bytes:
        """A picture's bytes; of one that is too large only so many that it shows.

        Raises:
            UnusableFile: this file is damaged or over a limit.
            DatasetError: all files together are over their limit.
        """
        from core.picture import MAX_BYTES  # Pillow: not needed for arrays

        return self.read(name, most=MAX_BYTES)

    def _check_size(self) -> None:
        self._file.seek(0, 2)
        size = self._file.tell()
        self._file.seek(0)
        if size > self.limits.archive:
            raise DatasetError(
                f"{self.where}: {size / MB:,.0f} MB; at most {self.limits.archive // MB} MB are read. "
                "Split it, or unpack it and give the folder to `python -m core evaluate --data`."
            )

    def _opened(self) -> zipfile.ZipFile:
        """Counts the entries before any is looked at: a million take gigabytes as Python's objects.

        The number that the directory itself states is not asked, as it may lie.
        """
        if _holds_more(self._file, self.limits.entries):
            raise DatasetError(
                f"{self.where}: over {self.limits.entries:,} entries, the most that is read. Split it, "
                "or unpack it and give the folder to `python -m core evaluate --data`."
            )
        try:
            return zipfile.ZipFile(self._file)
        except DAMAGE as error:
            raise DatasetError(
                f"{self.where}: can't be read as {self._form} ({error}). Save it again."
            ) from error

    def _checked(self) -> dict[str, zipfile.ZipInfo]:
        """The files worth reading by name, none of them hostile."""
        found: dict[str, zipfile.ZipInfo] = {}
        for info in self._zip.infolist():
            if problem := _problem(info):
                raise DatasetError(
                    f"{self.where}: refused, as {info.orig_filename[:80]!r} {problem}. "
                    "Pack the pictures themselves, with plain names and no password."
                )
            if info.is_dir() or is_hidden(info.filename):
                continue
            if info.filename in found:
                self._doubles += (
                    f"{self.where}/{info.filename}: twice in the archive; the last one counts.",
                )
            found[info.filename] = info
        if sum(info.file_size for info in found.values()) > self.limits.unpacked:
            raise self._bomb()
        return found

    def _bomb(self) -> DatasetError:
        return DatasetError(
            f"{self.where}: refused, as it unpacks to over {self.limits.unpacked // MB:,} MB, the most that "
            "is read. Split it, or save the pictures smaller."
        )


def over(shown: str, most: int) -> UnusableFile:
    """What is said of one file that is too large."""
    return UnusableFile(f"{shown}: over {most // MB} MB unpacked, the most that is read. Save it smaller.")


def _problem(info: zipfile.ZipInfo) -> str | None:
    """Why an entry makes the whole archive suspect."""
    kind = stat.S_IFMT(info.external_attr >> 16)
    if problem := unsafe_name(info.orig_filename):  # before zipfile mends it
        return problem
    if kind == stat.S_IFLNK:
        return "is a link"
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is no plain file"
    if info.flag_bits & 0x2041:
        return "is encrypted"
    return None


def unsafe_name(name: str) -> str | None:
    """Why a file's name makes all that it came with suspect; None for a plain one."""
    if not name:
        return "has no name"
    if ".." in re.split(r"[/\\]", name):
        return "points out of the archive"
    if name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name):
        return "is an absolute path"
    if "\\" in name:
        return "has a backslash in its name"
    if re.search(r"[\x00-\x1f\x7f]", name):
        return "has control characters in its name"
    return None


def _holds_more(file: io.BufferedIOBase, most: int) -> bool:
    """Whether an archive has more than `most` entries: an upper bound, from a search of its bytes."""
    content: bytes | mmap.mmap
    try:
        content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError):  # in memory, or empty
        content = file.read()
        file.seek(0)
    place = content.find(ENTRY)
    for _ in range(most):
        if place < 0:
            return False
        place = content.find(ENTRY, place + len(ENTRY))
    return place >= 0
