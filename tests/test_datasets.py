"""Data sets by name and by path."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from core.datasets import LabelledDigits, load_dataset
from core.errors import DatasetError
from core.idx import parse_idx
from core.preprocess import prepare
from tests.test_idx import idx
from tests.zips import packed, png

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 28, 28), dtype=np.uint8)
LABELS = np.array([4, 0, 9])


@pytest.fixture
def folder(tmp_path: Path, seven: np.ndarray) -> Path:
    """Two sevens, a one, a broken picture between them, a hidden file, and pictures of no digit."""
    root = tmp_path / "mine"
    for digit in ("1", "7", "no-digit", "11"):
        (root / digit).mkdir(parents=True)
    Image.fromarray(seven).save(root / "7" / "a.png")
    (root / "7" / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n but no more")
    Image.fromarray(255 - seven).save(root / "7" / "c.png")
    Image.fromarray(np.pad(np.full((200, 20), 255, np.uint8), 40)).save(root / "1" / "d.png")
    Image.fromarray(seven).save(root / "no-digit" / "e.png")
    Image.fromarray(seven).save(root / "11" / "f.png")
    (root / "7" / ".DS_Store").write_bytes(b"?")
    return root


def test_optdigits_are_scikit_learns_1797_digits(optdigits: LabelledDigits):
    bundled = load_digits()
    assert len(optdigits) == 1797
    assert np.bincount(optdigits.labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert np.array_equal(optdigits.labels, bundled.target)


def test_optdigits_went_through_our_preprocessing(optdigits: LabelledDigits):
    bundled = load_digits()
    for number in (0, 900, 1796):
        picture = (bundled.images[number] * 255 / 16).round().astype(np.uint8)
        assert np.array_equal(optdigits.images[number], prepare(picture).pixels)
    # MNIST's convention: a margin of four pixels round most digits.
    assert float((optdigits.images[:, 0].max(axis=1) == 0).mean()) > 0.95


def test_progress_ends_at_the_number_of_pictures(folder: Path):
    told: list[tuple[int, int]] = []
    load_dataset(folder, progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_only_keeps_the_digits_of_the_classes():
    data = LabelledDigits("x", IMAGES, LABELS, "here", ("y: broken",))
    kept = data.only((9, 4))
    assert kept.labels.tolist() == [4, 9]
    assert np.array_equal(kept.images, IMAGES[[0, 2]])
    assert (kept.name, kept.source, kept.skipped) == ("x", "here", ("y: broken",))


def test_a_broken_picture_and_those_of_no_class_are_skipped_and_named(folder: Path):
    data = load_dataset(folder)
    assert data.labels.tolist() == [1, 7, 7]
    assert [text.split(": ")[0] for text in data.skipped] == [
        str(folder / name) for name in ("11/f.png", "no-digit/e.png", "7/b.png")
    ]
    assert data.names == ("1/d.png", "7/a.png", "7/c.png")
    assert np.array_equal(data.images[1], prepare(folder / "7" / "a.png").pixels)
    assert data.name == str(folder)


def test_a_folder_without_digits_says_how_to_sort_them(tmp_path: Path):
    with pytest.raises(DatasetError, match=r"no usable picture in subfolders named 0 to 9\. Sort the"):
        load_dataset(tmp_path)


def test_a_folder_of_broken_pictures_names_the_first(tmp_path: Path):
    (tmp_path / "3").mkdir()
    (tmp_path / "3" / "x.png").write_bytes(b"no picture")
    with pytest.raises(DatasetError, match=r"1 skipped, the first: .*x\.png: not an image"):
        load_dataset(tmp_path)


def test_npz_is_taken_as_it_is(tmp_path: Path):
    np.savez(tmp_path / "own.npz", images=IMAGES, labels=LABELS.astype(np.uint8))
    data = load_dataset(tmp_path / "own.npz")
    assert np.array_equal(data.images, IMAGES)
    assert data.labels.tolist() == [4, 0, 9]
    assert data.labels.dtype == np.int64


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_idx_finds_its_labels_beside_it(tmp_path: Path, suffix: str):
    pack = gzip.compress if suffix else bytes
    path = tmp_path / f"own-images-idx3-ubyte{suffix}"
    path.write_bytes(pack(idx(IMAGES)))
    (tmp_path / f"own-labels-idx1-ubyte{suffix}").write_bytes(pack(idx(LABELS)))
    for given in (path, tmp_path, str(path)):
        data = load_dataset(given)
        assert np.array_equal(data.images, IMAGES)
        assert data.labels.tolist() == [4, 0, 9]


def test_idx_without_labels_names_the_file_that_is_missing(tmp_path: Path):
    (tmp_path / "own-images-idx3-ubyte").write_bytes(idx(IMAGES))
    with pytest.raises(DatasetError, match=r"own-labels-idx1-ubyte: no such file"):
        load_dataset(tmp_path)


def test_a_file_of_another_name_says_how_idx_is_named(tmp_path: Path):
    (tmp_path / "digits.bin").write_bytes(idx(IMAGES))
    with pytest.raises(DatasetError, match=r"digits\.bin: .*NAME-images-idx3-ubyte.*Rename both"):
        load_dataset(tmp_path / "digits.bin")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": IMAGES}, r"holds x; save it with arrays `images` and `labels`"),
        ({"images": IMAGES.astype(float), "labels": LABELS}, r"images are float64 \(3, 28, 28\); they must"),
        ({"images": IMAGES[:, :20], "labels": LABELS}, r"uint8 \(3, 20, 28\).*folder of class subfolders"),
        ({"images": IMAGES, "labels": LABELS[:2]}, r"3 images, but labels int64 \(2,\)"),
        ({"images": IMAGES, "labels": LABELS / 2}, r"labels float64 \(3,\); give one whole number"),
        ({"images": IMAGES, "labels": LABELS + 1}, r"label 10, of image 2, is no digit from 0 to 9"),
        ({"images": IMAGES[:0], "labels": LABELS[:0]}, r"0 images.*at least one image"),
    ],
)
def test_npz_of_another_form_is_refused_with_what_it_holds(tmp_path: Path, arrays, message: str):
    np.savez(tmp_path / "own.npz", **arrays)
    with pytest.raises(DatasetError, match=rf"own\.npz: .*{message}"):
        load_dataset(tmp_path / "own.npz")


@pytest.mark.parametrize("damage", ["empty", "no zip", "cut", "flipped", "npy"])
def test_a_damaged_npz_is_named(tmp_path: Path, damage: str):
    path = tmp_path / "own.npz"
    np.savez_compressed(path, images=IMAGES, labels=LABELS)
    whole = path.read_bytes()
    flipped = whole[:500] + bytes(byte ^ 0xFF for byte in whole[500:600]) + whole[600:]
    contents = {"empty": b"", "no zip": b"no zip", "cut": whole[:-9], "flipped": flipped}
    if damage in contents:
        path.write_bytes(contents[damage])
    else:
        with path.open("wb") as file:
            np.save(file, IMAGES)
    with pytest.raises(DatasetError, match=r"own\.npz: can't be read as NPZ .*Save it again"):
        load_dataset(tmp_path / "own.npz")


def test_pickled_arrays_are_refused(tmp_path: Path):
    np.savez(tmp_path / "own.npz", images=np.array([{}], dtype=object), labels=LABELS)
    with pytest.raises(DatasetError, match=r"own\.npz: can't be read as NPZ"):
        load_dataset(tmp_path / "own.npz")


def test_a_zip_is_loaded_by_its_path(tmp_path: Path, seven: np.ndarray):
    path = tmp_path / "mine.zip"
    path.write_bytes(packed({"mine/7/a.png": png(seven), "mine/7/b.png": b"?"}))
    data = load_dataset(path)
    assert (data.name, data.source, data.names) == (str(path), str(path), ("7/a.png",))
    assert np.array_equal(data.images[0], prepare(seven).pixels)
    assert data.skipped[0].startswith(f"{path}/mine/7/b.png: not an image")


def test_arrays_in_a_zip_are_taken_and_what_lies_beside_them_is_named(tmp_path: Path):
    np.savez(tmp_path / "own.npz", images=IMAGES, labels=LABELS)
    labels = {
        "labels-idx1-ubyte.gz": gzip.compress(idx(LABELS)),
        "images-idx3-ubyte.gz": gzip.compress(idx(IMAGES)),
    }
    forms = {
        "npz.zip": {"x/own.npz": (tmp_path / "own.npz").read_bytes(), "x/readme.txt": b"!"},
        "idx.zip": {"x/readme.txt": b"!"} | {f"x/own-{name}": content for name, content in labels.items()},
    }
    for name, files in forms.items():
        (tmp_path / name).write_bytes(packed(files))
        data = load_dataset(tmp_path / name)
        assert np.array_equal(data.images, IMAGES)
        assert data.labels.tolist() == [4, 0, 9]
        assert data.skipped == (f"{tmp_path / name}/x/readme.txt: not used beside the arrays.",)


def test_idx_in_a_zip_without_its_labels_and_an_idx_bomb_are_named(tmp_path: Path):
    path = tmp_path / "idx.zip"
    path.write_bytes(packed({"own-images-idx3-ubyte": idx(IMAGES)}))
    with pytest.raises(DatasetError, match=r"idx\.zip/own-labels-idx1-ubyte: no such file\. Add it"):
        load_dataset(path)
    with pytest.raises(DatasetError, match=r"x\.gz: unpacks to over 1 MB, the most that is read"):
        parse_idx(gzip.compress(idx(np.zeros(2**20 + 1, np.uint8))), name="x.gz", most=2**20)


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(DatasetError, match=r"'mnist-tset'.*mnist-train, .*optdigits.*Check the spelling"):
        load_dataset("mnist-tset")


def test_a_path_never_takes_a_named_sets_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    Path("optdigits").mkdir()
    np.savez("optdigits/x.npz", images=IMAGES, labels=LABELS)
    Path("optdigits/x.npz").rename("optdigits/mnist-test.npz")
    assert load_dataset("optdigits/mnist-test.npz").name == "optdigits/mnist-test.npz"
    with pytest.raises(DatasetError, match="no usable picture"):
        load_dataset("./optdigits")
