"""MNIST's four files: fetched by torchvision, verified, split by a fixed seed."""

import hashlib
import http.client
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from jaxtyping import Int64, UInt8

from core.errors import DatasetError
from core.idx import read_idx
from core.paths import data_folder

# The MD5s that torchvision publishes for the gzipped files.
FILES = {
    "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
    "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
    "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
}
SPLIT_SEED = 23
VALIDATION_SIZE = 5_000

# What a mirror or the disk may come up with; torchvision says RuntimeError for a wrong MD5.
FAILURES = (OSError, RuntimeError, http.client.HTTPException)

Progress = Callable[[int, int], None]


def folder() -> Path:
    """Where torchvision keeps MNIST as well."""
    return data_folder() / "MNIST" / "raw"


def missing() -> list[str]:
    """The files that are not at hand."""
    return [name for name in FILES if not (folder() / name).is_file()]


def load(
    part: str, *, progress: Progress | None = None
) -> tuple[UInt8[np.ndarray, "n 28 28"], Int64[np.ndarray, " n"]]:
    """Images and labels of one part, downloaded first where a file is missing.

    Args:
        part: `train` (55,000 digits), `validation` (the 5,000 others of the training files) or
            `test` (10,000).
        progress: called with (files done, files to fetch) while downloading.

    Raises:
        DatasetError: a file can't be fetched or is damaged.
    """
    prefix = "t10k" if part == "test" else "train"
    if any(name.startswith(prefix) for name in missing()):
        download(progress=progress)
    images = read_idx(_verified(f"{prefix}-images-idx3-ubyte.gz"))
    labels = read_idx(_verified(f"{prefix}-labels-idx1-ubyte.gz")).astype(np.int64)
    if part == "test":
        return images, labels
    order = np.random.default_rng(SPLIT_SEED).permutation(len(labels))
    validation, train = order[:VALIDATION_SIZE], order[VALIDATION_SIZE:]
    chosen = np.sort(validation if part == "validation" else train)
    return images[chosen], labels[chosen]


def download(*, progress: Progress | None = None) -> None:
    """Fetches the missing files with torchvision (MD5-checked, a bar on stderr).

    Each file appears under its name only when it is whole, so two processes may fetch at once.

    Raises:
        DatasetError: no mirror answered, or the disk can't be written.
    """
    from torchvision.datasets import MNIST  # seconds to import, and seldom needed
    from torchvision.datasets.utils import download_url

    wanted = missing()
    for done, name in enumerate(wanted):
        if progress:
            progress(done, len(wanted))
        try:
            folder().mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=folder()) as temporary:
                _fetch(name, temporary, MNIST.mirrors, download_url)
                os.replace(Path(temporary) / name, folder() / name)
        except FAILURES as error:
            raise DatasetError(
                f"{name} could not be fetched into {folder()} ({error}). Connect to a network and "
                "try again, copy MNIST's four .gz files into that folder, or use the data set optdigits, "
                "which needs no network."
            ) from error
    if progress and wanted:
        progress(len(wanted), len(wanted))


def _fetch(name: str, into: str, mirrors: list[str], download_url: Callable[..., None]) -> None:
    for mirror in mirrors:
        try:
            return download_url(mirror + name, into, filename=name, md5=FILES[name])
        except FAILURES as error:
            failure = error
    raise failure


def _verified(name: str) -> Path:
    path = folder() / name
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DatasetError(f"{path}: can't be read ({error.strerror}). Check who owns it.") from error
    if hashlib.md5(content, usedforsecurity=False).hexdigest() != FILES[name]:
        raise DatasetError(
            f"{path}: damaged: its MD5 is not {FILES[name]}. Delete the file; it is fetched again."
        )
    return path
