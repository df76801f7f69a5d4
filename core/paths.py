"""Where the data, the checkpoints and the training runs lie."""

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import CheckpointError

# A checkpoint's files. `core.card` says what is in them.
WEIGHTS, GRAPH, HISTORY, CARD = "model.safetensors", "model.onnx", "history.jsonl", "card.json"
DETECTOR = "unusual.safetensors"  # fitted after training, so absent until then
STUDY, CHANNELS = "faithfulness.json", "channels.json"  # measured after training, likewise
MODEL_CARD = "MODEL_CARD.md"  # written from the card and so without a hash in it
ROOT = Path(__file__).resolve().parent.parent


def data_folder() -> Path:
    """`DIGITSCOPE_DATA`, or `data/` beside the code."""
    return Path(os.environ.get("DIGITSCOPE_DATA") or ROOT / "data")


def checkpoints_folder() -> Path:
    """`DIGITSCOPE_CHECKPOINTS`, or `checkpoints/` beside the code."""
    return Path(os.environ.get("DIGITSCOPE_CHECKPOINTS") or ROOT / "checkpoints")


def runs_folder() -> Path:
    """`DIGITSCOPE_RUNS`, or `runs/` beside the code: trainings under way and what they left."""
    return Path(os.environ.get("DIGITSCOPE_RUNS") or ROOT / "runs")


def without_folders(text: str) -> str:
    """A text for visitors: where our folders lie on the server is its business, so `/srv/x/data/own` is
    `data/own`. What is logged or said on the command line stays whole."""
    if "/" not in text:
        return text
    ours = {"data": data_folder(), "checkpoints": checkpoints_folder(), "runs": runs_folder()}
    places = {str(form): name for name, each in ours.items() for form in (each.absolute(), each.resolve())}
    for place in sorted(places, key=len, reverse=True):
        text = re.sub(rf"{re.escape(place)}(?![\w.-])", places[place], text)
    return text.replace(f"{ROOT}/", "")


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
    try:
        for folder in (checkpoints_folder() / name, Path(name)):
            recover(folder)
            if (folder / CARD).is_file():
                return folder
    except (TypeError, ValueError, OSError) as error:  # None, a null byte, a name too long for the system
        reason = getattr(error, "strerror", None) or f"a {type(name).__name__}"
        raise CheckpointError(
            f"{str(name)[:80]!r} can't be a checkpoint ({reason}). Give a checkpoint's name or its folder."
        ) from error
    known = ", ".join(checkpoint_names()) or "none"
    raise CheckpointError(
        f"No checkpoint {str(name)!r}: {checkpoints_folder()} holds {known}. "
        "Name one of them, give a checkpoint's folder, or train one with `python train.py cnn`."
    )


def replace_checkpoint(folder: Path, written: Path) -> None:
    """Puts a whole new checkpoint in the place of an older one, also with two processes at it.

    A folder can't be renamed over a full one: the old one steps aside for an instant, and
    `recover` brings it back if the process was killed in that instant.

    Raises:
        CheckpointError: what lies there is no checkpoint.
    """
    aside = _aside(folder)
    with locked(folder):
        refuse_foreign(folder)
        if folder.exists():
            shutil.rmtree(aside, ignore_errors=True)
            folder.rename(aside)
        written.rename(folder)
        shutil.rmtree(aside, ignore_errors=True)


def refuse_foreign(folder: Path) -> None:
    """A checkpoint replaces the whole folder, so only a folder of our own files may be replaced.

    Raises:
        CheckpointError: a file, or a folder with anything else in it.
    """
    if folder.is_dir():
        foreign = sorted(file.name for file in folder.iterdir() if not _is_ours(file))
        if not foreign:
            return
        held = ", ".join(foreign[:3]) + (f" and {len(foreign) - 3} more" if len(foreign) > 3 else "")
        problem = f"holds files that are no checkpoint's ({held})"
    elif folder.exists():
        problem = "is a file"
    else:
        return
    raise CheckpointError(
        f"{folder} {problem}; a checkpoint written there would replace all of it. Choose a new folder."
    )


def _is_ours(file: Path) -> bool:
    known = (WEIGHTS, GRAPH, HISTORY, CARD, DETECTOR, STUDY, CHANNELS, MODEL_CARD)
    return (file.name in known or file.name.startswith(f".{CARD}.")) and not file.is_dir()


def recover(folder: Path) -> None:
    """Brings back the old checkpoint if a process was killed while it put a new one in its place."""
    if folder.exists() or not _aside(folder).exists():
        return
    with locked(folder):  # a writer that lives finishes first
        if not folder.exists() and _aside(folder).exists():
            _aside(folder).rename(folder)


def _aside(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.replaced")


@contextmanager
def locked(folder: Path, *, reading: bool = False) -> Iterator[None]:
    """Alone with a checkpoint. The system opens the lock when its process ends, however it ends.

    Args:
        folder: the checkpoint's.
        reading: only wait for writers; an OSError says that there has never been one.
    """
    with folder.with_name(f".{folder.name}.lock").open("r" if reading else "w") as handle:
        fcntl.flock(handle, fcntl.LOCK_SH if reading else fcntl.LOCK_EX)
        yield
