"""Stories that were kept: a JSON file each, in the data folder."""

import os
import re
import unicodedata
from pathlib import Path
from typing import Literal

from core.errors import StoryChanged, StoryError
from core.paths import data_folder, locked
from core.story import Story, check, read_story

NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")


def folder() -> Path:
    """`stories/` in the data folder."""
    return data_folder() / "stories"


def names() -> list[str]:
    """The stories at hand, in alphabetical order."""
    found = (file.stem for file in folder().glob("*.json") if not file.name.startswith("."))
    return sorted(name for name in found if NAME.fullmatch(name))


def read(name: str) -> Story:
    """A kept story.

    Raises:
        StoryError: no such one, or a file that can't be used.
    """
    path = _path(name)
    try:
        return read_story(path.read_bytes(), str(path))
    except FileNotFoundError:
        raise StoryError(f"There is no story {name!r}. {_others(names())}") from None
    except OSError as error:
        raise StoryError(f"{path} can't be read ({error.strerror}). Check who owns it.") from error


def write(name: str, story: Story, *, expected: Story | Literal["anything"] | None = "anything") -> None:
    """Keeps a story, whole or not at all; nobody else writes it meanwhile.

    Args:
        name: lower-case letters, digits and hyphens, at most 40.
        story: it.
        expected: what the writer saw there, None for nothing.

    Raises:
        StoryChanged: another one is there than expected.
        StoryError: a story that can't be told, or a folder that can't be written.
    """
    path, content = _path(name), check(story).to_json()
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with locked(path):
            if expected != "anything" and (read(name) if path.exists() else None) != expected:
                raise StoryChanged(f"The story {name!r} was changed elsewhere meanwhile. Read it anew first.")
            with beside.open("w", encoding="utf-8") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise StoryError(f"{path} can't be written ({error.strerror}). Free some space there.") from error


def add(story: Story, wanted: str) -> str:
    """Keeps a story under a free name made of the wanted one; gives the name.

    Raises:
        StoryError: as `write`.
    """
    letters = unicodedata.normalize("NFKD", wanted.lower()).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^a-z0-9]+", "-", letters).strip("-")[:36].strip("-") or "story"
    taken = set(names())
    name = next(each for each in (plain, *(f"{plain}-{n}" for n in range(2, 1000))) if each not in taken)
    write(name, story, expected=None)
    return name


def remove(name: str) -> None:
    """Forgets a story. One that is gone already is no error.

    Raises:
        StoryError: it can't be removed.
    """
    try:
        _path(name).unlink(missing_ok=True)
    except OSError as error:
        raise StoryError(f"{_path(name)} can't be removed ({error.strerror}). Check who owns it.") from error


def _others(known: list[str]) -> str:
    """What to choose where there is no such story."""
    if not known:
        return "No story is kept. Choose the built-in one."
    if len(known) == 1:
        return f"Kept is {known[0]}. Choose it or the built-in one."
    return f"Kept are {', '.join(known[:-1])} and {known[-1]}. Choose one of them or the built-in one."


def _path(name: str) -> Path:
    if not NAME.fullmatch(name):
        raise StoryError(
            f"{name[:60]!r} can't name a story. Use lower-case letters, digits and hyphens, at most 40."
        )
    return folder() / f"{name}.json"
