"""Where the data and the checkpoints lie."""

import os
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
    return sorted(card.parent.name for card in checkpoints_folder().glob("[!.]*/card.json"))


def checkpoint_folder(name: str | os.PathLike[str]) -> Path:
    """A checkpoint's folder from its name (`cnn`) or its path (`checkpoints/cnn`).

    Raises:
        CheckpointError: neither a known name nor a folder with a `card.json`.
    """
    for folder in (checkpoints_folder() / name, Path(name)):
        if (folder / "card.json").is_file():
            return folder
    known = ", ".join(checkpoint_names()) or "none"
    raise CheckpointError(
        f"No checkpoint {str(name)!r}: {checkpoints_folder()} holds {known}. "
        "Name one of them, give a checkpoint's folder, or train one with `python train.py cnn`."
    )
