"""Arrays that cost seconds to compute, kept as files: whole or absent, and not more than a few."""

import hashlib
import io
import logging
import math
import os
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Shaped

DIGEST = 32  # bytes of a SHA-256; NumPy's reader looks at nothing behind the array
_log = logging.getLogger(__name__)


def cache_key(weights: str, data: str) -> str:
    """The key of what one model says of one data set.

    Args:
        weights: the SHA-256 of the weights (`Predictor.key`).
        data: the SHA-256 of the data set (`LabelledDigits.digest`).
    """
    return f"{weights[:12]}-{data[:12]}"


@dataclass(frozen=True)
class ArrayCache:
    """A folder of `<key>.npy` files, each with its SHA-256 behind the array. Threads and processes may share
    it.

    Attributes:
        folder: made when the first array is written.
        limit: how many files are kept at most; those not used for longest go.
    """

    folder: Path
    limit: int

    def read(
        self, key: str, *, shape: tuple[int | None, ...], kind: str = "f"
    ) -> Shaped[np.ndarray, "..."] | None:
        """The array, not writable; None where there is no such whole file.

        It is read and not mapped: who touches a mapped file that was cut meanwhile is killed by the system.

        Args:
            key: its name.
            shape: what it must be; None for any length along an axis.
            kind: of its numbers, as NumPy's `dtype.kind`.
        """
        path = self._path(key)
        try:
            found = _array(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError, EOFError) as error:
            _log.warning("%s is damaged (%s); it is computed anew.", path, error)
            return None
        fits = len(found.shape) == len(shape) and all(
            wanted in (None, length) for wanted, length in zip(shape, found.shape, strict=True)
        )
        if not fits or found.dtype.kind != kind:
            return None
        with suppress(OSError):  # a cache that may only be read
            os.utime(path)
        return found

    def write(self, key: str, array: Shaped[np.ndarray, "..."]) -> None:
        """Keeps an array. It appears under its name only when it is whole.

        A folder that can't be written costs time, not the answer: that is logged and no error.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self.folder, prefix=".new-") as temporary:
                written = Path(temporary) / "array.npy"
                np.save(written, array, allow_pickle=False)
                digest = hashlib.sha256(written.read_bytes()).digest()
                with written.open("ab") as file:
                    file.write(digest)
                if self._path(key).is_dir():  # damage, which no file can take the place of
                    shutil.rmtree(self._path(key))
                os.replace(written, self._path(key))
            self._forget()
        except OSError as error:
            _log.warning("%s can't be written (%s); it is computed anew next time.", self._path(key), error)

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.npy"

    def _forget(self) -> None:
        for path in sorted(self.folder.glob("*.npy"), key=_last_used)[: -self.limit]:
            path.unlink(missing_ok=True)


def _array(content: bytes) -> Shaped[np.ndarray, "..."]:
    """The array in a file's bytes; ValueError where they are not what was written."""
    if hashlib.sha256(memoryview(content)[:-DIGEST]).digest() != content[-DIGEST:]:
        raise ValueError("its SHA-256 differs")
    file = io.BytesIO(content)
    np.lib.format.read_magic(file)
    shape, by_column, kind = np.lib.format.read_array_header_1_0(file)
    flat = np.frombuffer(content, kind, math.prod(shape), file.tell())
    return flat.reshape(shape, order="F" if by_column else "C")


def _last_used(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # another process forgot it first
        return 0.0
