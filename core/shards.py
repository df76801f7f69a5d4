"""A shard of pictures → a part of an evaluation table; all parts → the table."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from jaxtyping import UInt8
from pyarrow import parquet

from core.errors import DatasetError, DigitscopeError, PictureError, UnusableFile
from core.files import legible
from core.labelling import CLASSES
from core.manifest import FILES, Manifest
from core.predictor import Predictor
from core.preprocess import prepare
from core.table import ABOUT, About, write_about
from core.tabulation import rows_of, write_part

NOTE = b"digitscope.shard"  # in a part's schema: what can't be seen from its rows
DAMAGE = (OSError, ValueError, pa.ArrowException)  # what reading a damaged Parquet file raises
READ_AHEAD = 64  # rows of a Parquet file in memory: a picture may have 10 MB
RAW = 784  # bytes of a picture that is 28×28 already
# How a picture file of exactly 784 bytes begins. (A bitmap says its size.)
SIGNATURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF", b"II*\0", b"MM\0*", b"BM\x10\x03\0\0")


def missing(folder: Path, manifest: Manifest) -> list[int]:
    """The shards that have no part yet; one of another evaluation does not count."""
    return [shard for shard in range(manifest.shards) if _note(folder, manifest, shard) is None]


def write_shard(folder: Path, manifest: Manifest, shard: int, predictor: Predictor) -> None:
    """Evaluates a shard into its part, whole or not at all; the same whoever does it, and how often.

    Pictures that can't be used have no row; the part notes them with the reason.
    """
    images, labels, names, skipped = [], [], [], []
    for shown, name, label, picture in _contents(folder, manifest, shard):
        try:
            if isinstance(picture, UnusableFile):
                raise picture
            labels.append(_digit(label, shown))
            images.append(_pixels(picture, shown))
            names.append(name)
        except DigitscopeError as error:
            del labels[len(images) :]
            skipped.append(str(error))
    stacked = np.stack(images) if images else np.empty((0, 28, 28), np.uint8)
    first = shard * manifest.shard_size
    rows = rows_of(predictor, stacked, np.array(labels, dtype=np.int64), names=names, first=first)
    note = {"digest": manifest.digest, "first": first, "usable": len(images), "skipped": skipped}
    write_part(folder, shard, _noted(rows, note))


def finish(folder: Path, manifest: Manifest, classes: tuple[int, ...]) -> None:
    """Makes a table of all parts: numbers the rows through, and writes `about.json`.

    Parts are written before it is known how many pictures before them could not be used.
    Killed in the middle it can be begun again.

    Raises:
        DatasetError: a part is missing, or no picture could be used.
    """
    place, n, skipped = 0, 0, []
    for shard in range(manifest.shards):
        note = _note(folder, manifest, shard)
        if note is None:
            raise DatasetError(f"{folder} lacks part {shard}. Run the same command again.")
        if note["first"] != place:
            _renumber(folder, shard, note, place)
        with parquet.ParquetFile(_part(folder, shard)) as part:
            n += part.metadata.num_rows
        place += note["usable"]
        skipped += note["skipped"]
    if not n:
        reason = f" ({len(skipped)} skipped, the first: {skipped[0]})" if skipped else ""
        known = ", ".join(map(str, classes))
        raise DatasetError(
            f"{manifest.dataset} has no usable picture of the classes {known}{reason}. "
            "Choose another data set, or another model."
        )
    for remains in folder.glob(".part-*"):  # of workers that were killed
        remains.unlink(missing_ok=True)
    about = About(
        dataset=manifest.dataset,
        source=manifest.source,
        classes=classes,
        n=n,
        left_out=place - n,
        skipped=tuple(skipped),
        weights=manifest.weights,
        fitted=manifest.fitted,
        digest=manifest.digest,
    )
    write_about(folder, about)


def finished(folder: Path, manifest: Manifest) -> bool:
    """Whether the folder holds a whole table: finished, and with all of its parts still there."""
    return (folder / ABOUT).is_file() and not missing(folder, manifest)


def _part(folder: Path, shard: int) -> Path:
    return folder / f"part-{shard:05d}.parquet"


def _noted(rows: pa.Table, note: dict[str, Any]) -> pa.Table:
    return rows.replace_schema_metadata({NOTE: json.dumps(note)})


def _note(folder: Path, manifest: Manifest, shard: int) -> dict[str, Any] | None:
    try:
        metadata = parquet.read_schema(_part(folder, shard)).metadata or {}
    except DAMAGE:  # not there, or damaged since: to be done again
        return None
    note: dict[str, Any] = json.loads(metadata.get(NOTE, b"{}"))
    return note if note.get("digest") == manifest.digest else None


def _renumber(folder: Path, shard: int, note: dict[str, Any], first: int) -> None:
    rows = parquet.read_table(_part(folder, shard))
    column = rows.column_names.index("index")
    index = rows["index"].to_numpy() + (first - note["first"])
    moved = rows.set_column(column, "index", pa.array(index, pa.int64()))
    write_part(folder, shard, _noted(moved, note | {"first": first}))


def _contents(folder: Path, manifest: Manifest, shard: int) -> Iterator[tuple[str, str, Any, Any]]:
    """Of every picture: what to call it in an error, its name, its label (or path), its file or bytes."""
    for row in manifest.rows(folder, shard):
        file = os.fsdecode(row["file"])
        path, shown = Path(manifest.source, file), legible(str(Path(manifest.dataset, file)))
        if manifest.kind == FILES:
            yield shown, legible(file), file, path
            continue
        for place, found in enumerate(_rows(path, row["first"], row["n"]), start=row["first"]):
            if isinstance(found, str):
                damage = UnusableFile(f"{shown}, row {place}: can't be read ({found}). Write it again.")
                yield shown, "", None, damage
                continue
            name = found.get("name") or ""
            yield name or f"{shown}, row {place}", name, found["label"], found["image"]


def _rows(path: Path, first: int, n: int) -> Iterator[dict[str, Any] | str]:
    """Some rows of a Parquet file, a few in memory at a time; for one in a damaged place the reason."""
    try:
        content = parquet.ParquetFile(path, buffer_size=2**20)
    except DAMAGE as error:
        yield from [str(error)] * n
        return
    with content:
        start = 0
        for group in range(content.num_row_groups):
            end = start + content.metadata.row_group(group).num_rows
            low, high = max(first, start), min(first + n, end)
            if low < high:
                yield from _rows_of_group(content, group, low - start, high - low)
            start = end


def _rows_of_group(
    content: parquet.ParquetFile, group: int, skip: int, n: int
) -> Iterator[dict[str, Any] | str]:
    columns = [name for name in ("image", "label", "name") if name in content.schema_arrow.names]
    left = n
    try:
        for batch in content.iter_batches(READ_AHEAD, row_groups=[group], columns=columns):
            wanted = batch.slice(skip, left).to_pylist()
            skip, left = max(0, skip - batch.num_rows), left - len(wanted)
            yield from wanted
            if not left:
                return
    except DAMAGE as error:
        yield from [str(error)] * left


def _digit(label: object, shown: str) -> int:
    """From a number, or from the path of a file in its class subfolder."""
    if isinstance(label, str):
        top, slash, _ = label.partition("/")
        if not slash or top not in CLASSES:
            reason = f"its folder {top!r} is no digit from 0 to 9" if slash else "lies in no class subfolder"
            raise DatasetError(f"{shown}: {legible(reason)}.")
        return int(top)
    if not isinstance(label, int) or not 0 <= label <= 9:
        raise DatasetError(f"{shown}: label {label!r} is no digit from 0 to 9. Correct it.")
    return label


def _pixels(picture: Path | bytes | None, shown: str) -> UInt8[np.ndarray, "28 28"]:
    if picture is None:
        raise PictureError(f"{shown}: `image` is empty. Give a picture file's bytes, or 784 pixels.")
    if isinstance(picture, bytes) and len(picture) == RAW and not picture.startswith(SIGNATURES):
        return np.frombuffer(picture, np.uint8).reshape(28, 28)
    return prepare(picture, name=shown).pixels
