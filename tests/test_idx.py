"""IDX files written byte by byte, whole and damaged."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from core.errors import DatasetError
from core.idx import read_idx


def idx(array: np.ndarray) -> bytes:
    header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.astype(np.uint8).tobytes()


CUBE = np.arange(2 * 3 * 4).reshape(2, 3, 4)


@pytest.mark.parametrize("array", [CUBE, CUBE[0], CUBE[0, 0], CUBE[:0]])
def test_what_was_written_is_read_back(tmp_path: Path, array: np.ndarray):
    path = tmp_path / "x-images-idx3-ubyte"
    path.write_bytes(idx(array))
    assert read_idx(path).shape == array.shape
    assert np.array_equal(read_idx(path), array)


def test_the_header_is_big_endian(tmp_path: Path):
    path = tmp_path / "labels"
    path.write_bytes(b"\x00\x00\x08\x01" + b"\x00\x00\x01\x02" + bytes(258))
    assert read_idx(path).shape == (258,)


def test_a_gzipped_file_reads_the_same_whatever_its_name(tmp_path: Path):
    path = tmp_path / "labels-without-gz"
    path.write_bytes(gzip.compress(idx(CUBE)))
    assert np.array_equal(read_idx(path), CUBE)


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(DatasetError, match=r"gone-idx3: no such file\. Check the path"):
        read_idx(tmp_path / "gone-idx3")


@pytest.mark.parametrize("change", [-1, 1])
def test_a_file_that_is_too_short_or_too_long_is_damaged(tmp_path: Path, change: int):
    path = tmp_path / "cut"
    content = idx(CUBE)
    path.write_bytes(content[:-1] if change < 0 else content + b"\x00")
    with pytest.raises(DatasetError, match=rf"cut: damaged: .*2×3×4 bytes, {24 + change} follow\. Fetch"):
        read_idx(path)


@pytest.mark.parametrize("length", [5, 10, 15])
def test_a_file_that_ends_within_its_header_is_damaged(tmp_path: Path, length: int):
    path = tmp_path / "cut"
    path.write_bytes(idx(CUBE)[:length])
    with pytest.raises(DatasetError, match=r"cut: damaged: it ends within its header"):
        read_idx(path)


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        (b"", "nothing"),
        (b"\x00\x00", "00 00"),
        (b"\x89PNG\r\n", "89 50 4e 47"),
        (b"\x00\x00\x0d\x01", "0d 01"),
        (b"\x00\x00\x08\x00", "08 00"),
        (b"\x00\x00\x08\x04" + bytes(16), "08 04"),
    ],
)
def test_another_magic_number_is_shown(tmp_path: Path, content: bytes, shown: str):
    path = tmp_path / "odd"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=rf"odd: not an IDX file.*{shown}, expected 00 00 08"):
        read_idx(path)


@pytest.mark.parametrize("keep", [12, -3])
def test_a_damaged_gzip_is_named(tmp_path: Path, keep: int):
    path = tmp_path / "cut.gz"
    path.write_bytes(gzip.compress(idx(CUBE))[:keep])
    with pytest.raises(DatasetError, match=r"cut\.gz: can't be read .*Fetch the file again"):
        read_idx(path)


def test_a_flipped_byte_in_a_gzip_is_noticed(tmp_path: Path):
    content = bytearray(gzip.compress(idx(CUBE)))
    content[-7] ^= 0xFF
    path = tmp_path / "flipped.gz"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=r"flipped\.gz: can't be read"):
        read_idx(path)
