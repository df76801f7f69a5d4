"""Picture files that are broken, lie about themselves, are something else as well, or never end."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from PIL import Image

from scripts.hostile_case import (
    ANSWER,
    EITHER,
    ERROR,
    FORMATS,
    Case,
    boundaries,
    chunk,
    huge,
    on_paper,
    saved,
    segment,
    with_chunks,
    with_segments,
)

MB = 2**20


def files(seed: int) -> Iterator[Case]:
    """All of them.

    Args:
        seed: of the bytes that are changed.
    """
    yield from _truncated()
    yield from _changed(seed)
    for part in (_claims, _metadata, _segments, _many_parts, _polyglots, _others):
        yield from part()


def _truncated() -> Iterator[Case]:
    """Cut at every boundary of a part, one byte before and behind it, and at every tenth of the file."""
    for suffix, kind in FORMATS.items():
        content = saved(on_paper(), kind)
        places = {place + near for place in boundaries(content, kind)[:12] for near in (-1, 0, 1)}
        places |= {len(content) * tenth // 10 for tenth in range(10)} | {len(content) - 1, len(content) - 4}
        for place in sorted(place for place in places if 0 <= place < len(content)):
            # What is there may already show the 3, or a piece of it.
            yield Case("truncated", f"{place}.{suffix}", content[:place], EITHER, None)


def _changed(seed: int) -> Iterator[Case]:
    generator = np.random.default_rng(seed)
    for suffix, kind in FORMATS.items():
        whole = saved(on_paper(), kind)
        for number in range(14):
            content = bytearray(whole)
            reach = min(len(content), (40, 400, len(content))[number % 3])
            for place in generator.integers(0, reach, 1 + number % 6):
                content[place] = generator.integers(0, 256)
            yield Case("bytes changed", f"{number}.{suffix}", bytes(content), EITHER, None)


def _claims() -> Iterator[Case]:
    """Headers that claim a size which the file does not have."""
    for side in (0, 1, 6000, 65_535, 2**31 - 1, 2**32 - 1):
        header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
        body = chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
        content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body
        must = EITHER if side == 1 else ERROR
        yield Case("false size", f"{side}.png", content, must, None)
    for side in (0, 6000, 65_535):
        gif = bytearray(saved(on_paper("L"), "GIF"))
        gif[6:10] = struct.pack("<HH", side, side)
        yield Case("false size", f"{side}.gif", bytes(gif), EITHER, None)
        jpeg = bytearray(saved(on_paper("L"), "JPEG"))
        place = jpeg.index(b"\xff\xc0") + 5
        jpeg[place : place + 4] = struct.pack(">HH", side, side)
        yield Case("false size", f"{side}.jpg", bytes(jpeg), EITHER, None)
    for side in (0, -200, 6000, 2**31 - 1, -(2**31)):
        bmp = bytearray(saved(on_paper("L"), "BMP"))
        bmp[18:26] = struct.pack("<ii", side, side)
        yield Case("false size", f"{side}.bmp", bytes(bmp), EITHER, None)
    for bits in (0, 2, 24, 32, 255):
        bmp = bytearray(saved(on_paper("L"), "BMP"))
        bmp[28] = bits
        yield Case("false size", f"{bits}-bit.bmp", bytes(bmp), EITHER, None)
    for tag, value in (
        (256, 2**31),
        (257, 0),
        (258, 65_000),
        (259, 7),
        (259, 65_000),
        (273, 2**31),
        (277, 200),
    ):
        tiff = saved(on_paper("L"), "TIFF")
        yield Case("false size", f"tag-{tag}-{value}.tif", _retagged(tiff, tag, value), EITHER, None)


def _retagged(tiff: bytes, tag: int, value: int) -> bytes:
    content = bytearray(tiff)
    (start,) = struct.unpack_from("<I", content, 4)
    (count,) = struct.unpack_from("<H", content, start)
    for entry in range(start + 2, start + 2 + 12 * count, 12):
        if struct.unpack_from("<H", content, entry)[0] == tag:
            struct.pack_into("<HHII", content, entry, tag, 4, 1, value)
    return bytes(content)


def _metadata() -> Iterator[Case]:
    """What lies beside the pixels, broken."""
    icc = {"empty": b"", "one-byte": b"x", "nonsense": bytes(range(256)) * 4, "large": bytes(3 * MB)}
    for name, content in icc.items():
        for suffix in ("png", "jpg", "webp", "tif"):
            yield Case(
                "ICC", f"{name}.{suffix}", saved(on_paper(), FORMATS[suffix], icc_profile=content), EITHER
            )
    exif = {
        "empty": b"",
        "nonsense": b"Exif\0\0" + bytes(range(200)),
        "cut": b"Exif\0\0MM\0*\0\0\0\x08\0\x05",
    }
    exif["loop"] = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x87\x69\0\x04\0\0\0\x01\0\0\0\x08\0\0\0\x08"
    exif["far"] = b"Exif\0\0II*\0\xff\xff\xff\x7f"
    exif["text-direction"] = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x02\0\0\0\x02" + b"6\0\0\0" + bytes(4)
    exif["many"] = b"Exif\0\0MM\0*\0\0\0\x08\x13\x88" + b"\x01\x12\0\x03\0\0\0\x01\0\x01\0\0" * 5000
    exif["fraction"] = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x05\0\0\0\x01\0\0\0\x08\0\0\0\0"
    for name, content in exif.items():
        yield Case("EXIF", f"{name}.jpg", with_segments(segment(0xE1, content)), EITHER)
        yield Case("EXIF", f"{name}.png", with_chunks(chunk(b"eXIf", content[6:])), EITHER)
    text = {
        "bomb": partial(_packed_chunk, b"zTXt", b"Comment\0\0"),
        "long": chunk(b"tEXt", b"Comment\0" + b"x" * (9 * MB)),
        "many-bombs": lambda: _packed_chunk(b"zTXt", b"C\0\0", size=MB - 1) * 60,
        "international": chunk(b"iTXt", b"C\0\1\0\0\0" + zlib.compress("é".encode() * MB)),
        "no-end": chunk(b"tEXt", b"Comment"),
        "icc-bomb": partial(_packed_chunk, b"iCCP", b"p\0\0"),
        "gamma": chunk(b"gAMA", b"\0"),
        "transparency": chunk(b"tRNS", b"\0"),
        "resolution": chunk(b"pHYs", bytes(2)),
        "header-again": chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)),
        "palette": chunk(b"PLTE", b"\0\1"),
        "unknown": chunk(b"ABCD", b"critical"),
        "end": chunk(b"IEND", b""),
        "checksum": chunk(b"tEXt", b"a\0b")[:-1] + b"x",
        "frames": chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0)),
        "no-frames": chunk(b"acTL", struct.pack(">II", 0, 0)),
    }
    for name, content in text.items():
        yield Case("PNG chunk", f"{name}.png", partial(_chunked, content), EITHER)
    palette = saved(on_paper("P"), "PNG")
    start = palette.index(b"PLTE") - 4
    length = 12 + struct.unpack_from(">I", palette, start)[0]
    yield Case("PNG chunk", "no-palette.png", palette[:start] + palette[start + length :], EITHER, None)
    yield Case("PNG chunk", "longer-than-it-needs.png", _overfull, EITHER)


def _packed_chunk(kind: bytes, head: bytes, size: int = 64 * MB) -> bytes:
    return chunk(kind, head + zlib.compress(bytes(size), 9))


def _chunked(content: bytes | Callable[[], bytes]) -> bytes:
    return with_chunks(content if isinstance(content, bytes) else content())


def _overfull() -> bytes:
    """Pixels that unpack to a hundred times what the picture needs."""
    rows = b"".join(b"\0" + row.tobytes() for row in np.asarray(on_paper("L")))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 200, 200, 8, 0, 0, 0, 0))
    packed = chunk(b"IDAT", zlib.compress(rows + bytes(400 * MB), 1))
    return b"\x89PNG\r\n\x1a\n" + header + packed + chunk(b"IEND", b"")


def _segments() -> Iterator[Case]:
    """JPEGs with odd segments, and with scan upon scan over the same pixels."""
    odd = {
        "comment": segment(0xFE, b"x" * 65_000) * 100,
        "unknown": segment(0xEF, b"x"),
        "empty": segment(0xFE, b""),
    }
    odd["tables"] = segment(0xC4, b"\0" * 17) * 50
    odd["restart"] = segment(0xDD, b"\0\1")
    odd["short"] = b"\xff\xfe\0\0"
    odd["fill"] = b"\xff" * 1000
    for name, content in odd.items():
        yield Case("JPEG segment", f"{name}.jpg", with_segments(content), EITHER, None)
    for count in (20, 100, 20_000):
        yield Case("JPEG segment", f"{count}-scans-more.jpg", partial(_scanned, count), EITHER)


def _scanned(count: int) -> bytes:
    once = saved(huge(6000, 6000), "JPEG", progressive=True, quality=20)
    last = once.rindex(b"\xff\xda")
    return (once[:-2] + once[last:-2] * count + once[-2:])[: 10 * MB]


def _many_parts() -> Iterator[Case]:
    """As many parts as ten megabytes hold, each of which a reader must look at."""
    empty = chunk(b"teSt", b"")
    yield Case("many parts", "chunks.png", with_chunks(empty * (9 * MB // len(empty))), EITHER)
    yield Case("many parts", "texts.png", with_chunks(chunk(b"tEXt", b"a\0b") * (9 * MB // 15)), EITHER)
    yield Case("many parts", "segments.jpg", with_segments(segment(0xFE, b"") * (9 * MB // 4)), EITHER)
    yield Case(
        "many parts", "profiles.jpg", with_segments(segment(0xE2, b"ICC_PROFILE\0\1\1") * 400_000), EITHER
    )
    gif = saved(on_paper("L"), "GIF")
    place = gif.index(b",")
    for name, block in (
        ("comments", b"!\xfe\0"),
        ("controls", b"!\xf9\4\0\0\0\0\0"),
        ("pieces", b"!\xfe\1x\0"),
    ):
        content = gif[:place] + block * (9 * MB // len(block)) + gif[place:]
        yield Case("many parts", f"{name}.gif", content, EITHER)
    webp = saved(on_paper(), "WEBP", lossless=True, exif=b"Exif\0\0")
    body = webp[8:] + b"TEST\0\0\0\0" * (9 * MB // 8)
    yield Case("many parts", "chunks.webp", b"RIFF" + struct.pack("<I", len(body)) + body, EITHER)
    tiff = bytearray(saved(on_paper("L"), "TIFF"))
    (start,) = struct.unpack_from("<I", tiff, 4)
    entries = struct.unpack_from("<H", tiff, start)[0]
    known = bytes(tiff[start + 2 : start + 2 + 12 * entries])
    more = b"".join(struct.pack("<HHII", 40_000 + n % 20_000, 4, 1, n) for n in range(65_000))
    end = len(tiff)
    tiff[4:8] = struct.pack("<I", end)
    tiff += struct.pack("<H", entries + 65_000) + known + more + bytes(4)
    yield Case("many parts", "tags.tif", bytes(tiff), EITHER)
    loop = bytearray(saved(on_paper("L"), "TIFF"))
    struct.pack_into("<I", loop, start + 2 + 12 * entries, start)
    yield Case("many parts", "frame-of-itself.tif", bytes(loop), EITHER)


def _polyglots() -> Iterator[Case]:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr(zipfile.ZipInfo("../../evil.sh"), "#!/bin/sh\n")
    tails = {
        "zip": archive.getvalue(),
        "html": b"<script>alert(1)</script>",
        "php": b"<?php system('id'); ?>",
    }
    tails |= {"shell": b"\n#!/bin/sh\nid\n", "picture": saved(on_paper(), "PNG")}
    for suffix, kind in FORMATS.items():
        content = saved(on_paper(), kind)
        for name, tail in tails.items():
            yield Case("polyglot", f"{name}-behind.{suffix}", content + tail)
    for name, head in tails.items():
        if name != "picture":
            yield Case("polyglot", f"{name}-before.png", head + saved(on_paper(), "PNG"), ERROR)
    script = b"*/=1;alert(1)/*"
    yield Case("polyglot", "html-within.jpg", with_segments(segment(0xFE, tails["html"] + script)))
    yield Case("polyglot", "html-within.png", with_chunks(chunk(b"tEXt", b"Comment\0" + tails["html"])))


def _others() -> Iterator[Case]:
    """What is no picture, or none of the formats, under a picture's name."""
    svg = b'<?xml version="1.0"?><!DOCTYPE s [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg xmlns='
    svg += b'"http://www.w3.org/2000/svg" width="99999" height="99999"><text>&x;</text></svg>'
    laughs = b'<!DOCTYPE l [<!ENTITY a "ha">' + b"".join(
        b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9)
    )
    contents = {
        "svg": svg,
        "xml-bomb": laughs + b"]><svg>&j;</svg>",
        "html": b"<html><script>fetch('http://127.0.0.1')</script></html>",
        "pdf": b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\n%%EOF",
        "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) (r) file\n",
        "elf": b"\x7fELF\2\1\1" + bytes(200),
        "windows": b"MZ" + bytes(200),
        "shell": b"#!/bin/sh\nrm -rf /\n",
        "zip": b"PK\3\4" + bytes(100),
        "gzip": b"\x1f\x8b\x08" + bytes(40),
        "pickle": b"\x80\x04\x8c\x05posix\x94\x8c\x06system\x94\x93\x94\x8c\x02id\x94\x85\x94R\x94.",
        "npy": b"\x93NUMPY\1\0v\0{'descr': '<f8', 'fortran_order': False, 'shape': (9, 9)}",
        "idx": b"\0\0\x08\3" + struct.pack(">III", 1, 28, 28) + bytes(784),
        "csv": b"file,label\n1.png,3\n",
        "json": b'{"image": [[0, 255]]}',
        "psd": b"8BPS\0\1" + bytes(60),
        "mp4": b"\0\0\0\x18ftypmp42" + bytes(60),
        "empty": b"",
        "one-byte": b"\x89",
        "newline": b"\n",
        "zeros": bytes(5000),
        "text": "Das ist eine 3.".encode("utf-16"),
        "random": np.random.default_rng(3).bytes(5000),
        "10-megabytes": bytes(10 * MB),
        "over-10-megabytes": bytes(10 * MB + 1),
        "over-10-megabytes-with-a-3": with_chunks(chunk(b"teSt", bytes(10 * MB))),
    }
    for kind in ("PPM", "TGA", "ICO", "JPEG2000", "PCX", "SGI", "DDS", "AVIF", "EPS", "MSP"):
        image = on_paper("1" if kind == "MSP" else "RGB")
        contents[f"as-{kind.lower()}"] = saved(image, kind)
    for name, content in contents.items():
        yield Case("no picture", f"{name}.png", content, ERROR)
    yield Case("no picture", "three-but-spoilt.png", b"\xef\xbb\xbf" + saved(on_paper(), "PNG"), ERROR)
    yield Case("no picture", "line-ends.png", saved(on_paper(), "PNG").replace(b"\r\n", b"\n"), ERROR)
    icon = saved(Image.new("L", (16, 16)), "BMP")
    yield Case("no picture", "black.bmp", icon, ERROR)
    yield Case("no picture", "answer.png", saved(on_paper(), "PNG"), ANSWER)  # so that one of them is one
