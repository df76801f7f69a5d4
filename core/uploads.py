"""What a visitor sends: loaded with every check, prepared, and kept under a name."""

import re
from collections.abc import Sequence
from dataclasses import replace

from core import own
from core.archive import MB, Limits
from core.bundle import Bundle, NamedUpload, Upload
from core.datasets import load_archive, load_files
from core.errors import DatasetError
from core.files import legible
from core.labelled import Progress
from core.labelling import DATA


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
    name = _plain(name.replace("\\", "/").rsplit("/", 1)[-1])
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


def keep_files(files: Sequence[NamedUpload], *, progress: Progress | None = None) -> str:
    """The same of a folder's files, or of several files that make a data set together.

    Args:
        files: pictures in class subfolders, pictures and a CSV of labels, or both IDX files; each named
            with the folders it lay in. Together at most `Limits().archive` bytes.
        progress: as for `keep`.

    Returns:
        As `keep`.

    Raises:
        DatasetError: as `keep`.
    """
    if not files:
        raise DatasetError("No file was sent. Choose a folder or files.")
    name = _plain(_common_name([file.name for file in files]))
    data = load_files(Bundle(files, where=name), progress)
    return own.store(replace(data, source=name + own.UPLOADED), name)


def _common_name(names: Sequence[str]) -> str:
    """The folder that all lay in, or the file that speaks for the others."""
    tops = {name.removeprefix("./").partition("/")[0] for name in names}
    if len(tops) == 1 and len(names) > 1:
        return tops.pop()
    first = next((name for name in sorted(names) if DATA.search(name)), min(names)).rsplit("/", 1)[-1]
    return f"{first} and {len(names) - 1} more" if len(names) > 1 else first


def _plain(name: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f]", "", legible(name))[-120:] or "upload"
