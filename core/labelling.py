"""Which file of a data set shows which digit: by class subfolders, or by a CSV beside the pictures."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import DatasetError
from core.files import Files, legible
from core.listing import HEAD, MOST_BYTES, Row, is_listing, parse_listing

CLASSES = tuple("0123456789")
DATA = re.compile(r"\.(csv|tsv|np[yz])$|idx[13]-ubyte", re.IGNORECASE)  # beside these, a folder wraps nothing
MOST_LISTINGS = 1000  # CSVs of which one may name the pictures
WRAPPINGS = 3  # folders round the data set that an archive may have


@dataclass(frozen=True)
class Plan:
    """Which files to prepare, as (file, label), what was expected of them, and what is left over."""

    chosen: list[tuple[str, int]]
    skipped: list[str]
    expected: str


def shown(files: Files, name: str) -> str:
    """A file's name in messages."""
    return legible(f"{files.where}/{name}")


def root_of(files: Files) -> str:
    """The folder, with its `/`, that holds the data set: in an archive it may be wrapped in others."""
    root = ""
    for _ in range(WRAPPINGS if files.wraps else 0):
        inner = [name.removeprefix(root).split("/") for name in files.names if name.startswith(root)]
        folders = {parts[0] for parts in inner if len(parts) > 1}
        data = any(DATA.search(parts[0]) for parts in inner if len(parts) == 1)
        if len(folders) != 1 or folders & set(CLASSES) or data:
            break
        root += f"{folders.pop()}/"
    return root


def plan_of(files: Files, root: str) -> Plan:
    """Which files of the folder `root` show which digit: by class subfolders, or by a CSV beside them.

    Raises:
        DatasetError: a CSV without the columns that are needed, or several with them.
    """
    below = [name.removeprefix(root) for name in files.names if name.startswith(root)]
    outside = [name for name in files.names if not name.startswith(root)]
    skipped = [f"{shown(files, name)}: lies outside {root}. Move it there." for name in outside]
    if not any("/" in name and name.split("/")[0] in CLASSES for name in below):
        listings = [name for name in below if "/" not in name and name.lower().endswith((".csv", ".tsv"))]
        if listings:
            return _listed(files, root, below, _the_one(files, root, listings), skipped)
    by_class: list[tuple[str, int]] = []
    for name in below:
        top, slash, _ = name.partition("/")
        if slash and top in CLASSES:
            by_class.append((root + name, int(top)))
        else:
            reason = f"its folder {top!r} is no digit from 0 to 9" if slash else "lies in no class subfolder"
            skipped.append(f"{shown(files, root + name)}: {legible(reason)}.")
    return Plan(by_class, skipped, "in subfolders named 0 to 9")


def _the_one(files: Files, root: str, listings: Sequence[str]) -> str:
    looked_at = listings[:MOST_LISTINGS]
    fitting = [name for name in looked_at if is_listing(files.head(root + name, HEAD))]
    if len(fitting) > 1:
        raise DatasetError(
            f"{files.where}: {', '.join(fitting[:3])} all name pictures and labels. Leave only one of them."
        )
    return (fitting or list(listings))[0]


def _listed(files: Files, root: str, below: list[str], listing: str, skipped: list[str]) -> Plan:
    """Files by their labels in the CSV, in its order."""
    where = shown(files, root + listing)
    by_name: dict[str, list[str]] = {}
    for name in below:
        by_name.setdefault(_base(name), []).append(name)
    content = files.read(root + listing, most=MOST_BYTES)
    rows = parse_listing(content, name=where, most=files.most_pictures)
    chosen: dict[str, int] = {}
    named = {listing}
    for row in rows:
        found = _found(row.file, by_name)
        if found:
            named.add(found)
        if found and row.label is not None and found not in chosen:
            chosen[found] = row.label
        else:
            reason = _reason(row, found, len(by_name.get(_base(row.file), ())))
            skipped.append(f"{where}, line {row.line}: {row.file[:80] or 'no file'}: {reason}.")
    left = (name for name in below if name not in named)
    skipped += [f"{shown(files, root + name)}: not named in {legible(listing)}." for name in left]
    pairs = [(root + name, label) for name, label in chosen.items()]
    return Plan(pairs, skipped, f"among those that {legible(listing)} names")


def _found(written: str, by_name: dict[str, list[str]]) -> str | None:
    """The file that a row means: by its path, or by its name alone where no other has it."""
    candidates = by_name.get(_base(written), [])
    for name in candidates:
        if _plain(name) == _plain(written):
            return name
    return candidates[0] if len(candidates) == 1 else None


def _base(written: str) -> str:
    return _plain(written).rsplit("/", 1)[-1]


def _plain(path: str) -> str:
    """Windows writes backslashes, and macOS writes é as two characters."""
    return unicodedata.normalize("NFC", path.replace("\\", "/")).removeprefix("./")


def _reason(row: Row, name: str | None, candidates: int) -> str:
    if not name:
        return f"{candidates} files have this name" if candidates else "there is no such file"
    if row.label is None:
        return f"label {row.written!r} is no digit from 0 to 9"
    return "named more than once; its first label counts"
