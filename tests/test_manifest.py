"""The manifest of a large evaluation: everything in one order, and another input is noticed."""

import os
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from core.errors import DatasetError
from core.files import Folder
from core.manifest import Manifest, clear, plan, read_manifest
from tests.tables import draw


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Nine pictures of three digits, in names and folders whose order is easy to get wrong."""
    names = (
        "0/b.png",
        "0/a/z.png",
        "0/a.png",
        "0/a-b.png",
        "0/B.png",
        "7/10.png",
        "7/9.png",
        "7/x/y/1.png",
        "9/1.png",
    )
    for seed, name in enumerate(names):
        draw(tmp_path / "pictures" / name, seed)
    for hidden in ("7/.hidden.png", "7/.git/a.png", "__MACOSX/7/a.png"):
        draw(tmp_path / "pictures" / hidden, 99)
    return tmp_path / "pictures"


def begin(out: Path, dataset: Path, *, weights: str = "w", shard_size: int = 4) -> Manifest:
    return plan(out, dataset, weights=weights, fitted="", shard_size=shard_size)


def write_parquet(path: Path, n: int, **columns: pa.Array) -> None:
    content = {"image": pa.array([b"x"] * n, pa.binary()), "label": pa.array([1] * n, pa.int64())}
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pa.table(content | columns), path)


def test_pictures_are_listed_by_sorted_path_in_shards(out: Path, pictures: Path):
    manifest = begin(out, pictures)
    assert (manifest.kind, manifest.pictures, manifest.shards) == ("files", 9, 3)
    shards = [[os.fsdecode(row["file"]) for row in manifest.rows(out, shard)] for shard in range(3)]
    assert [len(shard) for shard in shards] == [4, 4, 1]
    assert [name for shard in shards for name in shard] == Folder(pictures).names
    assert shards[0] == ["0/B.png", "0/a-b.png", "0/a.png", "0/a/z.png"]


def test_links_to_folders_are_followed_once_as_in_one_process(out: Path, pictures: Path, tmp_path: Path):
    draw(tmp_path / "elsewhere" / "b.png", 1)
    (pictures / "8").symlink_to(tmp_path / "elsewhere")
    (pictures / "7" / "round").symlink_to(pictures)
    manifest = begin(out, pictures, shard_size=99)
    assert [os.fsdecode(row["file"]) for row in manifest.rows(out, 0)] == Folder(pictures).names
    assert manifest.pictures == 10


def test_an_evaluation_cannot_be_written_into_its_data_set(pictures: Path):
    with pytest.raises(DatasetError, match=r"out lies in the data set .*Choose an --out outside"):
        begin(pictures / "out", pictures)


def test_rows_of_parquet_files_are_cut_where_a_shard_is_full(out: Path, tmp_path: Path):
    for name, n in (("a", 3), ("b", 0), ("c", 6)):
        write_parquet(tmp_path / "rows" / f"{name}.parquet", n)
    manifest = begin(out, tmp_path / "rows")
    assert (manifest.kind, manifest.pictures, manifest.shards) == ("parquet", 9, 3)
    spans = [
        [(row["file"], row["first"], row["n"]) for row in manifest.rows(out, shard)] for shard in range(3)
    ]
    assert spans == [
        [(b"a.parquet", 0, 3), (b"c.parquet", 0, 1)],
        [(b"c.parquet", 1, 4)],
        [(b"c.parquet", 5, 1)],
    ]


def test_the_same_input_goes_on_with_the_shards_it_began_with(out: Path, pictures: Path):
    begun = begin(out, pictures)
    listing = (out / "listing.parquet").stat()
    assert begin(out, pictures, shard_size=5) == begun == read_manifest(out)
    assert (out / "listing.parquet").stat().st_ino == listing.st_ino
    assert sorted(file.name for file in out.iterdir()) == ["listing.parquet", "manifest.json"]


def test_another_input_is_refused_and_named(out: Path, pictures: Path, tmp_path: Path):
    begin(out, pictures)
    with pytest.raises(DatasetError, match=r"begun with other weights .*--fresh, or choose another --out"):
        begin(out, pictures, weights="v")
    os.utime(pictures / "0" / "b.png", ns=(1, 1))
    with pytest.raises(DatasetError, match="begun with pictures that have changed since"):
        begin(out, pictures)
    draw(pictures / "9" / "2.png", 5)
    with pytest.raises(DatasetError, match=r"begun with another number of pictures \(9 pictures of "):
        begin(out, pictures)
    draw(tmp_path / "others" / "1" / "a.png", 5)
    with pytest.raises(DatasetError, match="another data set and another number of pictures"):
        begin(out, tmp_path / "others")
    assert not list(out.glob(".*"))


def test_a_folder_with_other_files_is_neither_written_to_nor_cleared(out: Path, pictures: Path):
    begin(out, pictures)
    (out / "thesis.txt").write_text("mine")
    for work in (lambda: begin(out, pictures), lambda: clear(out)):
        with pytest.raises(DatasetError, match=r"no evaluation's \(thesis.txt\)\. Choose a new folder"):
            work()
    assert (out / "manifest.json").exists()
    with pytest.raises(DatasetError, match="is a file"):
        begin(out / "thesis.txt", pictures)


def test_clearing_removes_an_evaluation_whole(out: Path, pictures: Path):
    begin(out, pictures)
    for name in ("part-00000.parquet", ".part-00001.parquet.77", "about.json"):
        (out / name).touch()
    clear(out)
    assert list(out.iterdir()) == []


def test_a_damaged_manifest_is_an_error_with_a_remedy(out: Path, pictures: Path):
    begin(out, pictures)
    (out / "manifest.json").write_text("{")
    with pytest.raises(DatasetError, match=r"manifest.json can't be read .*--fresh"):
        begin(out, pictures)


def test_what_is_no_large_data_set_is_refused(out: Path, tmp_path: Path):
    with pytest.raises(DatasetError, match="mnist-test: neither a folder with subfolders 0 to 9 nor Parquet"):
        begin(out, Path("mnist-test"))
    (tmp_path / "empty" / "3").mkdir(parents=True)
    with pytest.raises(DatasetError, match=r"empty: no picture\. Choose another data set"):
        begin(out, tmp_path / "empty")
    (tmp_path / "text.parquet").write_text("text")
    with pytest.raises(DatasetError, match=r"text.parquet: can't be read as Parquet"):
        begin(out, tmp_path / "text.parquet")


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        ({"image": pa.array(["path.png"])}, "image string"),
        ({"image": pa.array([b"abc"], pa.binary(3))}, r"image fixed_size_binary\[3\]"),
        ({"label": pa.array(["1"])}, "label string"),
    ],
)
def test_parquet_of_other_columns_is_refused(out: Path, tmp_path: Path, columns: dict, found: str):
    write_parquet(tmp_path / "a.parquet", 1, **columns)
    with pytest.raises(DatasetError, match=rf"its columns are .*{found}.*Give `image` \(binary"):
        begin(out, tmp_path / "a.parquet")
