"""Labelled digits from a name (`mnist-test`, `optdigits`) or from a path of the user's own."""

import os
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Int64, UInt8

from core import mnist
from core.errors import DatasetError, PictureError
from core.idx import read_idx

MNIST_PARTS = ("mnist-train", "mnist-validation", "mnist-test")
DATASETS = (*MNIST_PARTS, "optdigits")

Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)  # arrays have no single answer to ==
class LabelledDigits:
    """Pictures in MNIST's convention with the digits that people say they show.

    Attributes:
        name: one of `DATASETS`, or the path as it was given.
        images: white ink on black, 0 to 255.
        labels: the digits, 0 to 9.
        source: where the set comes from, for people to read.
        skipped: files that could not be used, with the reason.
    """

    name: str
    images: UInt8[np.ndarray, "n 28 28"]
    labels: Int64[np.ndarray, " n"]
    source: str
    skipped: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    def only(self, classes: Sequence[int]) -> "LabelledDigits":
        """The digits whose label is among `classes`."""
        chosen = np.isin(self.labels, classes)
        return LabelledDigits(self.name, self.images[chosen], self.labels[chosen], self.source, self.skipped)


def load_dataset(name_or_path: str | os.PathLike[str], *, progress: Progress | None = None) -> LabelledDigits:
    """Loads a data set by name or by path.

    Args:
        name_or_path: `mnist-train` (55,000), `mnist-validation` (5,000), `mnist-test` (10,000),
            `optdigits` (1,797, bundled with scikit-learn), or a path: a folder with one subfolder
            a class, an IDX file of images (its labels beside it), a folder with such files, or an
            NPZ file with `images` and `labels`. MNIST is downloaded where it is not at hand.
        progress: called with (done, total) while pictures are prepared or downloaded.

    Raises:
        DatasetError: unknown name, missing or damaged file, or a set without a usable digit.
    """
    name = str(name_or_path)
    if name in MNIST_PARTS:
        images, labels = mnist.load(name.removeprefix("mnist-"), progress=progress)
        source = "MNIST (LeCun, Cortes, Burges; CC BY-SA 3.0)"
        return LabelledDigits(name, images, labels, source)
    if name == "optdigits":
        return _optdigits(progress)
    path = Path(name_or_path)
    if not path.exists():
        raise DatasetError(
            f"No data set {name!r}: it is no path and none of the names {', '.join(DATASETS)}. "
            "Check the spelling, or give a folder of class subfolders, an IDX or an NPZ file."
        )
    return replace(_from_path(path, progress), name=name)


def _from_path(path: Path, progress: Progress | None) -> LabelledDigits:
    if path.suffix == ".npz":
        return _from_npz(path)
    if path.is_dir():
        indexed = sorted(path.glob("*-images-idx3-ubyte*"))
        return _from_idx(indexed[0]) if indexed else _from_folder(path, progress)
    return _from_idx(path)


def _optdigits(progress: Progress | None) -> LabelledDigits:
    from sklearn.datasets import load_digits  # a second to import, and only this set needs it

    bundled = load_digits()
    pictures = (bundled.images / 16 * 255).round().astype(np.uint8)
    images = np.stack(_prepared(list(pictures), progress))
    source = "Optical Recognition of Handwritten Digits (Alpaydin, Kaynak; UCI, CC BY 4.0), 8×8"
    return LabelledDigits("optdigits", images, bundled.target.astype(np.int64), source)


def _prepared(
    pictures: list[UInt8[np.ndarray, "h w"]], progress: Progress | None
) -> list[UInt8[np.ndarray, "28 28"]]:
    from core.preprocess import prepare  # SciPy's image functions: not needed for MNIST

    images = []
    for done, picture in enumerate(pictures, start=1):
        images.append(prepare(picture).pixels)
        if progress and (done % 50 == 0 or done == len(pictures)):
            progress(done, len(pictures))
    return images


def _from_npz(path: Path) -> LabelledDigits:
    try:
        with np.load(path, allow_pickle=False) as content:
            arrays = {key: content[key] for key in content.files}
    except (OSError, ValueError, EOFError, TypeError, zipfile.BadZipFile, zlib.error) as error:
        raise DatasetError(f"{path}: can't be read as NPZ ({error}). Save it again.") from error
    if not {"images", "labels"} <= set(arrays):
        found = ", ".join(arrays) or "nothing"
        raise DatasetError(f"{path}: holds {found}; save it with arrays `images` and `labels`.")
    return _checked(path, arrays["images"], arrays["labels"])


def _from_idx(path: Path) -> LabelledDigits:
    labels = path.with_name(path.name.replace("images-idx3", "labels-idx1"))
    if labels == path:
        raise DatasetError(
            f"{path}: an IDX file of images is named like MNIST's, `NAME-images-idx3-ubyte` or "
            "`….gz`, so that its labels are found beside it. Rename both files."
        )
    return _checked(path, read_idx(path), read_idx(labels))


def _checked(path: Path, images: np.ndarray, labels: np.ndarray) -> LabelledDigits:
    if images.dtype != np.uint8 or images.ndim != 3 or images.shape[1:] != (28, 28):
        raise DatasetError(
            f"{path}: images are {images.dtype} {images.shape}; they must be uint8 (n, 28, 28) in "
            "MNIST's convention. Put pictures of another size into a folder of class subfolders."
        )
    if labels.shape != (len(images),) or labels.dtype.kind not in "iu" or not len(labels):
        raise DatasetError(
            f"{path}: {len(images)} images, but labels {labels.dtype} {labels.shape}; "
            "give one whole number an image, and at least one image."
        )
    outside = np.unique(labels[(labels < 0) | (labels > 9)])
    if len(outside):
        raise DatasetError(f"{path}: label {outside[0]} is no digit from 0 to 9. Correct it.")
    return LabelledDigits(str(path), images, labels.astype(np.int64), str(path))


def _from_folder(path: Path, progress: Progress | None) -> LabelledDigits:
    from core.preprocess import prepare

    files = [
        file
        for digit in range(10)
        for file in sorted((path / str(digit)).rglob("*"))
        if file.is_file() and not file.name.startswith(".")
    ]
    images, labels, skipped = [], [], []
    for done, file in enumerate(files, start=1):
        try:
            images.append(prepare(file).pixels)
            labels.append(int(file.relative_to(path).parts[0]))
        except PictureError as error:
            skipped.append(str(error))
        if progress:
            progress(done, len(files))
    if not images:
        raise DatasetError(
            f"{path}: no usable picture in subfolders named 0 to 9"
            + (f" ({len(skipped)} skipped, the first: {skipped[0]})" if skipped else "")
            + ". Sort the pictures into one subfolder a digit."
        )
    stacked = np.stack(images), np.array(labels, dtype=np.int64)
    return LabelledDigits(str(path), *stacked, str(path), tuple(skipped))
