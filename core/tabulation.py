"""Evaluation tables computed, and kept on disk by what decides them."""

import json
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
from jaxtyping import Float32, Int64, UInt8
from pyarrow import parquet

from core.array_cache import cache_key
from core.card import sha256
from core.datasets import LabelledDigits
from core.errors import DatasetError
from core.paths import data_folder
from core.predictor import Predictor
from core.table import ABOUT, SCHEMA_VERSION, About, EvaluationTable, read_about, write_about

log = logging.getLogger(__name__)

ROW_GROUP = 2048  # rows: a page of digits reads a few groups, not the file
PART = 2 * ROW_GROUP  # digits that a part of the table is made of
ABANDONED = 3600  # s after which a table that was never finished is swept away
SUMS = "checksums.json"  # of a kept table's files
MOST_TABLES = 24  # kept on disk; the ones that were not used for longest go

Progress = Callable[[int, int], None]


def rows_of(
    predictor: Predictor,
    images: UInt8[np.ndarray, "n 28 28"],
    labels: Int64[np.ndarray, " n"],
    *,
    names: Sequence[str] = (),
    first: int = 0,
) -> pa.Table:
    """The rows of some digits; those of classes that the model does not know have none.

    Args:
        predictor: the model.
        images: in MNIST's convention.
        labels: the digits that people say they show.
        names: of their files, if they have any.
        first: the place of the first one in the data set.
    """
    known = np.isin(labels, predictor.classes)
    images, labels, index = images[known], labels[known], np.flatnonzero(known) + first
    named = [names[place] for place in np.flatnonzero(known).tolist()] if len(names) else [""] * len(index)
    outputs = predictor.run(images)
    logits, classes = outputs.logits.astype(np.float64) / outputs.temperature, np.array(predictor.classes)
    top = logits.max(axis=1)
    evidence = top + np.log(np.exp(logits - top[:, None]).sum(axis=1))
    probabilities, scores = outputs.probabilities, predictor.unusualness(outputs)
    ordered = np.sort(probabilities, axis=1)
    of_label = np.take_along_axis(logits, np.searchsorted(classes, labels)[:, None], axis=1)[:, 0]
    columns = {
        "index": pa.array(index, pa.int64()),
        "name": pa.array(named, pa.string()),
        "label": pa.array(labels, pa.int8()),
        "prediction": pa.array(classes[probabilities.argmax(axis=1)], pa.int8()),
        "confidence": pa.array(ordered[:, -1], pa.float32()),
        "margin": pa.array(ordered[:, -1] - ordered[:, -2], pa.float32()),
        "loss": pa.array(np.maximum(evidence - of_label, 0), pa.float32()),
        "unusualness": pa.array(-evidence if scores is None else scores, pa.float32()),
        "probabilities": _lists(probabilities),
        "pixels": _bytes(images),
        "embedding": _bytes(outputs.embedding.astype("<f2")),
    }
    return pa.table(columns)


def _lists(values: Float32[np.ndarray, "n k"]) -> pa.Array:
    offsets = np.arange(0, values.size + 1, values.shape[1], dtype=np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(values.ravel(), pa.float32()))


def _bytes(values: np.ndarray) -> pa.Array:
    """A row of an array as one value of fixed width."""
    width = int(np.prod(values.shape[1:])) * values.itemsize
    content = pa.py_buffer(np.ascontiguousarray(values))
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(width), len(values), [None, content])


def write_part(folder: Path, part: int, rows: pa.Table) -> None:
    """Puts rows into a folder as `part-00000.parquet`, whole or not at all."""
    path = folder / _part_name(part)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    parquet.write_table(
        rows,
        beside,
        row_group_size=ROW_GROUP,
        use_dictionary=["label", "prediction", "name"],
        compression={name: "zstd" if name == "pixels" else "none" for name in rows.column_names},
    )
    beside.replace(path)


def _part_name(part: int) -> str:
    return f"part-{part:05d}.parquet"


def tables_folder() -> Path:
    """Where tables are kept."""
    return data_folder() / "tables"


def evaluations_folder() -> Path:
    """Where the pages look for tables that were made elsewhere, `python -m core evaluate --out`."""
    return data_folder() / "evaluations"


def evaluations_of(weights: str) -> list[str]:
    """The names of these tables by one model, in alphabetical order.

    Args:
        weights: the SHA-256 of its weights.
    """
    names = []
    for about in evaluations_folder().glob(f"*/{ABOUT}"):
        with suppress(DatasetError):  # unfinished, or of another version
            if read_about(about.parent).weights == weights:
                names.append(about.parent.name)
    return sorted(names)


def key_of(predictor: Predictor, data: LabelledDigits) -> str:
    """What decides a table: the weights, what was fitted to them afterwards, the digits, and what is told of
    them: one upload may hold the same digits as another, under another name and beside other bad files."""
    return f"{cache_key(predictor.key, data.digest)}-{data.told[:8]}-{predictor.fitted}-{SCHEMA_VERSION}"


def at_hand(predictor: Predictor, data: LabelledDigits) -> bool:
    """Whether the table is on disk already."""
    return _is_whole(tables_folder() / key_of(predictor, data), len(data))


def _is_whole(folder: Path, n: int) -> bool:
    """Whether the table of `n` digits is finished, and no part of it was deleted."""
    parts = (folder / _part_name(part) for part in range(-(-n // PART)))
    files = (folder / ABOUT, folder / SUMS, *parts)
    return all(file.is_file() for file in files)


def table_of(
    predictor: Predictor, data: LabelledDigits, *, progress: Progress | None = None
) -> EvaluationTable:
    """The model on the data set: computed once, kept on disk, and computed again where that was damaged.

    Args:
        predictor: the model.
        data: digits of other classes than the model's are left out, and counted.
        progress: called with (done, total) while the digits are read.

    Raises:
        DatasetError: no digit of the model's classes, or no space for the table.
    """
    folder = tables_folder() / key_of(predictor, data)
    if _is_whole(folder, len(data)):
        try:
            return _opened(folder)
        except DatasetError:  # damaged, and by now thrown away
            pass
    try:
        tables_folder().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=tables_folder(), prefix=".new-") as temporary:
            write_table(Path(temporary), predictor, data, progress=progress)
            seal(Path(temporary))
            Path(temporary).chmod(0o755)
            _put(Path(temporary), folder, len(data))
    except OSError as error:
        log.error("%s can't be written: %s", tables_folder(), error)
        raise DatasetError(
            f"The evaluation can't be kept in {tables_folder()} ({error.strerror}). Free some space, or "
            "name another folder with DIGITSCOPE_DATA."
        ) from error
    _forget_old()
    return _opened(folder)


def _opened(folder: Path) -> EvaluationTable:
    """A kept table; a damaged one counts as unfinished from then on, so that it is computed anew."""
    with suppress(OSError):  # of a folder that may only be read
        os.utime(folder)
    remedy = "Reload the page: it is computed anew."

    def damaged() -> None:
        log.warning("%s is damaged; it is computed anew.", folder)
        with suppress(OSError):
            (folder / ABOUT).unlink(missing_ok=True)

    try:
        whole = json.loads((folder / SUMS).read_text(encoding="utf-8")) == _sums(folder)
    except (OSError, ValueError):
        whole = False
    if not whole:
        damaged()
        raise DatasetError(f"{folder}: the evaluation is damaged. {remedy}")
    return EvaluationTable(folder, remedy=remedy, damaged=damaged)


def seal(folder: Path) -> None:
    """Puts the checksums of a finished table beside it."""
    beside = folder / f".{SUMS}.{os.getpid()}"
    beside.write_text(json.dumps(_sums(folder)), encoding="utf-8")
    beside.replace(folder / SUMS)


def open_sealed(folder: Path) -> EvaluationTable:
    """A table that the command line made, after a look at all of it: a second a gigabyte.

    One without checksums, of an older version of the program, is opened as it is.

    Raises:
        DatasetError: as `EvaluationTable`, or its files are not those that were written.
    """
    try:
        whole = json.loads((folder / SUMS).read_text(encoding="utf-8")) == _sums(folder)
    except FileNotFoundError:
        whole = not (folder / SUMS).is_symlink()
    except (OSError, ValueError):
        whole = False
    if not whole:
        log.warning("%s is damaged.", folder)
        raise DatasetError(f"{folder}: the evaluation is damaged. Evaluate the data set again, with --fresh.")
    return EvaluationTable(folder)


def _sums(folder: Path) -> dict[str, str]:
    """The SHA-256 of a table's files: Parquet notices no changed pixel by itself."""
    return {path.name: sha256(path) for path in sorted([folder / ABOUT, *folder.glob("part-*.parquet")])}


def write_table(
    folder: Path, predictor: Predictor, data: LabelledDigits, *, progress: Progress | None = None
) -> None:
    """Computes a table into an empty folder.

    Raises:
        DatasetError: no digit of the model's classes.
    """
    n = 0
    if progress:
        progress(0, len(data))
    for part, start in enumerate(range(0, len(data), PART)):
        end = min(start + PART, len(data))
        names = data.names[start:end]
        rows = rows_of(predictor, data.images[start:end], data.labels[start:end], names=names, first=start)
        write_part(folder, part, rows)
        n += rows.num_rows
        if progress:
            progress(end, len(data))
    if not n:
        raise DatasetError(
            f"{data.name} has no digit of the model's classes {', '.join(map(str, predictor.classes))}. "
            "Choose another data set, or another model."
        )
    about = About(
        data.name,
        data.source,
        predictor.classes,
        n,
        len(data) - n,
        data.skipped,
        predictor.key,
        predictor.fitted,
        data.digest,
    )
    write_about(folder, about)


def _put(written: Path, folder: Path, n: int) -> None:
    if not _is_whole(folder, n):  # what a process left that was killed, or damage
        with suppress(OSError):
            shutil.rmtree(folder) if folder.is_dir() else folder.unlink(missing_ok=True)
    try:
        written.rename(folder)
    except OSError:
        if not _is_whole(folder, n):  # else another process was first, with the same rows
            raise


def _forget_old() -> None:
    tables = sorted(tables_folder().glob("[!.]*"), key=_changed, reverse=True)
    killed = [new for new in tables_folder().glob(".new-*") if _changed(new) < time.time() - ABANDONED]
    for folder in [*tables[MOST_TABLES:], *killed]:
        shutil.rmtree(folder, ignore_errors=True)


def _changed(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except FileNotFoundError:  # another process forgot it first
        return 0.0
