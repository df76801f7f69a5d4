"""Zip archives for tests, honest and hostile."""

import io
import stat
import zipfile

import numpy as np
from PIL import Image

SEVEN = np.zeros((40, 40), np.uint8)
SEVEN[8:12, 10:30] = SEVEN[8:32, 26:30] = 255
ONE = np.zeros((40, 40), np.uint8)
ONE[6:34, 18:22] = 255


def png(pixels: np.ndarray) -> bytes:
    """A picture's file."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def packed(files: dict[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """An archive of these files, in their order."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


def with_mode(name: str, mode: int) -> bytes:
    """An archive with a link (stat.S_IFLNK), a device or the like."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        info = zipfile.ZipInfo(name)
        info.create_system = 3
        info.external_attr = (mode | stat.S_IRUSR) << 16
        archive.writestr(info, "/etc/passwd")
    return file.getvalue()


def patched(archive: bytes, offset: int, value: bytes) -> bytes:
    """Writes into the first entry of the directory: flags at 8, the unpacked size at 24."""
    place = archive.index(b"PK\x01\x02") + offset
    return archive[:place] + value + archive[place + len(value) :]
