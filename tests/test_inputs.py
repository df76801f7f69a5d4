"""Sets of inputs that are no digits: what they show, where they lie, and what is said of broken ones."""

import gzip
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core import generated_inputs
from core.datasets import LabelledDigits
from core.errors import DatasetError
from core.found_inputs import found_folders, read_found
from core.generated_inputs import RECIPES, made
from core.glyphs import LOOK_ALIKES, letters, symbols
from core.inputs import load_set, set_names
from tests.test_idx import idx

TEN = tuple(range(10))


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DIGITSCOPE_DATA", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("key", list(RECIPES))
def test_a_set_follows_from_its_seed_and_is_made_once(
    key: str, optdigits: LabelledDigits, monkeypatch: pytest.MonkeyPatch
):
    found = made(key, optdigits, 6, seed=1)
    assert found.dtype == np.uint8
    assert found.shape == (6, 28, 28)
    if key != "blank":
        assert all(picture.min() != picture.max() for picture in found)
        assert (made(key, optdigits, 6, seed=2) != found).any()
    kept = replace(RECIPES[key], make=lambda *_: pytest.fail("made again"))
    monkeypatch.setattr(generated_inputs, "RECIPES", {key: kept})
    np.testing.assert_array_equal(made(key, optdigits, 6, seed=1), found)


def test_digits_that_stay_digits_are_left_out(optdigits: LabelledDigits):
    pairs = (optdigits.images, optdigits.labels)
    by_picture = {picture.tobytes(): int(label) for picture, label in zip(*pairs, strict=True)}

    def labels(pictures: np.ndarray) -> set[int]:
        return {by_picture[np.ascontiguousarray(picture).tobytes()] for picture in pictures}

    assert labels(np.rot90(made("upside-down", optdigits, 60), 2, (1, 2))) == {3, 4, 7}
    assert labels(made("mirrored", optdigits, 60)[:, :, ::-1]) == {2, 3, 4, 5, 6, 7, 9}
    assert 0 not in labels(np.rot90(made("on-the-side", optdigits, 60), -1, (1, 2)))
    assert labels(255 - made("inverted", optdigits, 60)) == set(TEN)


def test_letters_are_of_fonts_that_have_them_and_none_looks_like_a_digit():
    found = letters()
    assert len({glyph.font for glyph in found}) >= 5, "matplotlib brings that many"
    assert not {glyph.character.lower() for glyph in found} & set(LOOK_ALIKES)
    assert {glyph.character for glyph in symbols()} >= set("&@#%?!+αβγ")


def test_a_model_of_two_digits_has_the_others_as_a_set(optdigits: LabelledDigits):
    assert "other-digits" not in set_names(TEN)
    found = load_set("other-digits", optdigits, (3, 7), n=50)
    assert len(found) == 50
    assert found.n == int((~np.isin(optdigits.labels, (3, 7))).sum())


def test_an_idx_file_is_a_set_and_test_images_come_first(own_folder: Path, optdigits: LabelledDigits):
    there = own_folder / "ood" / "strange" / "raw"
    there.mkdir(parents=True)
    (there / "train-images-idx3-ubyte").write_bytes(idx(np.zeros((3, 28, 28), np.uint8)))
    pictures = np.arange(5 * 784).reshape(5, 28, 28).astype(np.uint8)
    (there / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(pictures)))
    found = load_set("found/strange", optdigits, TEN, n=4)
    assert (found.name, len(found), found.n) == ("strange", 4, 5)
    assert {picture.tobytes() for picture in found.images} <= {picture.tobytes() for picture in pictures}


def test_notmnist_is_found_beside_mnist_too(own_folder: Path):
    there = own_folder / "notMNIST" / "raw"
    there.mkdir(parents=True)
    (there / "t10k-images-idx3-ubyte").write_bytes(idx(np.zeros((3, 28, 28), np.uint8)))
    assert list(found_folders()) == ["notMNIST"]
    assert next(iter(set_names(TEN))) == "found/notMNIST"


def test_emnist_lies_on_its_side_in_its_files(own_folder: Path):
    there = own_folder / "ood" / "letters"
    there.mkdir(parents=True)
    pictures = np.arange(2 * 784).reshape(2, 28, 28).astype(np.uint8)
    (there / "emnist-letters-test-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(pictures)))
    np.testing.assert_array_equal(read_found(there, 9).images, pictures.transpose(0, 2, 1))


def test_a_folder_of_pictures_is_a_set_without_what_is_broken(own_folder: Path, seven: np.ndarray):
    there = own_folder / "ood" / "mine" / "deeper"
    there.mkdir(parents=True)
    Image.fromarray(seven).save(there / "good.png")
    (there / "bad.png").write_bytes(b"no picture")
    (there / "notes.txt").write_text("not looked at")
    steps: list[tuple[int, int]] = []
    found = read_found(there.parent, 9, progress=lambda *step: steps.append(step))
    assert found.images.shape == (1, 28, 28)
    assert found.n == 2
    assert len(found.skipped) == 1
    assert "deeper/bad.png: " in found.skipped[0]
    assert steps[-1] == (2, 2)


def test_what_is_no_set_is_said(own_folder: Path, optdigits: LabelledDigits):
    (own_folder / "ood" / "empty").mkdir(parents=True)
    large = own_folder / "ood" / "large"
    large.mkdir()
    (large / "t10k-images-idx3-ubyte").write_bytes(idx(np.zeros((2, 32, 32), np.uint8)))
    bad = own_folder / "ood" / "bad"
    bad.mkdir()
    (bad / "a.png").write_bytes(b"no picture")
    assert list(found_folders()) == ["bad", "large"]
    with pytest.raises(DatasetError, match=r"large/t10k-images-idx3-ubyte: holds 2×32×32; give .* 28×28"):
        read_found(large, 5)
    with pytest.raises(DatasetError, match=r"bad: no usable picture \(1 skipped, the first: .*a\.png: "):
        read_found(bad, 5)
    with pytest.raises(DatasetError, match=r"^No set 'found/empty'\. There are found/bad, found/large, "):
        load_set("found/empty", optdigits, TEN)
