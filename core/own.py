"""The visitors' own data sets, prepared once and kept under names like `own/mine-1f3a…`."""

import json
import logging
import os
import re
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from core.errors import DatasetError
from core.labelled import LabelledDigits
from core.paths import data_folder

log = logging.getLogger(__name__)

PREFIX = "own/"
UPLOADED = ", uploaded"  # ends the source of a data set that a visitor sent
MOST_DIGITS = 50_000  # in one set: 40 MB
MOST_SETS = 50
NAME = re.compile(r"own/([a-z0-9]+(?:-[a-z0-9]+)*-([0-9a-f]{12}))")
ABANDONED = 3600  # s after which a file that was never finished is swept away


def own_folder() -> Path:
    """Where they lie."""
    return data_folder() / "own"


def own_datasets() -> list[str]:
    """The kept data sets' names, in alphabetical order."""
    names = (f"{PREFIX}{path.stem}" for path in own_folder().glob("*.npz"))
    return sorted(name for name in names if NAME.fullmatch(name))


def store(data: LabelledDigits, name: str) -> str:
    """Keeps a data set, whole or not at all; the same digits under the same name are kept once.

    Args:
        data: as it was loaded.
        name: of the file that it came from.

    Returns:
        The name for `core.datasets.load_dataset`.

    Raises:
        DatasetError: too many digits or data sets, or the folder can't be written.
    """
    if len(data) > MOST_DIGITS:
        raise DatasetError(
            f"{name}: {len(data):,} digits; at most {MOST_DIGITS:,} are kept. Split it, or measure it with "
            "`python -m core evaluate --data`."
        )
    slug = re.sub(r"[^a-z0-9]+", "-", Path(name).stem.lower())[:40].strip("-") or "digits"
    own = f"{PREFIX}{slug}-{data.digest[:12]}"
    known = own_datasets()
    if own not in known and len(known) >= MOST_SETS:
        raise DatasetError(f"{name}: {MOST_SETS} data sets are kept already. Forget one of them first.")
    about = {"source": data.source, "names": data.names, "skipped": data.skipped}
    text = np.frombuffer(json.dumps(about).encode(), dtype=np.uint8)
    with _writing(_path(own)) as beside, beside.open("wb") as file:
        np.savez(file, images=data.images, labels=data.labels, about=text)
        file.flush()
        os.fsync(file.fileno())
    return own


def stored(name: str) -> LabelledDigits:
    """A kept data set.

    Raises:
        DatasetError: it is not there any more, or damaged.
    """
    digest = _digest(name)
    try:
        with np.load(_path(name), allow_pickle=False) as content:
            about = json.loads(content["about"].tobytes())
            arrays = content["images"], content["labels"]
        data = LabelledDigits(
            name, *arrays, about["source"], skipped=tuple(about["skipped"]), names=tuple(about["names"])
        )
        whole = data.digest.startswith(digest)
    except FileNotFoundError:
        known = ", ".join(own_datasets()[:5]) or "none"
        raise DatasetError(f"No data set {name!r}: kept are {known}. Upload it again.") from None
    except Exception as error:  # NumPy's reader raises nearly anything on a damaged file
        raise _damaged(name) from error
    if not whole:
        raise _damaged(name)
    return data


def title(name: str) -> str:
    """What people know a kept data set by: the name of the file that it came from.

    Raises:
        DatasetError: it is not there any more, or damaged.
    """
    _digest(name)
    try:
        with np.load(_path(name), allow_pickle=False) as content:
            return str(json.loads(content["about"].tobytes())["source"]).removesuffix(UPLOADED)
    except Exception as error:  # NumPy's reader raises nearly anything on a damaged file
        raise _damaged(name) from error


def forget(name: str) -> None:
    """Deletes a kept data set; one that is gone already stays gone.

    Raises:
        DatasetError: no name of a kept data set, or the folder can't be written.
    """
    _digest(name)
    with _named(own_folder()):
        _path(name).unlink(missing_ok=True)


def _digest(name: str) -> str:
    """The first digits of its SHA-256, which its name tells; other names never become paths."""
    if not (found := NAME.fullmatch(name)):
        raise DatasetError(f"{name!r} is no kept data set's name. Choose one of those that are kept.")
    return found[2]


def _path(name: str) -> Path:
    return own_folder() / f"{name.removeprefix(PREFIX)}.npz"


def _damaged(name: str) -> DatasetError:
    return DatasetError(f"{_path(name)}: damaged. Delete it and upload the data set again.")


@contextmanager
def _writing(path: Path) -> Iterator[Path]:
    """A file beside, under a name of its own, that takes its place once it is whole."""
    beside = path.with_name(f".{path.stem}.{uuid.uuid4().hex}.new")
    with _named(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(path.parent)
        try:
            yield beside
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)


def _sweep(folder: Path) -> None:
    for left in folder.glob(".*.new"):
        with suppress(OSError):  # another process may have finished or swept it
            if time.time() - left.stat().st_mtime > ABANDONED:
                left.unlink()


@contextmanager
def _named(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        log.error("%s can't be written: %s", folder, error)
        raise DatasetError(
            f"{folder} can't be written ({error.strerror}). Free some space, or name another data folder in "
            "DIGITSCOPE_DATA."
        ) from error
