"""What a picture's file makes a reader do: its parts, a JPEG's passes over the pixels, a WebP's canvas.

A few bytes are enough for a part or a pass that takes the reader milliseconds, and Pillow counts neither.
"""

import re
import struct

MOST_PARTS = 10_000  # chunks, segments or blocks; an encoder's own are a few hundred
MOST_SCANS = 40  # passes over a JPEG's pixels; a progressive one has about ten
MOST_WEBP = 18_000_000  # pixels; the decoder takes 15 bytes for each
MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")  # of a JPEG, none that belongs to the pixels before it


def problem(content: bytes) -> str | None:
    """Why a file would take too long or too much memory to read, in words; None if it would not.

    Args:
        content: of the whole file, of any format.
    """
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return _too_many(_png_chunks(content))
    if content.startswith(b"\xff\xd8"):
        segments, scans = _jpeg_parts(content)
        over = f"its pixels are written over more than {MOST_SCANS} times" if scans > MOST_SCANS else None
        return _too_many(segments) or over
    if content.startswith(b"GIF8"):
        return _too_many(_gif_blocks(content))
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        width, height = webp_size(content)
        if width * height > MOST_WEBP:
            return f"{width} × {height} px; at most {MOST_WEBP // 10**6} megapixels are read of a WebP file"
    return None


def _too_many(parts: int) -> str | None:
    return f"it has over {MOST_PARTS:,} parts" if parts > MOST_PARTS else None


def _png_chunks(content: bytes) -> int:
    place, count = 8, 0
    while place + 8 <= len(content) and count <= MOST_PARTS:
        place += 12 + int.from_bytes(content[place : place + 4], "big")
        count += 1
    return count


def _jpeg_parts(content: bytes) -> tuple[int, int]:
    """The segments and the scans among them."""
    place, segments, scans = 2, 0, 0
    while segments <= MOST_PARTS and scans <= MOST_SCANS:
        # Pixels, and what damage left, are passed over to the next marker.
        found = MARKER.search(content, place)
        if not found or found[0] == b"\xff\xd9":
            break
        segments += 1
        scans += found[0] == b"\xff\xda"
        length = int.from_bytes(content[found.end() : found.end() + 2], "big")
        place = found.end() + max(length, 2)
    return segments, scans


def _gif_blocks(content: bytes) -> int:
    """The extensions before the first picture, and the blocks that they are in."""
    if len(content) < 13:
        return 0
    palette = 3 << ((content[10] & 7) + 1) if content[10] & 0x80 else 0
    place, count = 13 + palette, 0
    while content[place : place + 1] == b"!" and count <= MOST_PARTS:
        place += 2
        count += 1
        while place < len(content) and content[place] and count <= MOST_PARTS:
            place += 1 + content[place]
            count += 1
        place += 1
    return count


def webp_size(content: bytes) -> tuple[int, int]:
    """Width and height of a WebP's canvas, px; 0 where there is none. (RFC 9649, sections 2.5 to 2.7.)"""
    kind, head = content[12:16], content[20:30].ljust(10, b"\0")
    if kind == b"VP8X":
        return int.from_bytes(head[4:7], "little") + 1, int.from_bytes(head[7:10], "little") + 1
    if kind == b"VP8L":
        bits = int.from_bytes(head[1:5], "little")
        return (bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1
    if kind == b"VP8 ":
        width, height = struct.unpack("<HH", head[6:10])
        return width & 0x3FFF, height & 0x3FFF
    return 0, 0
