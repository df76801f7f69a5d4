"""Inputs that are no digits, as they lie in the data folder: IDX files, or any pictures, one set a folder."""

import posixpath
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from core.collection import prepared
from core.errors import DatasetError
from core.files import Files, Folder, legible
from core.idx import parse_idx
from core.labelled import Progress
from core.paths import data_folder

FOLDER = "ood"  # below the data folder
BESIDE = "notMNIST"  # may lie beside MNIST as well
PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff")
TRANSPOSED = "emnist-"  # NIST's files of it hold columns first

Pixels = UInt8[np.ndarray, "n 28 28"]


@dataclass(frozen=True, eq=False)
class Found:
    """What lies in one folder.

    Attributes:
        images: at most as many as were asked for.
        n: how many there are in all.
        skipped: files that could not be used, with the reason.
    """

    images: Pixels
    n: int
    skipped: tuple[str, ...] = ()


def folder() -> Path:
    """Where sets of one's own belong, a subfolder each."""
    return data_folder() / FOLDER


def found_folders() -> dict[str, Path]:
    """The folders with an IDX file of images or pictures, by name."""
    places = [path for path in sorted(folder().glob("[!.]*")) if path.is_dir()]
    beside = data_folder() / BESIDE
    if beside.is_dir() and BESIDE not in {path.name for path in places}:
        places.append(beside)
    return {legible(path.name): path for path in places if _idx(Folder(path)) or _pictures(Folder(path))}


def read_found(path: Path, n: int, *, seed: int = 0, progress: Progress | None = None) -> Found:
    """The pictures of one folder: those of its IDX file, else all picture files, through `prepare`.

    Args:
        path: the folder.
        n: how many, at most; more are sampled.
        seed: of the sample.
        progress: called with (done, total) while pictures are prepared.

    Raises:
        DatasetError: a damaged file, images of another size, or no usable picture.
    """
    files = Folder(path)
    idx = _idx(files)
    return _from_idx(files, idx, n, seed) if idx else _from_pictures(files, n, seed, progress)


def _idx(files: Files) -> str | None:
    """The IDX file of images to take: of test images where there are several."""
    names = [name for name in files.names if "images-idx3-ubyte" in posixpath.basename(name)]
    return min(names, key=lambda name: ("train" in posixpath.basename(name), name), default=None)


def _pictures(files: Files) -> list[str]:
    return [name for name in files.names if name.lower().endswith(PICTURES)]


def _from_idx(files: Files, name: str, n: int, seed: int) -> Found:
    where = f"{files.where}/{name}"
    images = parse_idx(files.read(name), name=where)
    if images.ndim != 3 or images.shape[1:] != (28, 28) or not len(images):
        raise DatasetError(
            f"{where}: holds {'×'.join(map(str, images.shape))}; give at least one image of 28×28, or put "
            "picture files of any size into the folder."
        )
    chosen = np.sort(np.random.default_rng(seed).permutation(len(images))[:n])
    pixels = images[chosen]
    if posixpath.basename(name).startswith(TRANSPOSED):
        pixels = pixels.transpose(0, 2, 1)
    return Found(np.ascontiguousarray(pixels), len(images))


def _from_pictures(files: Files, n: int, seed: int, progress: Progress | None) -> Found:
    names = _pictures(files)
    chosen = sorted(random.Random(seed).sample(names, min(n, len(names))))
    shown = ((f"{files.where}/{legible(name)}", files.picture(name)) for name in chosen)
    results = list(prepared(shown, len(chosen), progress))
    images = [result for result in results if not isinstance(result, str)]
    skipped = tuple(result for result in results if isinstance(result, str))
    if not images:
        reason = f" ({len(skipped)} skipped, the first: {skipped[0]})" if skipped else ""
        raise DatasetError(
            f"{files.where}: no usable picture{reason}. Put an IDX file of images of 28×28 there, or "
            f"pictures ({', '.join(PICTURES)})."
        )
    return Found(np.stack(images), len(names), skipped)
