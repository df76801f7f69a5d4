"""One hostile or broken file, and the honest picture of a 3 that most of them are made of."""

import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw

EITHER, ANSWER, ERROR = "either", "answer", "error"
CHECKPOINT = "checkpoint"  # the door for checkpoints and weights of others
DIGIT = 3  # what every honest picture shows
FORMATS = {"png": "PNG", "jpg": "JPEG", "webp": "WEBP", "bmp": "BMP", "gif": "GIF", "tif": "TIFF"}


@dataclass(frozen=True)
class Case:
    """A file, and what must become of it.

    Attributes:
        kind: what is odd about it, for the table.
        name: of the file, with its suffix.
        content: of the file, or what makes it, where that takes long.
        must: `answer`: it is read, and right; `error`: it is refused in a sentence; `either`: nobody can say
            whether it can still be read.
        digit: what a picture shows; None where a change may have made anything of it.
        labelled: whether it is a data set, for `evaluate` and the Errors page, and not a picture.
        count: how many digits of a data set can be used.
        uploaded: whether it is hostile as an upload alone: on a machine of one's own it may be as large.
        place: puts it into a folder and gives its path, where it is no plain file.
        door: the only one that it is for; None for all that take files of its kind.
    """

    kind: str
    name: str
    content: bytes | Callable[[], bytes] = field(repr=False)
    must: str = ANSWER
    digit: int | None = DIGIT
    labelled: bool = False
    count: int | None = None
    uploaded: bool = False
    place: Callable[[Path], Path] | None = field(default=None, repr=False)
    door: str | None = None

    def fits(self, door: str) -> bool:
        """Whether it can be sent through a door."""
        if self.door or door == CHECKPOINT:
            return self.door == door
        if door == "command line":
            return not self.uploaded
        if self.place:  # browsers and programs send files, no paths
            return False
        return door == "page" or not self.labelled  # the API takes pictures

    def put(self, folder: Path) -> Path:
        """The path of the file, which is written there."""
        if self.place:
            return self.place(folder)
        path = folder / self.name
        path.write_bytes(self.content if isinstance(self.content, bytes) else self.content())
        return path


@cache
def three(side: int = 200) -> Image.Image:
    """A 3, white on black, anti-aliased."""
    full = side * 4
    large = Image.new("L", (full, full))
    pen, width = ImageDraw.Draw(large), max(4, round(full * 0.08))
    pen.arc((full * 0.3, full * 0.15, full * 0.68, full * 0.52), 200, 90, fill=255, width=width)
    pen.arc((full * 0.28, full * 0.52 - width, full * 0.7, full * 0.88), 270, 150, fill=255, width=width)
    return large.reduce(4)


@cache
def on_paper(mode: str = "RGB", side: int = 200) -> Image.Image:
    """The same in dark ink on white."""
    return three(side).point([255 - value for value in range(256)]).convert(mode)


def huge(width: int, height: int) -> Image.Image:
    """The same without a grey between, so that it packs to next to nothing."""
    return three(100).resize((width, height), Image.Resampling.NEAREST)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    """An image's file."""
    content = io.BytesIO()
    image.copy().save(content, kind, **options)  # a shared one would remember how it was saved
    return content.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    """A PNG's chunk, with its checksum."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def segment(marker: int, content: bytes) -> bytes:
    """A JPEG's segment."""
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(content) + 2) + content


def with_chunks(*chunks: bytes, png: bytes | None = None) -> bytes:
    """A PNG with chunks put behind its header."""
    png = saved(on_paper(), "PNG") if png is None else png
    return png[:33] + b"".join(chunks) + png[33:]


def with_segments(*segments: bytes, jpeg: bytes | None = None) -> bytes:
    """A JPEG with segments put behind its beginning."""
    jpeg = saved(on_paper(), "JPEG", quality=90) if jpeg is None else jpeg
    return jpeg[:2] + b"".join(segments) + jpeg[2:]


def boundaries(content: bytes, kind: str) -> list[int]:
    """Where the parts of a file begin: chunks, segments or blocks."""
    if kind == "PNG":
        return _walked(content, 8, lambda at: 12 + struct.unpack_from(">I", content, at)[0])
    if kind == "WEBP":
        return _walked(
            content, 12, lambda at: 8 + (struct.unpack_from("<I", content, at + 4)[0] + 1) // 2 * 2
        )
    if kind == "JPEG":
        places = [place for place in range(len(content) - 1) if content[place] == 0xFF]
        return [place for place in places if content[place + 1] not in (0, 0xFF)]
    return {"BMP": [2, 10, 14, 18, 22, 26, 54], "GIF": [3, 6, 10, 13, 781, 789], "TIFF": [2, 4, 8]}[kind]


def _walked(content: bytes, start: int, length: Callable[[int], int]) -> list[int]:
    places, place = [], start
    while place + 8 <= len(content):
        places.append(place)
        place += length(place)
    return places
