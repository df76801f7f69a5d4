"""Uploads: checked, prepared, kept."""

import io
from pathlib import Path

import numpy as np
import pytest

from core.archive import Limits
from core.datasets import load_dataset
from core.errors import DatasetError
from core.own import own_datasets
from core.uploads import keep
from tests.test_idx import idx
from tests.zips import ONE, SEVEN, packed, png

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 28, 28), dtype=np.uint8)
LABELS = np.array([4, 0, 9])
ZIP = packed({"mine/7/a.png": png(SEVEN), "mine/7/b.png": b"?", "mine/1/c.png": png(ONE)})


@pytest.fixture(autouse=True)
def _own_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGITSCOPE_DATA", str(tmp_path))


def npz(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


@pytest.mark.parametrize("content", [ZIP, io.BytesIO(ZIP)])
def test_an_upload_is_prepared_and_found_again_with_what_was_left_out(content: bytes | io.BytesIO):
    told: list[tuple[int, int]] = []
    name = keep(content, "C:\\fakepath\\Mine.zip", progress=lambda done, total: told.append((done, total)))
    data = load_dataset(name)
    assert name == f"own/mine-{data.digest[:12]}"
    assert (data.names, data.labels.tolist()) == (("1/c.png", "7/a.png"), [1, 7])
    assert data.source == "Mine.zip, uploaded"
    assert [text.split(": ")[0] for text in data.skipped] == ["Mine.zip/mine/7/b.png"]
    assert told == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (npz(images=IMAGES, labels=LABELS), "a.npz"),
        (packed({"x/a.npz": npz(images=IMAGES, labels=LABELS)}), "a.zip"),
        (packed({"own-images-idx3-ubyte": idx(IMAGES), "own-labels-idx1-ubyte": idx(LABELS)}), "A.ZIP"),
    ],
)
def test_arrays_are_kept_as_they_are(content: bytes, name: str):
    data = load_dataset(keep(content, name))
    assert np.array_equal(data.images, IMAGES)
    assert (data.labels.tolist(), data.names, data.skipped) == ([4, 0, 9], (), ())


@pytest.mark.parametrize("name", ["a.png", "labels.csv", "", "zip"])
def test_other_files_say_what_to_pack(name: str):
    with pytest.raises(DatasetError, match=r"neither a zip nor an NPZ file\. Pack the pictures with"):
        keep(png(SEVEN), name)


def test_what_is_refused_is_not_kept(monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(DatasetError, match=r"a\.zip: refused, as '\.\./x\.png' points out"):
        keep(packed({"7/a.png": png(SEVEN), "../x.png": b""}), "a.zip")
    monkeypatch.setattr("core.uploads.Limits", lambda: Limits(archive=len(ZIP) - 1))
    for content in (ZIP, io.BytesIO(ZIP)):
        with pytest.raises(DatasetError, match=r"a\.zip: over 0 MB, the most that is read"):
            keep(content, "a.zip")
    assert own_datasets() == []


def test_an_array_that_promises_more_than_it_holds_takes_no_memory():
    content = npz(images=IMAGES, labels=LABELS)
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        file, {"descr": "|u1", "fortran_order": False, "shape": (10**12, 28, 28)}
    )
    lying = packed({"images.npy": file.getvalue(), "labels.npy": content[:10]})
    with pytest.raises(DatasetError, match=r"a\.npz: can't be read as NPZ \(cannot reshape array of size 0"):
        keep(lying, "a.npz")


def test_an_npz_bomb_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("core.datasets.Limits", lambda: Limits(entry=2**20))
    bomb = npz(images=np.zeros((2000, 28, 28), np.uint8), labels=LABELS)
    assert len(bomb) < 10_000
    with pytest.raises(DatasetError, match=r"can't be read as NPZ \(a\.npz/images\.npy: over 1 MB unpacked"):
        keep(bomb, "a.npz")
