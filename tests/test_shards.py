"""Shards, whoever evaluates them in whatever order, give the rows that one process gives."""

import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import parquet

from core.datasets import load_dataset
from core.errors import DatasetError
from core.manifest import Manifest, plan
from core.predictor import Predictor
from core.preprocess import prepare
from core.shards import finish, finished, missing, write_shard
from core.table import EvaluationTable
from tests.tables import assert_same_rows, draw, expected_rows, files_of


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Twenty-two pictures, and at the start, in the middle and at the end six files that can't be used."""
    dataset = tmp_path / "pictures"
    for seed in range(22):
        draw(dataset / str(seed % 8) / f"writer{seed % 3}" / f"{seed}.png", seed)
    for name in ("0/0.jpg", "3/bad.gif", "3/worse.gif", "7/z.jpg"):
        (dataset / name).write_bytes(b"no picture")
    draw(dataset / "ten" / "10.png", 10)
    (dataset / "README").touch()
    return dataset


def begin(out: Path, dataset: Path, predictor: Predictor, *, shard_size: int = 5) -> Manifest:
    return plan(out, dataset, weights=predictor.key, fitted=predictor.fitted, shard_size=shard_size)


def evaluate_all(out: Path, dataset: Path, predictor: Predictor, *, shard_size: int = 5) -> EvaluationTable:
    manifest = begin(out, dataset, predictor, shard_size=shard_size)
    for shard in reversed(missing(out, manifest)):
        write_shard(out, manifest, shard, predictor)
    finish(out, manifest, predictor.classes)
    return EvaluationTable(out)


def test_shards_give_the_rows_of_one_process_and_name_what_they_skip(tmp_path, pictures, cnn: Predictor):
    table = evaluate_all(tmp_path / "out", pictures, cnn)
    assert_same_rows(tmp_path / "out", expected_rows(pictures, cnn))
    assert (len(table), table.about.left_out, table.about.classes) == (22, 0, cnn.classes)
    assert sorted(table.about.skipped) == sorted(load_dataset(pictures).skipped)
    assert len(table.about.skipped) == 6
    assert len(list((tmp_path / "out").glob("part-*"))) == 6
    assert [row.name for row in table.rows([21])] == [str(files_of(pictures)[21].relative_to(pictures))]


def test_digits_of_other_classes_keep_their_places_and_are_counted(tmp_path, pictures, linear: Predictor):
    table = evaluate_all(tmp_path / "out", pictures, linear)
    assert_same_rows(tmp_path / "out", expected_rows(pictures, linear))
    assert (len(table), table.about.left_out, len(table.about.skipped)) == (5, 17, 6)


def test_a_shard_without_a_usable_picture_has_a_part_without_rows(tmp_path, pictures, cnn: Predictor):
    evaluate_all(tmp_path / "out", pictures, cnn, shard_size=1)
    parts = [parquet.read_metadata(part) for part in sorted((tmp_path / "out").glob("part-*"))]
    assert sorted(part.num_rows for part in parts) == [0] * 6 + [1] * 22
    assert_same_rows(tmp_path / "out", expected_rows(pictures, cnn))


def test_parquet_gives_the_rows_of_its_pictures(tmp_path, pictures, cnn: Predictor):
    files = files_of(pictures)
    columns = {
        "image": [file.read_bytes() for file in files],
        "label": [int(file.relative_to(pictures).parts[0]) for file in files],
        "name": [str(file.relative_to(pictures)) for file in files],
    }
    rows = pa.table(columns)
    (tmp_path / "rows").mkdir()
    parquet.write_table(rows.slice(0, 9), tmp_path / "rows" / "a.parquet", row_group_size=4)
    parquet.write_table(rows.slice(9), tmp_path / "rows" / "b.parquet", row_group_size=3)
    table = evaluate_all(tmp_path / "out", tmp_path / "rows", cnn)
    assert_same_rows(tmp_path / "out", expected_rows(pictures, cnn))
    assert table.about.skipped == ()


def test_784_bytes_are_pixels_unless_they_are_a_picture_file(
    tmp_path, cnn: Predictor, random_pictures, seven
):
    file = io.BytesIO()
    Image.fromarray(seven[::7, ::7]).save(file, "PNG")
    png = file.getvalue().ljust(784, b"\0")
    raw = random_pictures[0].tobytes()
    assert (len(png), len(raw)) == (784, 784)
    content = {"image": pa.array([raw, png], pa.binary(784)), "label": pa.array([3, 7], pa.uint8())}
    parquet.write_table(pa.table(content), tmp_path / "rows.parquet")
    table = evaluate_all(tmp_path / "out", tmp_path / "rows.parquet", cnn)
    first, second = table.rows([0, 1])
    np.testing.assert_array_equal(first.pixels, random_pictures[0])
    np.testing.assert_array_equal(second.pixels, prepare(png).pixels)
    assert (first.label, second.label, first.name) == (3, 7, "")


def test_rows_of_parquet_that_cannot_be_used_are_named(tmp_path, cnn: Predictor, random_pictures):
    raw = random_pictures[0].tobytes()
    content = {
        "image": pa.array([raw, raw, None, b"", raw]),
        "label": pa.array([10, None, 1, 1, 4]),
        "name": pa.array(["ten", None, None, "empty", "good"]),
    }
    parquet.write_table(pa.table(content), tmp_path / "rows.parquet")
    table = evaluate_all(tmp_path / "out", tmp_path / "rows.parquet", cnn)
    (row,) = table.rows(range(5))
    assert (row.index, row.name, row.label) == (0, "good", 4)
    starts = (
        "ten: label 10 is",
        "row 1: label None is",
        "row 2: `image` is empty",
        "empty: the file is empty",
    )
    for reason, start in zip(table.about.skipped, starts, strict=True):
        assert start in reason


def test_damaged_places_of_parquet_are_named_row_by_row_and_the_rest_is_read(
    tmp_path, cnn: Predictor, random_pictures
):
    folder = tmp_path / "rows"
    folder.mkdir()
    content = pa.table({"image": [picture.tobytes() for picture in random_pictures[:12]], "label": [4] * 12})
    for name in ("a", "b", "c"):
        parquet.write_table(content, folder / f"{name}.parquet", row_group_size=4)
    with parquet.ParquetFile(folder / "b.parquet") as file:
        column = file.metadata.row_group(1).column(0)
        begin_at = column.dictionary_page_offset or column.data_page_offset
    written = bytearray((folder / "b.parquet").read_bytes())
    written[begin_at : begin_at + column.total_compressed_size] = bytes(column.total_compressed_size)
    (folder / "b.parquet").write_bytes(written)
    (folder / "c.parquet").write_bytes(b"PAR1, cut off")
    table = evaluate_all(tmp_path / "out", folder, cnn)
    assert (len(table), table.column("index").tolist()) == (20, list(range(20)))
    places = [
        "b.parquet, row 4",
        "b.parquet, row 5",
        "b.parquet, row 6",
        "b.parquet, row 7",
        "c.parquet, row 0",
    ]
    assert [reason.split("/")[-1].split(":")[0] for reason in table.about.skipped] == places
    assert all("Write it again" in reason for reason in table.about.skipped)


def test_a_damaged_or_lost_part_is_done_again(tmp_path, pictures, cnn: Predictor):
    out = tmp_path / "out"
    evaluate_all(out, pictures, cnn)
    manifest = begin(out, pictures, cnn)
    assert finished(out, manifest)
    (out / "part-00001.parquet").write_bytes(b"rubbish")
    (out / "part-00003.parquet").unlink()
    assert not finished(out, manifest)
    assert missing(out, manifest) == [1, 3]
    evaluate_all(out, pictures, cnn)
    assert_same_rows(out, expected_rows(pictures, cnn))


def test_only_missing_parts_and_those_of_another_evaluation_are_missing(tmp_path, pictures, cnn, linear):
    manifest = begin(tmp_path / "out", pictures, cnn)
    other = begin(tmp_path / "other", pictures, linear)
    write_shard(tmp_path / "out", manifest, 1, cnn)
    write_shard(tmp_path / "other", other, 4, linear)
    (tmp_path / "other" / "part-00004.parquet").rename(tmp_path / "out" / "part-00004.parquet")
    (tmp_path / "out" / ".part-00003.parquet.77").touch()
    assert missing(tmp_path / "out", manifest) == [0, 2, 3, 4, 5]
    with pytest.raises(DatasetError, match=r"lacks part 0\. Run the same command again"):
        finish(tmp_path / "out", manifest, cnn.classes)


def test_finishing_can_be_killed_anywhere_and_done_again(tmp_path, pictures, cnn, monkeypatch):
    manifest = begin(tmp_path / "out", pictures, cnn)
    for shard in range(manifest.shards):
        write_shard(tmp_path / "out", manifest, shard, cnn)
    (tmp_path / "out" / ".part-00003.parquet.77").touch()
    for renumbered in (1, 2):
        calls = []

        def killed(*arguments, calls=calls, allowed=renumbered, write=parquet.write_table, **options):
            calls.append(arguments)
            if len(calls) > allowed:
                raise KeyboardInterrupt
            write(*arguments, **options)

        monkeypatch.setattr(parquet, "write_table", killed)
        with pytest.raises(KeyboardInterrupt):
            finish(tmp_path / "out", manifest, cnn.classes)
        monkeypatch.undo()
        assert missing(tmp_path / "out", manifest) == []
    finish(tmp_path / "out", manifest, cnn.classes)
    assert_same_rows(tmp_path / "out", expected_rows(pictures, cnn))
    assert not list((tmp_path / "out").glob(".*"))


def test_a_data_set_without_a_usable_picture_is_an_error(tmp_path, linear: Predictor):
    draw(tmp_path / "pictures" / "0" / "a.png", 1)
    (tmp_path / "pictures" / "0" / "b.png").write_bytes(b"no picture")
    with pytest.raises(
        DatasetError, match=r"no usable picture of the classes 3, 7 \(1 skipped, the first: .*b.png"
    ):
        evaluate_all(tmp_path / "out", tmp_path / "pictures", linear)
