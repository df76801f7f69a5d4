"""Archives: read where they are honest, refused where they are not."""

import io
import random
import stat
import struct
import zipfile
from pathlib import Path

import psutil
import pytest

from core.archive import MB, Archive, Limits
from core.errors import DatasetError, UnusableFile
from tests.zips import packed, patched, with_mode

SMALL = Limits(archive=10_000, entries=20, pictures=5, entry=300_000, unpacked=400_000)


def opened(source: bytes | Path, limits: Limits | None = None) -> Archive:
    return Archive(source, where="x.zip", limits=limits)


def test_files_are_read_by_name_from_memory_and_from_disk(tmp_path: Path):
    content = packed({"7/b.png": b"seven", "1/a.png": b"one", "1/": b""})
    (tmp_path / "x.zip").write_bytes(content)
    for source in (content, tmp_path / "x.zip"):
        with opened(source) as archive:
            assert archive.names == ["1/a.png", "7/b.png"]
            assert archive.skipped == ()
            assert (archive.read("1/a.png"), archive.picture("7/b.png")) == (b"one", b"seven")
            with pytest.raises(DatasetError, match=r"x\.zip/2/c\.png: no such file"):
                archive.read("2/c.png")


def test_what_systems_hide_is_left_out_and_inner_archives_and_doubles_are_named():
    files = {"__MACOSX/7/._a.png": b"", "7/.DS_Store": b"", ".git/x": b"", "7/a.png": b"1", "more.ZIP": b"PK"}
    content = io.BytesIO(packed(files))
    with zipfile.ZipFile(content, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("7/a.png", b"2")
    with opened(content.getvalue()) as archive:
        assert archive.names == ["7/a.png"]
        assert archive.read("7/a.png") == b"2"
        assert archive.skipped == (
            "x.zip/7/a.png: twice in the archive; the last one counts.",
            "x.zip/more.ZIP: an archive within the archive; it is not opened. Unpack it first.",
        )


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("../../etc/cron.d/x", "points out of the archive"),
        ("7/../../x.png", "points out of the archive"),
        ("7\\..\\..\\x.png", "points out of the archive"),
        ("/etc/passwd", "is an absolute path"),
        ("C:/x.png", "is an absolute path"),
        ("c:x.png", "is an absolute path"),
        ("\\\\server\\x.png", "is an absolute path"),
        ("7\\x.png", "has a backslash in its name"),
        ("7/x\n.png", "has control characters in its name"),
        ("__MACOSX/../../x", "points out of the archive"),
    ],
)
def test_a_name_that_would_land_elsewhere_refuses_the_archive(name: str, problem: str):
    with pytest.raises(DatasetError, match=rf"^x\.zip: refused, as '.*' {problem}\. Pack the pictures"):
        opened(packed({"7/a.png": b"7", name: b"x"}))


def test_two_dots_within_a_name_are_no_harm():
    with opened(
        packed({"7/a..b.png": b"7", "7/...png": b"8", "7/Screenshot 3.45\u202fPM.png": b"9"})
    ) as archive:
        assert archive.names == ["7/Screenshot 3.45\u202fPM.png", "7/a..b.png"]


@pytest.mark.parametrize(
    ("mode", "problem"),
    [(stat.S_IFLNK, "is a link"), (stat.S_IFCHR, "is no plain file"), (stat.S_IFIFO, "is no plain file")],
)
def test_links_and_devices_refuse_the_archive(mode: int, problem: str):
    with pytest.raises(DatasetError, match=rf"x\.zip: refused, as '7/a\.png' {problem}"):
        opened(with_mode("7/a.png", mode))


@pytest.mark.parametrize("flags", [0x1, 0x41, 0x2001])
def test_encrypted_entries_refuse_the_archive(flags: int):
    with pytest.raises(DatasetError, match=r"'7/a\.png' is encrypted\. .* no password"):
        opened(patched(packed({"7/a.png": b"7"}), 8, struct.pack("<H", flags)))


def test_a_hundred_thousand_entries_are_refused_before_they_become_objects(monkeypatch: pytest.MonkeyPatch):
    content = packed({f"7/{number}.png": b"" for number in range(100_000)}, method=zipfile.ZIP_STORED)

    def never(*_: object) -> None:
        pytest.fail("the directory was read")

    monkeypatch.setattr("core.archive.zipfile.ZipFile", never)
    with pytest.raises(DatasetError, match=r"x\.zip: over 50,000 entries, the most that is read\. Split it"):
        opened(content)


def test_a_directory_that_lies_about_its_number_of_entries_is_counted(tmp_path: Path):
    content = packed({f"{number}.png": b"" for number in range(30)})
    place = content.rindex(b"PK\x05\x06")
    lying = content[: place + 8] + struct.pack("<HH", 1, 1) + content[place + 12 :]
    (tmp_path / "x.zip").write_bytes(lying)
    for source in (lying, tmp_path / "x.zip"):
        with pytest.raises(DatasetError, match="over 20 entries"):
            opened(source, SMALL)
    with opened(packed({f"{number}.png": b"" for number in range(20)}), SMALL) as archive:
        assert len(archive.names) == 20


def test_an_archive_that_is_too_large_is_refused(tmp_path: Path):
    with (tmp_path / "x.zip").open("wb") as file:
        file.truncate(201 * MB)
    with pytest.raises(DatasetError, match=r"x\.zip: 201 MB; at most 200 MB are read\. Split it, or unpack"):
        opened(tmp_path / "x.zip")


def test_a_bomb_is_refused_by_what_it_declares():
    with pytest.raises(DatasetError, match="refused, as it unpacks to over 1,024 MB"):
        opened(patched(packed({"7/a.png": b"7"}), 24, struct.pack("<I", 2**31)))


def test_files_are_refused_by_what_they_unpack_to_one_by_one_and_together(monkeypatch: pytest.MonkeyPatch):
    archive = opened(
        packed({f"{number}.npy": bytes(190_000) for number in range(3)}), Limits(unpacked=600_000)
    )
    archive.limits = Limits(entry=150_000, unpacked=400_000)
    with pytest.raises(UnusableFile, match=r"x\.zip/0\.npy: over 0 MB unpacked"):
        archive.read("0.npy")
    archive.limits = SMALL
    archive.read("1.npy")
    with pytest.raises(DatasetError, match="refused, as it unpacks to over") as caught:
        archive.read("2.npy")
    assert not isinstance(caught.value, UnusableFile), "all of it is refused, not the one file"


def test_a_file_that_holds_more_than_it_declares_is_damaged_and_costs_no_memory():
    bomb = packed({"7/a.png": bytes(200 * MB)})
    with opened(patched(bomb, 24, struct.pack("<I", 1000))) as archive:
        before = psutil.Process().memory_info().rss
        with pytest.raises(UnusableFile, match=r"x\.zip/7/a\.png: damaged \(Bad CRC-32.*Pack it again"):
            archive.picture("7/a.png")
        assert psutil.Process().memory_info().rss - before < 20 * MB
        assert archive.unpacked == 0


def test_a_picture_is_read_to_its_limit_and_no_further():
    with opened(packed({"7/a.png": bytes(50 * MB)})) as archive:
        with pytest.raises(UnusableFile, match=r"7/a\.png: over 10 MB unpacked, the most that is read"):
            archive.picture("7/a.png")
        assert archive.unpacked == 10 * MB + 1


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_unpack_without_a_limit_are_not_used(method: int):
    archive = opened(packed({"7/a.png": bytes(1000)}, method=method))
    with pytest.raises(UnusableFile, match=rf"packed by method {method}; pack it with Deflate"):
        archive.picture("7/a.png")


def test_a_damaged_file_leaves_the_others_readable():
    content = packed({"a": b"first" * 9, "b": b"second" * 9}, method=zipfile.ZIP_STORED)
    broken = content.replace(b"firstfirst", b"firstFirst", 1)
    with opened(broken) as archive:
        with pytest.raises(UnusableFile, match=r"x\.zip/a: damaged \(Bad CRC-32"):
            archive.read("a")
        assert archive.read("b") == b"second" * 9


@pytest.mark.parametrize(
    "content", [b"", b"no zip", packed({"a": b"7" * 99})[:-30]], ids=["empty", "text", "cut off"]
)
def test_a_damaged_archive_is_named(content: bytes, tmp_path: Path):
    (tmp_path / "x.zip").write_bytes(content)
    for source in (content, tmp_path / "x.zip"):
        with pytest.raises(DatasetError, match=r"x\.zip: can't be read as zip \(.*\)\. Save it again"):
            opened(source)


def test_a_missing_archive_is_named(tmp_path: Path):
    with pytest.raises(DatasetError, match=r"x\.zip: can't be read \(No such file or directory\)"):
        opened(tmp_path / "gone.zip")


def test_random_damage_never_raises_anything_else():
    numbers = random.Random(4)
    whole = packed({"1/a.png": b"one" * 20, "7/b.png": b"seven" * 20})
    failed = 0
    for _ in range(500):
        content = bytearray(whole)
        for _ in range(3):
            content[numbers.randrange(len(content))] = numbers.randrange(256)
        try:
            with opened(bytes(content)) as archive:
                for name in archive.names:
                    archive.read(name)
        except DatasetError:
            failed += 1
    assert 100 < failed < 500
