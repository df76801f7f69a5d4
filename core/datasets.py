"""Labelled digits from a name (`mnist-test`, `optdigits`, `own/…`) or from a path of the user's own."""

import io
import os
import posixpath
from dataclasses import replace
from pathlib import Path

import numpy as np

from core import mnist, own
from core.archive import LOCAL, UNLIMITED, Archive, Limits
from core.errors import DatasetError, UnusableFile
from core.files import Files, Folder
from core.idx import parse_idx, read_idx
from core.labelled import LabelledDigits as LabelledDigits
from core.labelled import Progress as Progress
from core.labelling import root_of, shown

MNIST_PARTS = ("mnist-train", "mnist-validation", "mnist-test")
DATASETS = (*MNIST_PARTS, "optdigits")


def load_dataset(name_or_path: str | os.PathLike[str], *, progress: Progress | None = None) -> LabelledDigits:
    """Loads a data set by name or by path.

    Args:
        name_or_path: `mnist-train` (55,000), `mnist-validation` (5,000), `mnist-test` (10,000),
            `optdigits` (1,797, bundled with scikit-learn), a kept upload (`own/…`), or a path: a
            folder or a zip with one subfolder a class, with pictures and a CSV of labels
            (`core.listing`), or with an IDX file of images and its labels; an IDX file with its
            labels beside it; an NPZ file with `images` and `labels`, also in a zip. MNIST is
            downloaded where it is not at hand.
        progress: called with (done, total) while pictures are prepared or downloaded.

    Raises:
        DatasetError: unknown name, missing, damaged or hostile file, or a set without a usable digit.
    """
    name = str(name_or_path)
    if name in MNIST_PARTS:
        images, labels = mnist.load(name.removeprefix("mnist-"), progress=progress)
        source = "MNIST (LeCun, Cortes, Burges; CC BY-SA 3.0)"
        return LabelledDigits(name, images, labels, source)
    if name == "optdigits":
        return _optdigits(progress)
    if own.NAME.fullmatch(name):
        return own.stored(name)
    path = Path(name_or_path)
    if not path.exists():
        raise DatasetError(
            f"No data set {name!r}: it is no path and none of the names {', '.join(DATASETS)}. "
            "Check the spelling, or give a folder or a zip of class subfolders, an IDX or an NPZ file."
        )
    return replace(_from_path(path, progress), name=name)


def _from_path(path: Path, progress: Progress | None) -> LabelledDigits:
    if path.is_dir():
        return load_files(Folder(path), progress)
    if path.suffix.lower() in (".zip", ".npz"):
        return load_archive(path, str(path), progress=progress)
    return _from_idx(path)


def load_archive(source: Path | bytes, name: str, *, progress: Progress | None = None) -> LabelledDigits:
    """Loads a zip or an NPZ file.

    Args:
        source: a path, or the whole content.
        name: of the file, with its suffix.
        progress: see `load_dataset`.

    Raises:
        DatasetError: hostile, damaged, over a limit, or without a usable digit.
    """
    if not name.lower().endswith(".npz"):
        with Archive(source, where=name, limits=LOCAL if isinstance(source, Path) else None) as archive:
            return load_files(archive, progress)
    limits = UNLIMITED if isinstance(source, Path) else Limits()
    with Archive(source, where=name, limits=limits, form="NPZ") as archive:
        return _from_npz(archive)


def _optdigits(progress: Progress | None) -> LabelledDigits:
    from sklearn.datasets import load_digits  # a second to import, and only this set needs it

    from core.preprocess import prepare  # SciPy's image functions: not needed for MNIST

    bundled = load_digits()
    pictures = (bundled.images / 16 * 255).round().astype(np.uint8)
    images = []
    for done, picture in enumerate(pictures, start=1):  # too small for threads to win anything
        images.append(prepare(picture).pixels)
        if progress and (done % 50 == 0 or done == len(pictures)):
            progress(done, len(pictures))
    source = "Optical Recognition of Handwritten Digits (Alpaydin, Kaynak; UCI, CC BY 4.0), 8×8"
    return LabelledDigits("optdigits", np.stack(images), bundled.target.astype(np.int64), source)


def load_files(files: Files, progress: Progress | None = None) -> LabelledDigits:
    """By what lies in the folder, archive or bundle: IDX, NPZ (not in a folder here), or else pictures.

    Raises:
        DatasetError: as for `load_dataset`.
    """
    root = root_of(files)
    there = [name for name in files.names if posixpath.dirname(name) == root.rstrip("/")]
    indexed = [name for name in there if "-images-idx3-ubyte" in posixpath.basename(name)]
    packed = [name for name in there if files.wraps and name.lower().endswith(".npz")]
    if indexed:
        labels = _labels_of(indexed[0])
        arrays = (_idx_in(files, indexed[0]), _idx_in(files, labels))
        return _with_leftovers(_checked(shown(files, indexed[0]), *arrays), files, {indexed[0], labels})
    if packed:
        inner = shown(files, packed[0])
        with Archive(files.read(packed[0]), where=inner, form="NPZ") as archive:
            return _with_leftovers(_from_npz(archive), files, {packed[0]})
    from core.collection import collect  # SciPy's image functions: not needed for arrays

    found = collect(files, progress=progress)
    return LabelledDigits(files.where, found.images, found.labels, files.where, found.skipped, found.names)


def _with_leftovers(data: LabelledDigits, files: Files, used: set[str]) -> LabelledDigits:
    """A data set is one pair of IDX files or one NPZ file; what lies beside it is named."""
    left = (f"{shown(files, name)}: not used beside the arrays." for name in files.names if name not in used)
    return replace(data, source=files.where, skipped=(*files.skipped, *left))


def _from_npz(archive: Archive) -> LabelledDigits:
    found = [name.removesuffix(".npy") for name in archive.names]
    if not {"images", "labels"} <= set(found):
        raise DatasetError(
            f"{archive.where}: holds {', '.join(found[:9]) or 'nothing'}; save it with arrays `images` and "
            "`labels`."
        )
    try:
        contents = [archive.read(f"{name}.npy") for name in ("images", "labels")]
    except UnusableFile as error:
        raise DatasetError(f"{archive.where}: can't be read as NPZ ({error}). Save it again.") from error
    arrays = (_array(content, archive.where) for content in contents)
    return _checked(archive.where, *arrays)


def _array(content: bytes, where: str) -> np.ndarray:
    """An array in NumPy's format, whose memory is asked for only when its bytes are there."""
    file = io.BytesIO(content)
    try:
        version = np.lib.format.read_magic(file)
        read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        shape, by_column, kind = read[version](file)
        if min(shape, default=0) < 0:
            raise ValueError(f"a shape of {shape}")
        if kind.hasobject:
            raise ValueError("pickled objects")
        flat = np.frombuffer(content, dtype=kind, offset=file.tell())
        return flat.reshape(shape, order="F" if by_column else "C")
    except Exception as error:  # a damaged header makes NumPy's parser raise nearly anything
        raise DatasetError(f"{where}: can't be read as NPZ ({error}). Save it again.") from error


def _labels_of(images: str) -> str:
    return images.replace("images-idx3", "labels-idx1")


def _idx_in(files: Files, name: str) -> np.ndarray:
    return parse_idx(files.read(name), name=shown(files, name), most=files.most_bytes)


def _from_idx(path: Path) -> LabelledDigits:
    labels = path.with_name(_labels_of(path.name))
    if labels == path:
        raise DatasetError(
            f"{path}: an IDX file of images is named like MNIST's, `NAME-images-idx3-ubyte` or "
            "`….gz`, so that its labels are found beside it. Rename both files."
        )
    return _checked(str(path), read_idx(path), read_idx(labels))


def _checked(where: str, images: np.ndarray, labels: np.ndarray) -> LabelledDigits:
    if images.dtype != np.uint8 or images.ndim != 3 or images.shape[1:] != (28, 28):
        raise DatasetError(
            f"{where}: images are {images.dtype} {images.shape}; they must be uint8 (n, 28, 28) in "
            "MNIST's convention. Put pictures of another size into a folder of class subfolders."
        )
    if labels.shape != (len(images),) or labels.dtype.kind not in "iu" or not len(labels):
        raise DatasetError(
            f"{where}: {len(images)} images, but labels {labels.dtype} {labels.shape}; "
            "give one whole number an image, and at least one image."
        )
    outside = np.flatnonzero((labels < 0) | (labels > 9))
    if len(outside):
        more = f", as are {len(outside) - 1:,} more" if len(outside) > 1 else ""
        raise DatasetError(
            f"{where}: label {labels[outside[0]]}, of image {outside[0]}, is no digit from 0 to 9{more}. "
            "Correct it, or leave the image out."
        )
    return LabelledDigits(where, images, labels.astype(np.int64), where)
