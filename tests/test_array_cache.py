"""Kept arrays: whole or absent, bounded in number, and never a reason to fail."""

import logging
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from core.array_cache import ArrayCache, cache_key


@pytest.fixture
def cache(tmp_path: Path) -> ArrayCache:
    return ArrayCache(tmp_path / "arrays", limit=3)


def filled(value: float) -> np.ndarray:
    return np.full((4, 2), value, dtype=np.float16)


def test_a_key_is_the_beginning_of_both_hashes():
    assert cache_key("0123456789abcdef", "fedcba9876543210") == "0123456789ab-fedcba987654"


def test_what_was_written_is_read_and_not_writable(cache: ArrayCache):
    assert cache.read("a", shape=(4, 2)) is None
    cache.write("a", filled(1.5))
    found = cache.read("a", shape=(4, 2))
    assert (found.dtype, found.tolist()) == (np.float16, [[1.5, 1.5]] * 4)
    with pytest.raises(ValueError, match="read-only"):
        found[0, 0] = 2


def test_an_array_of_another_shape_or_kind_counts_as_absent(cache: ArrayCache):
    cache.write("a", filled(1))
    assert cache.read("a", shape=(4, 3)) is None
    np.save(cache.folder / "a.npy", np.zeros((4, 2), dtype=np.int64))
    assert cache.read("a", shape=(4, 2)) is None


def test_a_damaged_file_counts_as_absent_and_is_written_over(cache: ArrayCache, caplog):
    cache.write("a", filled(1))
    path = cache.folder / "a.npy"
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[-40] ^= 1  # of a number: nothing but the checksum tells
    for content in (whole[:-3], bytes(flipped), whole[:-32], b"", b"no array"):
        path.write_bytes(content)
        with caplog.at_level(logging.WARNING):
            assert cache.read("a", shape=(4, 2)) is None
        assert "a.npy is damaged" in caplog.text
        caplog.clear()
    cache.write("a", filled(2))
    assert cache.read("a", shape=(4, 2))[0, 0] == 2


def test_the_files_not_used_for_longest_go(cache: ArrayCache):
    for number, key in enumerate("abc"):
        cache.write(key, filled(number))
        os.utime(cache.folder / f"{key}.npy", (1000 + number, 1000 + number))
    cache.read("a", shape=(4, 2))
    cache.write("d", filled(3))
    assert sorted(path.name for path in cache.folder.iterdir()) == ["a.npy", "c.npy", "d.npy"]


def test_an_array_outlives_its_file_and_what_is_done_to_it(cache: ArrayCache):
    cache.write("a", filled(1))
    found = cache.read("a", shape=(4, 2))
    os.truncate(cache.folder / "a.npy", 0)
    assert found.sum() == 8
    for key in "bcd":
        cache.write(key, filled(2))
    assert not (cache.folder / "a.npy").exists()
    assert found.sum() == 8


def test_a_folder_that_cannot_be_written_is_logged_and_no_error(tmp_path: Path, caplog):
    (tmp_path / "file").write_text("in the way")
    blocked = ArrayCache(tmp_path / "file", limit=3)
    with caplog.at_level(logging.WARNING):
        blocked.write("a", filled(1))
    assert "a.npy can't be written" in caplog.text
    assert blocked.read("a", shape=(4, 2)) is None


def test_a_write_that_fails_midway_leaves_the_old_array(cache: ArrayCache, monkeypatch):
    cache.write("a", filled(1))

    def half(path: Path, array: np.ndarray, **_: object) -> None:
        path.write_bytes(b"half")
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(np, "save", half)
        cache.write("a", filled(2))
    assert cache.read("a", shape=(4, 2))[0, 0] == 1
    assert [path.name for path in cache.folder.iterdir()] == ["a.npy"]


def test_eight_threads_writing_one_key_never_show_a_part_of_it(cache: ArrayCache):
    def work(value: int) -> None:
        for _ in range(20):
            cache.write("a", np.full((300, 2), value, dtype=np.float32))
            found = cache.read("a", shape=(300, 2))
            assert found is not None
            assert len(np.unique(found)) == 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
