"""Folders and archives of pictures: what can be used is prepared, everything else is named."""

import io
import os
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.archive import Archive, Limits
from core.collection import AHEAD, MOST_THREADS, Collection, collect, prepared
from core.errors import DatasetError
from core.files import Folder
from core.listing import MOST_BYTES
from core.picture import decoded_pixels
from core.preprocess import prepare
from scripts.hostile_case import chunk, with_chunks
from tests.zips import ONE, SEVEN, packed, png, with_mode

GOOD = {"1/a.png": png(ONE), "7/b.png": png(SEVEN)}
LISTED = {"a.png": png(ONE), "b.png": png(SEVEN)}


def from_zip(files: dict[str, bytes], limits: Limits | None = None) -> Collection:
    with Archive(packed(files), where="x.zip", limits=limits) as archive:
        return collect(archive)


def as_folder(path: Path, files: dict[str, bytes]) -> Folder:
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return Folder(path)


def test_a_folder_and_an_archive_of_the_same_files_give_the_same(tmp_path: Path):
    files = GOOD | {"7/c.txt": b"no picture", "readme.md": b"#", "7/.hidden": b"", "12/d.png": png(ONE)}
    here, packed_up = collect(as_folder(tmp_path, files)), from_zip(files)
    for found in (here, packed_up):
        assert (found.names, found.labels.tolist()) == (("1/a.png", "7/b.png"), [1, 7])
        assert np.array_equal(found.images, [prepare(ONE).pixels, prepare(SEVEN).pixels])
    told = [text.removeprefix(str(tmp_path)) for text in here.skipped]
    assert told == [text.removeprefix("x.zip") for text in packed_up.skipped]
    assert [text.split(". ")[0] for text in told] == [
        "/12/d.png: its folder '12' is no digit from 0 to 9.",
        "/readme.md: lies in no class subfolder.",
        "/7/c.txt: not an image that can be read",
    ]


@pytest.mark.parametrize("wrapping", ["mine/", "a/b/c/"])
def test_folders_round_an_archives_classes_are_looked_through(wrapping: str):
    found = from_zip({wrapping + name: content for name, content in GOOD.items()} | {"note.txt": b"!"})
    assert found.names == ("1/a.png", "7/b.png")
    assert found.skipped == (f"x.zip/note.txt: lies outside {wrapping}. Move it there.",)


def test_a_single_class_is_no_wrapping():
    assert from_zip({"7/1/a.png": png(SEVEN)}).labels.tolist() == [7]


def test_bad_pictures_in_the_middle_are_named_with_their_reasons():
    bad = {
        "7/c-blank.png": png(np.zeros((30, 30), np.uint8)),
        "7/d-cut.png": png(SEVEN)[:60],
        "7/e-huge.png": bytes(11 * 2**20),
        "7/f.zip": b"PK",
    }
    found = from_zip(GOOD | bad | {"7/z.png": png(SEVEN)})
    assert found.names == ("1/a.png", "7/b.png", "7/z.png")
    reasons = dict(text.removeprefix("x.zip/").split(": ", 1) for text in found.skipped)
    assert list(reasons) == ["7/f.zip", "7/c-blank.png", "7/d-cut.png", "7/e-huge.png"]
    assert "within the archive" in reasons["7/f.zip"]
    assert "Nothing drawn" in reasons["7/c-blank.png"]
    assert "damaged" in reasons["7/d-cut.png"]
    assert "over 10 MB unpacked" in reasons["7/e-huge.png"]


def test_a_damaged_entry_is_skipped_and_named():
    content = packed(GOOD, method=0)
    place = content.index(png(ONE)) + 50
    broken = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
    with Archive(broken, where="x.zip") as archive:
        found = collect(archive)
    assert found.names == ("7/b.png",)
    assert found.skipped[0].startswith("x.zip/1/a.png: damaged (Bad CRC-32")


def test_a_csv_names_the_labels_and_everything_that_does_not_fit_is_told(tmp_path: Path):
    listing = b"file,label\nb.png,7\na.png,1\nb.png,1\nc.png,12\ngone.png,3\nd.png,5\n"
    extra = {"c.png": png(ONE), "d.png": b"no picture", "e.png": png(ONE), "labels.csv": listing}
    found = collect(as_folder(tmp_path, LISTED | extra))
    assert (found.names, found.labels.tolist()) == (("b.png", "a.png"), [7, 1])
    assert np.array_equal(found.images[0], prepare(SEVEN).pixels)
    csv = f"{tmp_path}/labels.csv"
    assert found.skipped[:4] == (
        f"{csv}, line 4: b.png: named more than once; its first label counts.",
        f"{csv}, line 5: c.png: label '12' is no digit from 0 to 9.",
        f"{csv}, line 6: gone.png: there is no such file.",
        f"{tmp_path}/e.png: not named in labels.csv.",
    )
    assert found.skipped[4].startswith(f"{tmp_path}/d.png: not an image")
    assert len(found.skipped) == 5


@pytest.mark.parametrize(
    "written", ["img/é.png", "./img/é.png", "img\\é.png", "/home/me/é.png", "e\u0301.png"]
)
def test_a_csv_from_elsewhere_finds_its_pictures_by_path_or_name(written: str):
    found = from_zip({"set/img/é.png": png(ONE), "set/l.csv": f"image,digit\n{written},1\n".encode()})
    assert (found.names, found.skipped) == (("img/é.png",), ())


def test_a_name_that_two_pictures_have_is_not_guessed():
    files = {"p/a.png": png(ONE), "q/a.png": png(SEVEN), "l.csv": b"file,label\np/a.png,1\na.png,7\n"}
    found = from_zip(files)
    assert found.names == ("p/a.png",)
    assert found.skipped == (
        "x.zip/l.csv, line 3: a.png: 2 files have this name.",
        "x.zip/q/a.png: not named in l.csv.",
    )


def test_a_csv_never_reaches_files_outside(tmp_path: Path):
    (tmp_path / "secret.png").write_bytes(png(ONE))
    listing = f"file,label\n../secret.png,1\n{tmp_path}/secret.png,1\na.png,1\n".encode()
    found = collect(as_folder(tmp_path / "set", {"a.png": png(ONE), "l.csv": listing}))
    assert found.names == ("a.png",)
    assert [text.endswith("there is no such file.") for text in found.skipped] == [True, True]


def test_a_csv_without_the_columns_says_what_it_found():
    with pytest.raises(DatasetError, match=r"x\.zip/l\.csv: its first line is 'a,b'; it must name a column"):
        from_zip(LISTED | {"l.csv": b"a,b\n1,2\n"})


def test_two_csvs_of_labels_are_not_guessed_between_but_another_csv_is_no_matter():
    listing = b"file,label\na.png,1\nb.png,7\n"
    with pytest.raises(
        DatasetError, match=r"x\.zip: l\.csv, m\.csv all name pictures and labels\. Leave only"
    ):
        from_zip(LISTED | {"l.csv": listing, "m.csv": listing})
    found = from_zip(LISTED | {"l.csv": listing, "a-colours.csv": b"red,green\n"})
    assert (len(found.labels), found.skipped) == (2, ("x.zip/a-colours.csv: not named in l.csv.",))


def test_nothing_usable_says_how_many_were_skipped_and_what_to_do():
    message = (
        r"x\.zip: no usable picture among those that l\.csv names \(2 skipped, the first: .*no such file\."
    )
    with pytest.raises(DatasetError, match=message):
        from_zip({"a.png": png(ONE), "l.csv": b"file,label\nb.png,1\n"})
    with pytest.raises(
        DatasetError, match=r"in subfolders named 0 to 9\. Sort the .*a CSV with the columns file"
    ):
        from_zip({})


def test_more_pictures_than_the_limit_are_refused_before_any_is_prepared():
    with pytest.raises(DatasetError, match=r"x\.zip: 2 pictures; at most 1 are prepared\. Split it"):
        from_zip(GOOD, replace(Limits(), pictures=1))


def test_a_linked_class_folder_is_followed_and_a_loop_is_not(tmp_path: Path):
    as_folder(tmp_path / "elsewhere", {"b.png": png(SEVEN)})
    as_folder(tmp_path / "set", {"1/a.png": png(ONE)})
    (tmp_path / "set" / "7").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "set" / "1" / "loop").symlink_to(tmp_path / "set")
    assert collect(Folder(tmp_path / "set")).names == ("1/a.png", "7/b.png")


def test_a_name_that_is_not_utf_8_can_still_be_stored(tmp_path: Path):
    as_folder(tmp_path, {"7/a.png": png(SEVEN)})
    for name, content in (("\udcff.png", png(SEVEN)), ("\udcfe.png", b"?")):
        (Path(os.fsdecode(os.fsencode(tmp_path))) / "7" / name).write_bytes(content)
    found = collect(Folder(tmp_path))
    assert found.names == ("7/a.png", "7/\\udcff.png")
    assert "7/\\udcfe.png: not an image" in found.skipped[0].encode().decode()


def test_many_pictures_come_in_their_order_and_few_wait_in_memory():
    asked: list[int] = []

    def pictures():
        for number in range(300):
            asked.append(number)
            yield f"{number}", np.pad(np.full((20, 2 + number % 3), 255, np.uint8), 9)

    told: list[tuple[int, int]] = []
    results = prepared(pictures(), 300, lambda done, total: told.append((done, total)))
    expected = [prepare(np.pad(np.full((20, 2 + kind), 255, np.uint8), 9)).pixels for kind in range(3)]
    for number, result in enumerate(results):
        assert np.array_equal(result, expected[number % 3])
        assert len(asked) <= number + AHEAD * MOST_THREADS + 2
    assert told[-1] == (300, 300)
    assert [done for done, _ in told] == sorted({done for done, _ in told})


def test_whoever_asks_may_stop_in_the_middle():
    def stop(done: int, _total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with Archive(packed({f"7/{n}.png": png(SEVEN) for n in range(30)}), where="x.zip") as archive:
        with pytest.raises(KeyboardInterrupt):
            collect(archive, progress=stop)
        assert archive.unpacked < 2 * 30 * len(png(SEVEN))  # their beginnings were looked at before


def test_a_hostile_archive_is_refused_whole():
    with pytest.raises(DatasetError, match="is a link"):
        Archive(with_mode("7/a.png", 0o120000), where="x.zip")


def large(kind: str, side: int = 2000, **options: object) -> bytes:
    """A picture of 4 megapixels, in a few kilobytes."""
    file = io.BytesIO()
    Image.fromarray(SEVEN).resize((side, side), 0).save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    "picture",
    [
        large("PNG"),
        large("TIFF", compression="tiff_adobe_deflate"),
        with_chunks(chunk(b"teSt", bytes(100_000)), png=large("PNG")),
    ],
    ids=["PNG", "TIFF", "PNG-long"],
)
def test_pictures_that_are_too_large_together_are_refused_before_any_is_decoded(picture, monkeypatch):
    files = {f"7/{n}.png": picture for n in range(5)}
    assert len(from_zip(files, replace(Limits(), pixels=20_000_000)).labels) == 5
    monkeypatch.setattr("core.collection.prepare", lambda *_, **__: pytest.fail("one was decoded"))
    with pytest.raises(
        DatasetError, match=r"x\.zip: its first 5 pictures, up to x\.zip/7/4\.png, have over 19 megapixels"
    ):
        from_zip(files, replace(Limits(), pixels=19_999_999))


def test_a_photograph_counts_as_what_is_decoded_of_it():
    photograph = large("JPEG", 4000)  # decoded at half its size
    assert decoded_pixels(photograph) == 4_000_000
    notes = b"".join(b"\xff\xfe\xff\xff" + bytes(65_533) for _ in range(3))
    assert len(from_zip({"7/a.jpg": photograph[:2] + notes + photograph[2:]}).labels) == 1
    for limit, fits in ((4_000_000, True), (3_999_999, False)):
        with nullcontext() if fits else pytest.raises(DatasetError, match="megapixels together"):
            from_zip({"7/a.jpg": photograph[:2] + notes + photograph[2:]}, replace(Limits(), pixels=limit))


def test_what_is_no_picture_and_the_owners_own_folder_have_no_pixels_to_count(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("core.collection._check_pixels", lambda *_: pytest.fail("counted"))
    assert len(collect(as_folder(tmp_path, {"7/a.png": large("PNG")})).labels) == 1
    assert [decoded_pixels(content) for content in (b"", b"no picture", b"II*\0", large("PNG")[:20])] == [
        0
    ] * 4


def test_a_listing_that_is_too_large_is_refused_by_its_name():
    listing = b"file,label\na.png,1\n" + b"x" * (MOST_BYTES - 18)
    with pytest.raises(DatasetError, match=r"x\.zip/l\.csv: over 8 MB unpacked, the most that is read"):
        from_zip(LISTED | {"l.csv": listing})
    assert from_zip(LISTED | {"l.csv": listing[:100]}).names == ("a.png",)
