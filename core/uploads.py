"""What a visitor sends: loaded with every check, prepared, and kept under a name."""

import re
from dataclasses import replace
from typing import Protocol, runtime_checkable

from core import own
from core.archive import MB, Limits
from core.datasets import load_archive
from core.errors import DatasetError
from core.files import legible
from core.labelled import Progress


@runtime_checkable
class Upload(Protocol):
    """A file opened for reading bytes."""

    def read(self, size: int, /) -> bytes: ...


def keep(content: bytes | Upload, name: str, *, progress: Progress | None = None) -> str:
    """Prepares an uploaded data set once, and keeps the result in the data folder.

    Args:
        content: a zip of class subfolders, of pictures and a CSV of labels, or of IDX or NPZ files;
            or an NPZ file with `images` and `labels`. At most `Limits().archive` bytes.
        name: of the file, as the visitor's browser gives it.
        progress: called with (done, total) while pictures are prepared, in the caller's thread.

    Returns:
        The name for `core.datasets.load_dataset`, `own/<slug>-<digest>`; what was left out stands
        in its `skipped`. Uploading the same file again gives the same name.

    Raises:
        DatasetError: of another form, hostile, damaged, over a limit, or without a usable digit.
    """
    base = legible(name.replace("\\", "/").rsplit("/", 1)[-1])
    name = re.sub(r"[\x00-\x1f\x7f]", "", base)[-120:] or "upload"
    most = Limits().archive
    whole = content if isinstance(content, bytes) else content.read(most + 1)
    if len(whole) > most:
        raise DatasetError(
            f"{name}: over {most // MB} MB, the most that is read. Split it, or unpack it and give the "
            "folder to `python -m core evaluate --data`."
        )
    if not name.lower().endswith((".zip", ".npz")):
        raise DatasetError(
            f"{name}: neither a zip nor an NPZ file. Pack the pictures with their class subfolders or their "
            "CSV of labels, or both IDX files, into one zip."
        )
    data = load_archive(whole, name, progress=progress)
    return own.store(replace(data, source=name + own.UPLOADED), name)
