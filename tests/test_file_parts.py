"""Files of endless parts are told from honest ones before a reader sees them."""

import io
import struct

import pytest
from PIL import Image

from core.errors import PictureError
from core.file_parts import MOST_PARTS, MOST_SCANS, problem, webp_size
from core.picture import brightness
from scripts.hostile_case import chunk, on_paper, saved, segment, with_chunks, with_segments

HONEST = [
    saved(on_paper(), "PNG"),
    saved(on_paper(), "JPEG", progressive=True),
    saved(on_paper(), "GIF"),
    saved(on_paper(), "WEBP"),
    saved(on_paper(), "TIFF"),
]


@pytest.mark.parametrize("content", [*HONEST, b"", b"\xff\xd8", b"GIF89a", b"RIFF\0\0\0\0WEBP"])
def test_honest_files_and_stumps_have_no_problem(content: bytes):
    assert problem(content) is None


def test_as_many_parts_as_are_read_pass_and_more_are_refused():
    empty, note = chunk(b"teSt", b""), segment(0xFE, b"")
    assert problem(with_chunks(empty * (MOST_PARTS - 10))) is None
    assert problem(with_segments(note * (MOST_PARTS - 20))) is None
    gif = saved(on_paper("L"), "GIF")
    place = gif.index(b",")
    for content in (
        with_chunks(empty * MOST_PARTS),
        with_segments(note * MOST_PARTS),
        gif[:place] + b"!\xfe\0" * (MOST_PARTS + 1) + gif[place:],
        gif[:place] + b"!\xfe" + b"\1x" * MOST_PARTS + b"\0" + gif[place:],
    ):
        with pytest.raises(PictureError, match=r"^odd: it has over 10,000 parts\. Save it again"):
            brightness(content, name="odd")


def test_a_jpeg_is_not_read_that_goes_over_its_pixels_without_end():
    content = saved(Image.new("L", (64, 64), 99), "JPEG", progressive=True)
    last = content.rindex(b"\xff\xda")
    own = content.count(b"\xff\xda")
    again = content[last:-2]
    assert problem(content[:-2] + again * (MOST_SCANS - own) + content[-2:]) is None
    with pytest.raises(PictureError, match=r"over more than 40 times"):
        brightness(content[:-2] + again * (MOST_SCANS - own + 1) + content[-2:])


def test_what_looks_like_a_scan_within_a_segment_is_none():
    assert problem(with_segments(segment(0xE1, b"\xff\xda" * 1000))) is None


@pytest.mark.parametrize("options", [{}, {"lossless": True}, {"exif": b"Exif\0\0"}])
def test_a_webps_size_is_read_in_all_its_forms(options: dict[str, object]):
    content = io.BytesIO()
    Image.new("RGB", (321, 123), "red").save(content, "WEBP", **options)
    assert webp_size(content.getvalue()) == (321, 123)


def test_a_webp_with_a_huge_canvas_is_refused_before_room_is_made_for_it():
    head = b"VP8X" + struct.pack("<I", 10) + bytes(4) + (16_000).to_bytes(3, "little") * 2
    content = b"RIFF" + struct.pack("<I", len(head) + 4) + b"WEBP" + head
    with pytest.raises(PictureError, match=r"16001 × 16001 px; at most 18 megapixels are read of a WebP"):
        brightness(content)
