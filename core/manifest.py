"""What a large evaluation is to read, written down before it begins: pictures in a fixed order, in shards."""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from core.errors import DatasetError
from core.files import is_hidden
from core.preprocess import VERSION as PREPARED

MANIFEST, LISTING = "manifest.json", "listing.parquet"
KEPT = (MANIFEST, LISTING, "about.json", "checksums.json", "part-*.parquet")
OUR_FILES = (*KEPT, ".part-*", ".checksums.json.*", f".{LISTING}.*", f".{MANIFEST}.*")
FILES, PARQUET = "files", "parquet"
# A file's name is bytes: the system allows what is no text.
COLUMNS = {
    FILES: pa.schema({"file": pa.binary(), "size": pa.int64(), "modified": pa.int64()}),
    PARQUET: pa.schema(
        {
            "file": pa.binary(),
            "size": pa.int64(),
            "modified": pa.int64(),
            "first": pa.int64(),
            "n": pa.int64(),
        }
    ),
}

Row = dict[str, Any]


@dataclass(frozen=True)
class Manifest:
    """`manifest.json`; its listing, one row group a shard, is `listing.parquet` beside it.

    Attributes:
        dataset: the path as it was given.
        source: the same, from the root.
        kind: `files` (class subfolders) or `parquet`.
        weights: SHA-256 of the model's weights.
        fitted: what was fitted to them afterwards (`Predictor.fitted`).
        pictures: how many there are, and other files beside them, unusable ones included.
        shard_size: how many of them a shard has; the last one may have fewer.
        digest: SHA-256 of every file's path, size and time of change, and of the fields above but `dataset`.
    """

    dataset: str
    source: str
    kind: str
    weights: str
    fitted: str
    pictures: int
    shard_size: int
    digest: str

    @property
    def shards(self) -> int:
        """How many there are."""
        return -(-self.pictures // self.shard_size)

    def rows(self, folder: Path, shard: int) -> list[Row]:
        """A shard's part of the listing."""
        with parquet.ParquetFile(folder / LISTING) as listing:
            return listing.read_row_group(shard).to_pylist()  # type: ignore[no-any-return]


def plan(folder: Path, dataset: Path, *, weights: str, fitted: str, shard_size: int) -> Manifest:
    """Writes the manifest, or finds that the one there says the same: then the work goes on.

    The listing passes through memory a shard at a time, besides the names of one folder.

    Args:
        folder: where the evaluation is written.
        dataset: a folder with subfolders 0 to 9, a Parquet file or a folder of them.
        weights: the model's, see `Manifest`.
        fitted: the same.
        shard_size: for a new manifest; one that is there keeps its own.

    Raises:
        DatasetError: nothing to read, or a folder with another evaluation or foreign files in it.
    """
    _refuse_foreign(folder)
    older = read_manifest(folder) if (folder / MANIFEST).exists() else None
    size = older.shard_size if older else shard_size
    source, kind = dataset.resolve(), kind_of(dataset)
    if folder.resolve().is_relative_to(source):
        raise DatasetError(f"{folder} lies in the data set {dataset}. Choose an --out outside of it.")
    beside = folder / f".{LISTING}.{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        rows = _files(source) if kind == FILES else _spans(source)
        pictures, listed = _write_listing(beside, rows, COLUMNS[kind], size)
        if not pictures:
            raise DatasetError(f"{dataset}: no picture. Choose another data set.")
        fields = [str(source), kind, weights, fitted, pictures, size, listed, PREPARED]
        digest = hashlib.sha256(json.dumps(fields).encode()).hexdigest()
        manifest = Manifest(str(dataset), str(source), kind, weights, fitted, pictures, size, digest)
        if older is None:
            _keep(folder, manifest, beside)
        elif older.digest != digest:
            raise DatasetError(_difference(folder, older, manifest))
    finally:
        beside.unlink(missing_ok=True)
    return older or manifest


def read_manifest(folder: Path) -> Manifest:
    """The manifest in a folder.

    Raises:
        DatasetError: it is missing or damaged.
    """
    try:
        return Manifest(**json.loads((folder / MANIFEST).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise DatasetError(
            f"{folder / MANIFEST} can't be read ({error}). Start anew with --fresh, or choose another --out."
        ) from error


def clear(folder: Path) -> None:
    """Removes an evaluation, whole or begun, and nothing else."""
    _refuse_foreign(folder)
    for pattern in ("about.json", MANIFEST, *OUR_FILES):  # without its manifest it is none any more
        for file in folder.glob(pattern):
            file.unlink(missing_ok=True)


def kind_of(dataset: Path) -> str:
    """Whether a path holds class subfolders or Parquet.

    Raises:
        DatasetError: neither.
    """
    if any((dataset / str(digit)).is_dir() for digit in range(10)):
        return FILES
    if dataset.suffix == ".parquet" or any(dataset.glob("*.parquet")):
        return PARQUET
    raise DatasetError(
        f"{dataset}: neither a folder with subfolders 0 to 9 nor Parquet. Give one of these, or evaluate "
        "other data sets with --engine local."
    )


def _refuse_foreign(folder: Path) -> None:
    if folder.is_dir():
        foreign = [file for file in folder.iterdir() if not any(map(file.match, OUR_FILES))]
        if not foreign:
            return
        problem = f"holds files that are no evaluation's ({foreign[0].name})"
    elif folder.exists():
        problem = "is a file"
    else:
        return
    raise DatasetError(f"{folder} {problem}. Choose a new folder.")


def _files(source: Path) -> Iterator[Row]:
    """Every visible file in the order of its path, as `core.files` sorts them."""
    for path, found in _walk(str(source), {os.path.realpath(source)}):
        yield {"file": _file_name(path, source), **_state(found)}


def _walk(folder: str, seen: set[str]) -> Iterator[tuple[str, os.stat_result]]:
    """Also behind links to folders, but no folder twice; memory holds the names of one folder."""
    with os.scandir(folder) as found:
        entries = {entry.name + "/" * entry.is_dir(): entry for entry in found if not is_hidden(entry.name)}
    within = {key: os.path.realpath(entry.path) for key, entry in entries.items() if entry.is_dir()}
    known = {key for key, real in within.items() if real in seen}
    for key in sorted(entries.keys() - known):
        if key in within:
            seen.add(within[key])
            yield from _walk(entries[key].path, seen)
        elif entries[key].is_file():
            yield entries[key].path, entries[key].stat()


def _spans(source: Path) -> Iterator[Row]:
    """Every Parquet file with its number of rows; one that can't be opened counts as one row, which is
    named among the unusable ones when it is to be read."""
    files = [source] if source.is_file() else sorted(source.glob("[!.]*.parquet"))
    for file in files:
        try:
            with parquet.ParquetFile(file) as content:
                schema, n = content.schema_arrow, content.metadata.num_rows
        except (pa.ArrowException, ValueError) as error:
            if len(files) == 1:
                raise DatasetError(f"{file}: can't be read as Parquet ({error}). Write it again.") from error
            yield {"file": _file_name(file, source), **_state(file.stat()), "first": 0, "n": 1}
            continue
        types = {name: schema.field(name).type for name in schema.names}
        image, label = types.get("image", pa.null()), types.get("label", pa.null())
        binary = pa.types.is_binary(image) or pa.types.is_large_binary(image)
        if not (binary or image == pa.binary(784)) or not pa.types.is_integer(label):
            found = ", ".join(f"{name} {kind}" for name, kind in types.items())
            raise DatasetError(
                f"{file}: its columns are {found}. Give "
                "`image` (binary: a picture file's bytes, or 784 pixels) and `label` (whole numbers)."
            )
        yield {"file": _file_name(file, source), **_state(file.stat()), "first": 0, "n": n}


def _file_name(path: str | Path, source: Path) -> bytes:
    """Relative to the data set; bytes, as a name may be no text."""
    return os.fsencode(os.path.relpath(path, source))


def _state(found: os.stat_result) -> Row:
    return {"size": found.st_size, "modified": found.st_mtime_ns}


def _write_listing(path: Path, rows: Iterable[Row], schema: pa.Schema, size: int) -> tuple[int, str]:
    """Gives the number of pictures and the listing's SHA-256."""
    pictures, content = 0, hashlib.sha256()
    with parquet.ParquetWriter(path, schema) as writer:
        for shard in _shards(iter(rows), size):
            writer.write_table(pa.Table.from_pylist(shard, schema), row_group_size=size)
            content.update(repr(shard).encode())
            pictures += sum(row.get("n", 1) for row in shard)
    return pictures, content.hexdigest()


def _shards(rows: Iterator[Row], size: int) -> Iterator[list[Row]]:
    """Cuts a listing into shards of `size` pictures; the rows of Parquet files are cut where they must."""
    shard: list[Row] = []
    free = size
    for row in rows:
        start, n = row.get("first", 0), row.get("n", 1)
        while n:
            taken = min(n, free)
            shard.append(row | {"first": start, "n": taken} if "n" in row else row)
            start, n, free = start + taken, n - taken, free - taken
            if not free:
                yield shard
                shard, free = [], size
    if shard:
        yield shard


def _keep(folder: Path, manifest: Manifest, listing: Path) -> None:
    listing.replace(folder / LISTING)
    beside = folder / f".{MANIFEST}.{os.getpid()}"
    beside.write_text(json.dumps(asdict(manifest), indent=2) + "\n", encoding="utf-8")
    beside.replace(folder / MANIFEST)


def _difference(folder: Path, older: Manifest, newer: Manifest) -> str:
    names = {
        "source": "another data set",
        "weights": "other weights",
        "fitted": "another calibration or verdict",
        "pictures": "another number of pictures",
    }
    found = [text for name, text in names.items() if getattr(older, name) != getattr(newer, name)]
    otherwise = "pictures that have changed since, or that are prepared otherwise now"
    return (
        f"{folder} was begun with {' and '.join(found) or otherwise} "
        f"({older.pictures} pictures of {older.source}). Start anew with --fresh, or choose another --out."
    )
