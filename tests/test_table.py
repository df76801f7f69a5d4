"""Queries of an evaluation table against the same by NumPy."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from core.errors import DatasetError
from core.selection import ORDERS, Selection
from core.table import ABOUT, About, EvaluationTable, write_about
from core.tabulation import write_part

N = 300


def columns() -> dict[str, np.ndarray]:
    generator = np.random.default_rng(3)
    return {
        "index": np.arange(N),
        "label": generator.integers(0, 10, N).astype(np.int8),
        "prediction": generator.integers(0, 10, N).astype(np.int8),
        # Few values, so that many are equal and the order among these shows.
        "confidence": generator.choice([0.25, 0.5, 0.75, 1.0], N).astype(np.float32),
        "margin": generator.choice([0.0, 0.5], N).astype(np.float32),
        "loss": generator.exponential(1, N).astype(np.float32),
        "unusualness": generator.normal(0, 1, N).astype(np.float32),
    }


@pytest.fixture(scope="module")
def known() -> dict[str, np.ndarray]:
    return columns()


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory, known: dict[str, np.ndarray]) -> EvaluationTable:
    folder = tmp_path_factory.mktemp("it's [a] *table?")
    pixels = [bytes([row % 256]) * 784 for row in range(N)]
    embeddings = [np.array([row, 0.5], "<f2").tobytes() for row in range(N)]
    content = pa.table(
        {name: pa.array(values) for name, values in known.items()}
        | {
            "name": pa.array([f"{row}.png" for row in range(N)]),
            "probabilities": pa.array([[0.1] * 10] * N, pa.list_(pa.float32())),
            "pixels": pa.array(pixels, pa.binary(784)),
            "embedding": pa.array(embeddings, pa.binary(4)),
        }
    )
    write_part(folder, 0, content.slice(0, 200))
    write_part(folder, 1, content.slice(200))
    write_about(
        folder, About("some", "a test", tuple(range(10)), N, 0, ("x: bad",), "w" * 64, "f" * 8, "d" * 64)
    )
    return EvaluationTable(folder)


def test_the_matrix_counts_true_against_predicted(table, known):
    expected = np.zeros((10, 10), dtype=int)
    for label, prediction in zip(known["label"], known["prediction"], strict=True):
        expected[label, prediction] += 1
    assert table.confusion().tolist() == expected.tolist()
    assert table.confusion(Selection(label=4)).sum(axis=1).nonzero()[0].tolist() == [4]


@pytest.mark.parametrize(
    ("selection", "holds"),
    [
        (Selection(label=4), lambda k: k["label"] == 4),
        (Selection(prediction=9), lambda k: k["prediction"] == 9),
        (Selection(label=4, prediction=9), lambda k: (k["label"] == 4) & (k["prediction"] == 9)),
        (Selection(right=True), lambda k: k["label"] == k["prediction"]),
        (Selection(right=False), lambda k: k["label"] != k["prediction"]),
        (Selection(low=0.5, high=0.75), lambda k: (k["confidence"] >= 0.5) & (k["confidence"] <= 0.75)),
        (Selection(among=(5, 250, 7, 9999)), lambda k: np.isin(k["index"], [5, 7, 250])),
        (Selection(among=()), lambda k: k["index"] < 0),
        (Selection(without=(0, 1, 2)), lambda k: k["index"] > 2),
        (Selection(step=7, label=4), lambda k: (k["index"] % 7 == 0) & (k["label"] == 4)),
        (Selection(), lambda k: k["index"] >= 0),
    ],
)
def test_a_selection_finds_exactly_its_digits(table, known, selection, holds):
    expected = np.flatnonzero(holds(known)).tolist()
    assert sorted(table.indices(selection)) == expected
    assert table.column("index", selection).tolist() == expected
    assert table.count(selection) == len(expected)


@pytest.mark.parametrize("order", sorted(ORDERS))
def test_orders_put_the_telling_digits_first_and_equal_ones_by_place(table, known, order):
    column, falling = ORDERS[order]
    expected = np.lexsort((known["index"], -known[column] if falling else known[column])).tolist()
    assert table.indices(Selection(), order=order) == expected
    assert table.indices(Selection(), order=order, offset=40, limit=30) == expected[40:70]


@pytest.mark.parametrize("order", sorted(ORDERS))
def test_previous_and_next_walk_through_the_whole_selection(table, order):
    selection = Selection(right=True)
    expected = table.indices(selection, order=order)
    walked = [table.beside(index, selection, order=order) for index in expected]
    assert [place for _, _, place in walked] == list(range(len(expected)))
    assert [previous for previous, _, _ in walked] == [None, *expected[:-1]]
    assert [following for _, following, _ in walked] == [*expected[1:], None]


def test_a_digit_outside_the_selection_has_neighbours_and_no_place(table, known):
    errors = table.indices(Selection(right=False), order="index")
    index = next(row for row in range(10, N) if known["label"][row] == known["prediction"][row])
    previous, following, place = table.beside(index, Selection(right=False), order="index")
    assert previous == max(row for row in errors if row < index)
    assert following == min(row for row in errors if row > index)
    assert place is None
    assert table.beside(9999, Selection()) == (None, None, None)


def test_rows_come_in_the_order_asked_for_with_all_they_hold(table, known):
    rows = table.rows([250, 7, 9999])
    assert [row.index for row in rows] == [250, 7]
    assert rows[0].name == "250.png"
    assert rows[0].pixels.tolist() == [[250] * 28] * 28
    assert rows[1].embedding.tolist() == [7, 0.5]
    assert rows[1].loss == known["loss"][7]
    assert rows[1].probabilities.sum() == pytest.approx(1)
    assert table.rows([]) == []


def test_embeddings_come_by_place(table):
    assert table.embeddings(Selection(among=(250, 7))).tolist() == [[7, 0.5], [250, 0.5]]


def test_eight_threads_ask_at_once_and_get_what_one_gets(table):
    selections = [Selection(label=digit) for digit in range(10)] * 20
    alone = [table.indices(selection) for selection in selections]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(table.indices, selections)) == alone


def test_tables_of_another_version_or_without_a_description_are_refused(table, tmp_path: Path):
    content = json.loads((table.folder / ABOUT).read_text())
    (tmp_path / ABOUT).write_text(json.dumps(content | {"schema_version": 99}))
    with pytest.raises(DatasetError, match=r"version 99, and this program knows 2\. Delete the folder"):
        EvaluationTable(tmp_path)
    (tmp_path / ABOUT).write_text("{")
    with pytest.raises(DatasetError, match="holds no finished evaluation"):
        EvaluationTable(tmp_path)


def test_a_damaged_part_is_named(table, tmp_path: Path):
    (tmp_path / ABOUT).write_bytes((table.folder / ABOUT).read_bytes())
    (tmp_path / "part-00000.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(DatasetError, match=r"the evaluation can't be read .*Evaluate the data set again"):
        EvaluationTable(tmp_path).count(Selection())


def test_a_table_that_lost_rows_is_refused_and_says_how_many(table, tmp_path: Path):
    for name in (ABOUT, "part-00000.parquet"):
        (tmp_path / name).write_bytes((table.folder / name).read_bytes())
    told: list[str] = []
    with pytest.raises(DatasetError, match=r"200 of 300 rows are left\. Look again\.$"):
        EvaluationTable(tmp_path, remedy="Look again.", damaged=lambda: told.append("damaged"))
    assert told == ["damaged"]


def test_damage_that_comes_later_is_told_too(table, tmp_path: Path):
    for file in table.folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    told: list[str] = []
    opened = EvaluationTable(tmp_path, damaged=lambda: told.append("damaged"))
    assert opened.count(Selection(label=4)) == table.count(Selection(label=4))
    (tmp_path / "part-00001.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(DatasetError, match="the evaluation can't be read"):
        opened.count(Selection(label=4))
    assert told == ["damaged"]
