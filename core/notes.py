"""What people say about single digits: tags and a free text, in SQLite under the data folder."""

import json
import logging
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from core.errors import NotesError
from core.paths import data_folder, locked
from core.spreadsheet import to_csv as table_to_csv

log = logging.getLogger(__name__)

TAGS = ("label wrong", "ambiguous", "interesting")
TEXT_LIMIT = 2000  # characters
SCHEMA = 1
WAIT = 10  # seconds for other writers; each holds the database for milliseconds
LARGEST_INDEX = 2**63 - 1  # what an SQLite integer holds
DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

TABLE = """
    CREATE TABLE IF NOT EXISTS notes (
        dataset TEXT NOT NULL,
        place INTEGER NOT NULL,
        tags TEXT NOT NULL,
        text TEXT NOT NULL,
        changed TEXT NOT NULL,
        PRIMARY KEY (dataset, place)
    ) WITHOUT ROWID
"""
COLUMNS = "dataset, place, tags, text, changed"
HERE = "dataset = ? AND place = ?"


@dataclass(frozen=True)
class Note:
    """What was noted about one digit.

    Attributes:
        dataset: the data set's identifier; one that depends on the content keeps notes with it.
        index: the digit's place in the data set, from 0.
        tags: some of `TAGS`, in their order.
        text: free text, at most `TEXT_LIMIT` characters.
        changed: when it was last written (UTC); later with every change.
    """

    dataset: str
    index: int
    tags: tuple[str, ...]
    text: str
    changed: datetime


def path() -> Path:
    """The database's file: `notes.sqlite3` in the data folder."""
    return data_folder() / "notes.sqlite3"


def write(
    dataset: str,
    index: int,
    *,
    tags: Sequence[str] = (),
    text: str = "",
    expected: datetime | Literal["anything"] | None = "anything",
) -> Note | None:
    """Replaces the note of a digit; without tags and text, deletes it.

    Threads, sessions and processes may write at once: every note is stored whole, or not at all,
    and the last writer wins unless `expected` is given.

    Args:
        dataset: the data set's identifier.
        index: the digit's place in the data set, from 0.
        tags: some of `TAGS`.
        text: free text, at most `TEXT_LIMIT` characters; space around it is dropped.
        expected: the `changed` of the note that the writer saw, None if there was none.

    Returns:
        The note as stored, None if it was deleted.

    Raises:
        NotesError: an unknown tag, too long a text, a note that is no longer the expected one, or
            a database that is damaged or can't be written.
    """
    _check_place(dataset, index)
    tags, text = _checked_tags(tags), _checked_text(text)
    with _database() as database:
        database.execute("BEGIN IMMEDIATE")  # nobody writes between the look and the change
        row = database.execute(f"SELECT {COLUMNS} FROM notes WHERE {HERE}", (dataset, index)).fetchone()
        before = _note(row).changed if row else None
        if expected not in ("anything", before):
            raise NotesError(
                f"The note on digit {index} of {dataset!r} was changed by somebody else meanwhile. "
                "Read it again, then write yours."
            )
        if not tags and not text:
            database.execute(f"DELETE FROM notes WHERE {HERE}", (dataset, index))
            return None
        note = Note(dataset, index, tags, text, _after(before))
        values = (dataset, index, json.dumps(tags), text, note.changed.isoformat(timespec="microseconds"))
        database.execute(f"REPLACE INTO notes ({COLUMNS}) VALUES (?, ?, ?, ?, ?)", values)
        return note


def read(dataset: str, index: int) -> Note | None:
    """The note of one digit, None where there is none.

    Raises:
        NotesError: an index below 0, or a database that is damaged or can't be read.
    """
    _check_place(dataset, index)
    notes = _found(HERE, (dataset, index))
    return notes[0] if notes else None


def read_all(dataset: str) -> list[Note]:
    """All notes of a data set, by index.

    Raises:
        NotesError: a database that is damaged or can't be read.
    """
    return _found("dataset = ?", (dataset,))


def indices_with(dataset: str, tag: str | None = None) -> list[int]:
    """The digits with that tag, or with any note at all, in ascending order.

    Raises:
        NotesError: an unknown tag, or a database that is damaged or can't be read.
    """
    if tag is not None:
        _checked_tags([tag])
    return [note.index for note in read_all(dataset) if tag is None or tag in note.tags]


def to_csv(dataset: str) -> str:
    """The notes of a data set as CSV: index, tags (joined by `; `), text, changed (ISO 8601, UTC).

    Raises:
        NotesError: a database that is damaged or can't be read.
    """
    notes = read_all(dataset)
    rows = [(note.index, "; ".join(note.tags), note.text, note.changed.isoformat()) for note in notes]
    return table_to_csv(("index", "tags", "text", "changed"), rows)


def _found(condition: str, values: tuple[Any, ...]) -> list[Note]:
    if not path().exists():
        return []
    with _database() as database:
        query = f"SELECT {COLUMNS} FROM notes WHERE {condition} ORDER BY place"
        return [_note(row) for row in database.execute(query, values)]


def _note(row: tuple[str, int, str, str, str]) -> Note:
    dataset, index, tags, text, changed = row
    return Note(dataset, index, tuple(json.loads(tags)), text, datetime.fromisoformat(changed))


def _after(before: datetime | None) -> datetime:
    """Now, and later than the note's last change even if the clock stands or was put back."""
    now = datetime.now(UTC)
    return max(now, before + timedelta(microseconds=1)) if before else now


def _check_place(dataset: str, index: int) -> None:
    if not dataset or _is_broken(dataset) or not 0 <= index <= LARGEST_INDEX:
        raise NotesError(
            f"Digit {index} of data set {dataset!r} can have no note. Name a data set, count from 0."
        )


def _checked_tags(tags: Sequence[str]) -> tuple[str, ...]:
    unknown = sorted(set(tags) - set(TAGS))
    if unknown:
        raise NotesError(f"Unknown tag {unknown[0]!r}. Choose from {', '.join(TAGS)}; the rest is free text.")
    return tuple(tag for tag in TAGS if tag in tags)


def _checked_text(text: str) -> str:
    text = text.strip()
    if len(text) > TEXT_LIMIT:
        raise NotesError(
            f"The note has {len(text):,} characters; at most {TEXT_LIMIT:,} are kept. Shorten it."
        )
    if _is_broken(text):
        raise NotesError("The note holds half a character (a lone surrogate). Type it again.")
    return text


def _is_broken(text: str) -> bool:
    """Whether it can't be stored as UTF-8."""
    return any(0xD800 <= ord(character) <= 0xDFFF for character in text)


@contextmanager
def _database() -> Iterator[sqlite3.Connection]:
    """A connection for one transaction: committed at the end, rolled back on an error.

    None is shared between threads or carried into a forked process, which SQLite forbids; a new
    one a call costs milliseconds, most of them for the disk.
    """
    file = path()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(file, timeout=WAIT, isolation_level=None)) as database:
            _prepare(database, file)
            try:
                yield database
            except BaseException:
                if database.in_transaction:
                    database.rollback()
                raise
            if database.in_transaction:
                database.commit()
    except (sqlite3.Error, OSError, ValueError) as error:
        log.error("notes: %s", explanation := _explanation(file, error))
        raise NotesError(explanation) from error


def _prepare(database: sqlite3.Connection, file: Path) -> None:
    """The tables, in a database that has none yet; one of another schema is refused."""
    version = _version(database)
    if version == 0:
        with locked(file):  # two that switch a new database to WAL at once would fail, not wait
            if _version(database) == 0:
                _refuse_foreign(database, file)
                database.execute("PRAGMA journal_mode = WAL")  # readers don't wait for writers
                database.executescript(f"BEGIN IMMEDIATE; {TABLE}; PRAGMA user_version = {SCHEMA}; COMMIT")
    elif version != SCHEMA:
        raise NotesError(
            f"{file} has schema {version}, this program reads {SCHEMA}. Update the program, or move it away."
        )


def _version(database: sqlite3.Connection) -> int:
    return int(database.execute("PRAGMA user_version").fetchone()[0])


def _refuse_foreign(database: sqlite3.Connection, file: Path) -> None:
    tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    if tables:
        raise NotesError(f"{file} holds other tables ({', '.join(tables)[:80]}). Move it away.")


def _explanation(file: Path, error: Exception) -> str:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the primary code of an extended one
    if code in DAMAGED or isinstance(error, ValueError):
        return (
            f"{file} is damaged ({error}). Move it and its -wal and -shm files away and start anew; "
            f"`sqlite3 {file.name} .recover` saves what can be saved."
        )
    if code == sqlite3.SQLITE_BUSY:
        return f"{file} was in use by another program for {WAIT} s. Close that program, then try again."
    return f"{file} can't be used ({error}). See that its folder can be written and the disk has space."
