"""What a model says of every digit of a data set: Parquet that is queried, never loaded whole."""

import glob
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from jaxtyping import Float32, Int64, UInt8

from core.array_cache import cache_key
from core.cores import WORKERS
from core.errors import DatasetError
from core.selection import ORDERS, PLACES, Selection

SCHEMA_VERSION = 2
ABOUT = "about.json"
MEMORY = "256MB"  # of a query; what is larger goes to the disk
EVERY = Selection()


@dataclass(frozen=True, eq=False)
class DigitRow:
    """One digit and what the model says of it.

    Attributes:
        index: its place in the data set.
        name: the file it came from; empty for digits that came as arrays.
        label: the digit that people say it shows.
        prediction: the most probable class.
        confidence: its probability, in [0, 1].
        margin: the highest probability minus the second, in [0, 1].
        loss: the cross-entropy, −ln p(label), ≥ 0.
        unusualness: higher = more unusual; the checkpoint's detector's score (`core.unusual`), or without
            one the energy −ln Σ exp(logit) (Liu et al. 2020, arXiv:2010.03759).
        probabilities: one a class, in the order of `classes`.
        classes: the digits that the model knows.
        pixels: what the model saw.
        embedding: the features that the last layers read.
    """

    index: int
    name: str
    label: int
    prediction: int
    confidence: float
    margin: float
    loss: float
    unusualness: float
    probabilities: Float32[np.ndarray, " k"]
    classes: tuple[int, ...]
    pixels: UInt8[np.ndarray, "28 28"]
    embedding: Float32[np.ndarray, " d"]


@dataclass(frozen=True)
class About:
    """`about.json`: what a table is of.

    Attributes:
        dataset: the data set's name or path.
        source: where it comes from, for people to read.
        classes: the digits that the model knows.
        n: how many rows there are.
        left_out: digits of classes that the model does not know; they have no row.
        skipped: files that could not be used, with the reason.
        weights: SHA-256 of the model's weights.
        fitted: what was fitted to them afterwards (`Predictor.fitted`).
        digest: SHA-256 of the data set.
    """

    dataset: str
    source: str
    classes: tuple[int, ...]
    n: int
    left_out: int
    skipped: tuple[str, ...]
    weights: str
    fitted: str
    digest: str
    schema_version: int = SCHEMA_VERSION


def write_about(folder: Path, about: About) -> None:
    """Puts `about.json` there: with it a table is finished."""
    beside = folder / f".{ABOUT}.{os.getpid()}"
    beside.write_text(json.dumps(asdict(about), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    beside.replace(folder / ABOUT)


class EvaluationTable:
    """A finished table, safe to share between threads.

    Args:
        folder: where it lies.
        remedy: what to do about a damaged one, for the error.
        damaged: called when it turns out to be damaged.

    Raises:
        DatasetError: the folder holds no finished table, one of another version, or not all of its rows.
    """

    def __init__(
        self,
        folder: Path,
        *,
        remedy: str = "Evaluate the data set again.",
        damaged: Callable[[], None] = lambda: None,
    ):
        self.folder, self.about = folder, read_about(folder)
        self._remedy, self._damaged = remedy, damaged
        self._connection = duckdb.connect()
        self._connection.execute(f"SET memory_limit = '{MEMORY}'; SET threads = {WORKERS}")
        parts = glob.escape(str(folder)) + "/part-*.parquet"
        self._parts = "'" + parts.replace("'", "''") + "'"
        found = self.count(EVERY)  # from the parts' footers
        if found != self.about.n:
            self._damaged()
            raise DatasetError(f"{folder}: {found:,} of {self.about.n:,} rows are left. {remedy}")

    def __len__(self) -> int:
        return self.about.n

    @property
    def embedding_key(self) -> str:
        """What decides the embeddings, for caches."""
        return cache_key(self.about.weights, self.about.digest)

    @property
    def key(self) -> str:
        """What decides the whole content, for caches."""
        return f"{self.embedding_key}-{self.about.fitted}"

    def confusion(self, selection: Selection = EVERY) -> Int64[np.ndarray, "k k"]:
        """Counts, row = true digit, column = predicted digit, in the order of the classes."""
        found = self._select("label, prediction, count(*) AS n", selection, "GROUP BY label, prediction")
        matrix = np.zeros((len(self.about.classes),) * 2, dtype=np.int64)
        rows, columns = (np.searchsorted(self.about.classes, found[name]) for name in ("label", "prediction"))
        matrix[rows, columns] = found["n"]
        return matrix

    def count(self, selection: Selection) -> int:
        """How many digits are selected."""
        return int(self._select("count(*) AS n", selection)["n"][0])

    def indices(
        self, selection: Selection, *, order: str = "loss", offset: int = 0, limit: int | None = None
    ) -> list[int]:
        """The places of the selected digits, in order; equal ones by place.

        Args:
            selection: which digits.
            order: a key of `core.selection.ORDERS`.
            offset: how many to pass over.
            limit: how many to give at most.
        """
        column, falling = ORDERS[order]
        end = "" if limit is None else f" LIMIT {int(limit)}"
        tail = f'ORDER BY "{column}" {"DESC" if falling else ""}, "index"{end} OFFSET {int(offset)}'
        return self._select('"index"', selection, tail)["index"].tolist()  # type: ignore[no-any-return]

    def rows(self, indices: Sequence[int]) -> list[DigitRow]:
        """The digits at these places, in this order; a place that has no row is left out."""
        if not len(indices):
            return []
        found = self._query(f'SELECT * FROM {self._parts} WHERE "index" IN ({PLACES})', [list(indices)])
        rows = {row["index"]: self._row(row) for row in found.to_pylist()}
        return [rows[index] for index in indices if index in rows]

    def beside(
        self, index: int, selection: Selection, *, order: str = "loss"
    ) -> tuple[int | None, int | None, int | None]:
        """The digits before and after one in the selection's order, and its place in it from 0.

        A digit that is not selected itself has the neighbours that it would have, and no place.
        """
        column, falling = ORDERS[order]
        value = self._query(f'SELECT "{column}" AS value FROM {self._parts} WHERE "index" = ?', [index])[
            "value"
        ]
        if not len(value):
            return None, None, None
        at = [value[0].as_py(), value[0].as_py(), index]
        before = f'("{column}" {">" if falling else "<"} ? OR ("{column}" = ? AND "index" < ?))'
        after = f'("{column}" {"<" if falling else ">"} ? OR ("{column}" = ? AND "index" > ?))'
        forward, backward = ("DESC", "") if falling else ("", "DESC")
        last = f'AND {before} ORDER BY "{column}" {backward}, "index" DESC LIMIT 1'
        first = f'AND {after} ORDER BY "{column}" {forward}, "index" LIMIT 1'
        previous, following = (
            self._select('"index"', selection, tail, at)["index"].tolist() for tail in (last, first)
        )
        selected = self._select("count(*) AS n", selection, 'AND "index" = ?', [index])["n"][0]
        place = int(self._select("count(*) AS n", selection, f"AND {before}", at)["n"][0])
        return next(iter(previous), None), next(iter(following), None), place if selected else None

    def column(self, name: str, selection: Selection = EVERY) -> np.ndarray:
        """One number of every selected digit, by place, such as `label`, `confidence` or `loss`."""
        return self._select(f'"{name}"', selection, 'ORDER BY "index"')[name]

    def embeddings(self, selection: Selection = EVERY) -> Float32[np.ndarray, "n d"]:
        """The embeddings of the selected digits, by place."""
        where, values = selection.where()
        found = self._query(f'SELECT embedding FROM {self._parts} WHERE {where} ORDER BY "index"', values)
        content = b"".join(found["embedding"].to_pylist())
        return np.frombuffer(content, "<f2").reshape(len(found), -1).astype(np.float32)

    def probabilities(self) -> Float32[np.ndarray, "n k"]:
        """What every class was given, by place, in the order of the classes."""
        found = self._query(f'SELECT probabilities FROM {self._parts} ORDER BY "index"', [])
        flat = found["probabilities"].combine_chunks().flatten().to_numpy()
        return flat.reshape(len(found), -1).astype(np.float32, copy=False)  # type: ignore[no-any-return]

    def _row(self, row: dict[str, Any]) -> DigitRow:
        arrays = {
            "probabilities": np.array(row["probabilities"], dtype=np.float32),
            "pixels": np.frombuffer(row["pixels"], np.uint8).reshape(28, 28),
            "embedding": np.frombuffer(row["embedding"], "<f2").astype(np.float32),
        }
        return DigitRow(**(row | arrays), classes=self.about.classes)

    def _select(
        self, what: str, selection: Selection, tail: str = "", more: Sequence[Any] = ()
    ) -> dict[str, np.ndarray]:
        where, values = selection.where()
        found = self._query(f"SELECT {what} FROM {self._parts} WHERE {where} {tail}", [*values, *more])
        return {name: found[name].to_numpy() for name in found.column_names}

    def _query(self, text: str, values: Sequence[Any]) -> pa.Table:
        try:
            with self._connection.cursor() as cursor:
                return cursor.sql(text, params=list(values)).to_arrow_table()
        except duckdb.Error as error:
            self._damaged()
            raise DatasetError(
                f"{self.folder}: the evaluation can't be read ({error}). {self._remedy}"
            ) from error


def read_about(folder: Path) -> About:
    """What a table is of.

    Raises:
        DatasetError: no finished table, or one of another version.
    """
    try:
        content = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        if content["schema_version"] != SCHEMA_VERSION:
            raise DatasetError(
                f"{folder / ABOUT}: version {content['schema_version']}, and this program knows "
                f"{SCHEMA_VERSION}. Delete the folder, and evaluate again."
            )
        lists = {name: tuple(content[name]) for name in ("classes", "skipped")}
        return About(**(content | lists))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"{folder} holds no finished evaluation ({error}). Evaluate again.") from error
