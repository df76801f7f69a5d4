"""Visitors' data sets: kept whole or not at all, found again by name, forgotten."""

import multiprocessing
import os
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core import own
from core.datasets import load_dataset
from core.errors import DatasetError
from core.labelled import LabelledDigits
from core.own import forget, own_datasets, own_folder, store, stored, title
from dashboard.parts.data_picker import problem
from dashboard.words import plain

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 28, 28), dtype=np.uint8)
DATA = LabelledDigits("x", IMAGES, np.array([4, 0, 9]), "mine.zip", ("y.png: broken",), ("a", "ü", "c"))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DIGITSCOPE_DATA", str(tmp_path / "data"))
    return tmp_path / "data" / "own"


def test_what_was_kept_comes_back_by_its_name(folder: Path):
    assert own_datasets() == []
    name = store(DATA, "Meine Ziffern (2).zip")
    assert name == f"own/meine-ziffern-2-{DATA.digest[:12]}"
    assert own_datasets() == [name]
    found = load_dataset(name)
    assert np.array_equal(found.images, IMAGES)
    assert found.labels.tolist() == [4, 0, 9]
    assert (found.name, found.source, found.skipped, found.names) == (
        name,
        "mine.zip",
        ("y.png: broken",),
        ("a", "ü", "c"),
    )
    assert found.digest == DATA.digest
    assert [path.name for path in folder.iterdir()] == [f"{name.removeprefix('own/')}.npz"]


def test_the_same_digits_are_kept_once_and_others_beside_them():
    names = {store(DATA, "a.zip"), store(DATA, "a.zip"), store(replace(DATA, names=()), "a.zip")}
    assert own_datasets() == sorted(names)
    assert len(names) == 2


@pytest.mark.parametrize("given", ["…", "", "../../etc/passwd.zip", "-.npz", "x" * 300])
def test_any_files_name_makes_a_plain_one(given: str, folder: Path):
    name = store(DATA, given)
    assert own.NAME.fullmatch(name)
    assert len(name) < 70
    assert len(list(folder.iterdir())) == len(own_datasets()) == 1


def test_what_is_forgotten_is_gone_and_stays_gone():
    name, other = store(DATA, "a.zip"), store(DATA, "b.zip")
    forget(name)
    forget(name)
    assert own_datasets() == [other]
    with pytest.raises(DatasetError, match=rf"No data set '{name}': kept are {other}\. Upload it again"):
        load_dataset(name)


@pytest.mark.parametrize(
    "name", ["own/../../x-0123456789ab", "own/x", "mnist-test", "own/X-0123456789ab", ""]
)
def test_other_names_never_become_paths(name: str):
    for work in (forget, stored):
        with pytest.raises(DatasetError, match="is no kept data set's name"):
            work(name)


@pytest.mark.parametrize("damage", ["cut", "other digits", "no text", "empty"])
def test_a_damaged_file_is_named(damage: str, folder: Path):
    name = store(DATA, "a.zip")
    path = folder / f"{name.removeprefix('own/')}.npz"
    if damage == "other digits":
        other = store(replace(DATA, labels=np.array([4, 0, 8])), "a.zip")
        (folder / f"{other.removeprefix('own/')}.npz").rename(path)
    elif damage == "no text":
        np.savez(path, images=IMAGES, labels=DATA.labels)
    else:
        path.write_bytes(path.read_bytes()[:-40] if damage == "cut" else b"")
    with pytest.raises(
        DatasetError, match=r"a-.*\.npz: damaged\. Delete it and upload the data set again"
    ) as said:
        load_dataset(name)
    assert problem(said.value, name).startswith(plain(f"data/{name}.npz: damaged")), (
        "the file by its own name"
    )


def test_a_write_that_breaks_off_leaves_nothing_to_be_seen(folder: Path, monkeypatch: pytest.MonkeyPatch):
    def full(file, **_arrays):
        file.write(b"PK")
        assert own_datasets() == []
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(own.np, "savez", full)
    with pytest.raises(DatasetError, match=r"own can't be written \(No space left on device\)\. Free some"):
        store(DATA, "a.zip")
    assert list(folder.iterdir()) == []


def test_what_a_killed_process_left_is_swept_after_an_hour(folder: Path):
    folder.mkdir(parents=True)
    old, young = folder / ".a-0.1.new", folder / ".b-0.2.new"
    for file in (old, young):
        file.write_bytes(b"PK")
    os.utime(old, (time.time() - 4000,) * 2)
    store(DATA, "a.zip")
    assert not old.exists()
    assert young.exists()
    assert len(own_datasets()) == 1


def test_there_are_limits(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(own, "MOST_DIGITS", 2)
    with pytest.raises(DatasetError, match=r"a\.zip: 3 digits; at most 2 are kept\. Split it"):
        store(DATA, "a.zip")
    monkeypatch.setattr(own, "MOST_DIGITS", 3)
    monkeypatch.setattr(own, "MOST_SETS", 1)
    name = store(DATA, "a.zip")
    assert store(DATA, "a.zip") == name, "it is there already"
    with pytest.raises(DatasetError, match=r"b\.zip: 1 data sets are kept already\. Forget one"):
        store(DATA, "b.zip")


def _store_often(seed: int) -> None:
    for _ in range(20):
        store(DATA, "a.zip")
        assert load_dataset(own_datasets()[0]).digest == DATA.digest


def test_two_processes_at_once_get_the_same_whole_file(folder: Path):
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_store_often, args=(seed,)) for seed in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert len(list(own_folder().iterdir())) == 1


def test_a_data_set_is_known_by_its_files_own_name():
    name = store(replace(DATA, source="ünïcödé 数字.zip, uploaded"), "ünïcödé 数字.zip")
    assert title(name) == "ünïcödé 数字.zip"
    forget(name)
    with pytest.raises(DatasetError, match=r"damaged\. Delete it and upload"):
        title(name)
