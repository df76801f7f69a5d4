"""FashionMNIST, KMNIST and EMNIST's letters: fetched on demand, by torchvision's addresses and checksums."""

import http.client
import os
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.errors import DatasetError
from core.found_inputs import folder

TEST_IMAGES = "t10k-images-idx3-ubyte.gz"
EMNIST_MEMBER = "gzip/emnist-letters-test-images-idx3-ubyte.gz"
# What a mirror or the disk may come up with; torchvision says RuntimeError for a wrong MD5.
FAILURES = (OSError, RuntimeError, http.client.HTTPException, zipfile.BadZipFile, KeyError)

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Fetchable:
    """A set that can be fetched.

    Attributes:
        name: torchvision's, and of its folder.
        shows: what a picture of it shows.
        megabytes: how much is transferred, about.
    """

    name: str
    shows: str
    megabytes: int

    @property
    def path(self) -> Path:
        """The folder that it is put into."""
        return folder() / self.name


FETCHABLE = (
    Fetchable("FashionMNIST", "clothes", 5),
    Fetchable("KMNIST", "cursive Japanese", 3),
    Fetchable("EMNIST-letters", "handwritten letters", 562),
)


def missing() -> list[Fetchable]:
    """The sets that are not at hand."""
    return [each for each in FETCHABLE if not each.path.is_dir()]


def fetch(wanted: Fetchable, *, progress: Progress | None = None) -> None:
    """Fetches the test images of one set; its folder appears when it is whole.

    Args:
        wanted: one of `FETCHABLE`.
        progress: called with (name, bytes done, bytes in all).

    Raises:
        DatasetError: no mirror answered, a file is not what torchvision expects, or the disk is not writable.
    """
    try:
        folder().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder(), prefix=".new-") as temporary:
            beside = Path(temporary) / wanted.name
            beside.mkdir()
            if progress:
                progress(wanted.name, 0, wanted.megabytes)
            (_fetch_letters if wanted.name.startswith("EMNIST") else _fetch_images)(wanted.name, beside)
            if not wanted.path.exists():  # another visitor may have been faster
                os.replace(beside, wanted.path)
            if progress:
                progress(wanted.name, wanted.megabytes, wanted.megabytes)
    except FAILURES as error:
        raise DatasetError(
            f"{wanted.name} could not be fetched into {folder()} ({error}). Connect to a network and try "
            f"again, or put its file of images ({TEST_IMAGES}) into {wanted.path}."
        ) from error


def _fetch_images(name: str, into: Path) -> None:
    from torchvision import datasets  # seconds to import, and seldom needed

    known = getattr(datasets, name)
    failure: Exception = RuntimeError(f"torchvision knows no mirror of {name}")
    for mirror in known.mirrors:
        try:
            return _download(mirror + TEST_IMAGES, into, dict(known.resources)[TEST_IMAGES])
        except FAILURES as error:
            failure = error
    raise failure


def _fetch_letters(_name: str, into: Path) -> None:
    """All of EMNIST comes in one archive; the letters to test with are kept."""
    from torchvision.datasets import EMNIST

    with tempfile.TemporaryDirectory(dir=into.parent) as temporary:
        _download(EMNIST.url, Path(temporary), EMNIST.md5)
        (archive,) = Path(temporary).iterdir()
        with zipfile.ZipFile(archive) as content:
            (into / Path(EMNIST_MEMBER).name).write_bytes(content.read(EMNIST_MEMBER))


def _download(address: str, into: Path, md5: str) -> None:
    from torchvision.datasets.utils import download_url

    download_url(address, str(into), md5=md5)
