"""Where the data and the checkpoints lie."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import CheckpointError

ROOT = Path(__file__).resolve().parent.parent


def data_folder() -> Path:
    """`DIGITSCOPE_DATA`, or `data/` beside the code."""
    return Path(os.environ.get("DIGITSCOPE_DATA") or ROOT / "data")


def checkpoints_folder() -> Path:
    """`DIGITSCOPE_CHECKPOINTS`, or `checkpoints/` beside the code."""
    return Path(os.environ.get("DIGITSCOPE_CHECKPOINTS") or ROOT / "checkpoints")


def checkpoint_names() -> list[str]:
    """The checkpoints at hand, in alphabetical order."""
    for aside in checkpoints_folder().glob(".*.replaced"):
        recover(aside.with_name(aside.name[1 : -len(".replaced")]))
    return sorted(card.parent.name for card in checkpoints_folder().glob("[!.]*/card.json"))


def checkpoint_folder(name: str | os.PathLike[str]) -> Path:
    """A checkpoint's folder from its name (`cnn`) or its path (`checkpoints/cnn`).

    Raises:
        CheckpointError: neither a known name nor a folder with a `card.json`.
    """
    for folder in (checkpoints_folder() / name, Path(name)):
        recover(folder)
        if (folder / "card.json").is_file():
            return folder
    known = ", ".join(checkpoint_names()) or "none"
    raise CheckpointError(
        f"No checkpoint {str(name)!r}: {checkpoints_folder()} holds {known}. "
        "Name one of them, give a checkpoint's folder, or train one with `python train.py cnn`."
    )


def replace_checkpoint(folder: Path, written: Path) -> None:
    """Puts a whole new checkpoint in the place of an older one, also with two processes at it.

    A folder can't be renamed over a full one: the old one steps aside for an instant, and
    `recover` brings it back if the process was killed in that instant.
    """
    aside = _aside(folder)
    with _locked(folder):
        if folder.exists():
            shutil.rmtree(aside, ignore_errors=True)
            folder.rename(aside)
        written.rename(folder)
        shutil.rmtree(aside, ignore_errors=True)


def recover(folder: Path) -> None:
    """Brings back the old checkpoint if a process was killed while it put a new one in its place."""
    if folder.exists() or not _aside(folder).exists():
        return
    with _locked(folder):  # a writer that lives finishes first
        if not folder.exists() and _aside(folder).exists():
            _aside(folder).rename(folder)


def _aside(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.replaced")


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """The system opens the lock when its process ends, however it ends."""
    with folder.with_name(f".{folder.name}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
