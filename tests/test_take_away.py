"""Digits taken along come back as they were: from the CSV, the zip and the contact sheet."""

import csv
import io
import zipfile
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from PIL import Image

from core import take_away
from core.errors import TakeAwayError
from core.notes import Note
from core.table import DigitRow
from core.take_away import GAP, caption, contact_sheet, file_name, to_csv, to_zip


def row(index: int, *, name: str = "", classes: tuple[int, ...] = tuple(range(10))) -> DigitRow:
    generator = np.random.default_rng(index)
    probabilities = generator.dirichlet(np.ones(len(classes))).astype(np.float32)
    best = int(probabilities.argmax())
    return DigitRow(
        index=index,
        name=name,
        label=classes[0],
        prediction=classes[best],
        confidence=float(probabilities[best]),
        margin=0.25,
        loss=float(-np.log(probabilities[0])),
        unusualness=-7.125,
        probabilities=probabilities,
        classes=classes,
        pixels=generator.integers(0, 256, (28, 28), dtype=np.uint8),
        embedding=np.zeros(4, dtype=np.float32),
    )


ROWS = [row(947), row(3, name="=1+1.png"), row(12_345, name="8/scan, “two”.png")]
NOTES = [
    Note("own", 3, ("label wrong", "ambiguous"), "-1 or 7?\nask", datetime.now(UTC)),
    Note("own", 4, ("interesting",), "not selected", datetime.now(UTC)),
]


def lines(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def pictures(content: bytes) -> dict[str, np.ndarray]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        names = [name for name in archive.namelist() if name.endswith(".png")]
        return {name: np.asarray(Image.open(io.BytesIO(archive.read(name)))) for name in names}


def read_png(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)))


def test_the_csv_gives_every_value_back():
    found = lines(to_csv(ROWS, notes=NOTES))
    assert [int(line["index"]) for line in found] == [947, 3, 12_345], "in the order of the rows"
    for line, expected in zip(found, ROWS, strict=True):
        assert (int(line["label"]), int(line["prediction"])) == (expected.label, expected.prediction)
        for column in ("confidence", "margin", "loss", "unusualness"):
            assert np.float32(line[column]) == np.float32(getattr(expected, column)), column
        given = np.array([np.float32(line[f"p{digit}"]) for digit in range(10)])
        assert np.array_equal(given, expected.probabilities)


def test_the_csv_has_notes_beside_their_digits_and_no_formulas():
    plain, noted, named = lines(to_csv(ROWS, notes=NOTES))
    assert (plain["name"], plain["tags"], plain["note"]) == ("", "", "")
    assert (noted["name"], noted["tags"], noted["note"]) == (
        "'=1+1.png",
        "label wrong; ambiguous",
        "'-1 or 7?\nask",
    )
    assert named["name"] == "8/scan, “two”.png"
    assert noted["unusualness"] == "-7.125", "a negative number is no formula"


def test_the_columns_of_the_probabilities_are_named_by_the_classes():
    header = to_csv([row(1, classes=(3, 7))]).splitlines()[0]
    assert header == "index,name,label,prediction,confidence,margin,loss,unusualness,p3,p7,tags,note"


def test_the_zip_gives_every_pixel_back_under_a_name_that_tells_the_digit():
    found = pictures(to_zip(ROWS))
    assert list(found) == [file_name(digit) for digit in ROWS]
    for digit in ROWS:
        assert np.array_equal(found[file_name(digit)], digit.pixels)


def test_the_zip_holds_the_csv():
    with zipfile.ZipFile(io.BytesIO(to_zip(ROWS, notes=NOTES))) as archive:
        assert archive.namelist()[0] == "digits.csv"
        assert archive.read("digits.csv").decode() == to_csv(ROWS, notes=NOTES)


def test_equal_digits_give_an_equal_zip_at_any_time():
    first = to_zip(ROWS, notes=NOTES)
    assert to_zip(ROWS, notes=NOTES) == first
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


@pytest.mark.parametrize(
    ("name", "ending"),
    [
        ("", ""),
        ("scan-12.png", "_scan-12"),
        ("8/scan 12.jpeg", "_scan-12"),
        ("../../etc/passwd", "_passwd"),
        ("C:\\temp\\con.png", "_con"),
        ("a\x00b\n<c>|.png", "_a-b-c"),
        ("数字.png", ""),
        ("x" * 300 + ".png", "_" + "x" * 60),
        ("...", ""),
    ],
)
def test_a_users_name_is_made_harmless(name: str, ending: str):
    digit = replace(row(947), label=8, prediction=9, name=name)
    assert file_name(digit) == f"00947_true-8_read-9{ending}.png"


def test_a_sheet_shows_every_pixel_as_a_square_in_reading_order():
    pixels = np.stack([digit.pixels for digit in ROWS])
    sheet = read_png(contact_sheet(pixels, ["a", "b", "c"], columns=2, scale=4))
    width, height = (sheet.shape[1] - GAP) // 2, (sheet.shape[0] - GAP) // 2
    for place, digit in enumerate(pixels):
        left, top = GAP + place % 2 * width, GAP + place // 2 * height
        assert np.array_equal(sheet[top : top + 112, left : left + 112], np.kron(digit, np.ones((4, 4))))


def test_below_each_digit_stands_its_own_caption():
    blank = np.zeros((3, 28, 28), dtype=np.uint8)

    def strips(*captions: str) -> list[np.ndarray]:
        sheet = read_png(contact_sheet(blank, list(captions), columns=3))
        width = (sheet.shape[1] - GAP) // 3
        return [sheet[GAP + 84 :, GAP + n * width : GAP + (n + 1) * width] for n in range(3)]

    one, none, other = strips("4→9", "", "9→4")
    assert one.min() < 64, "dark letters on white"
    assert none.min() == 255
    assert not np.array_equal(one, other)
    assert np.array_equal(one, strips("9→4", "", "4→9")[2])


def test_the_font_has_an_arrow():
    def drawn(text: str) -> bytes:
        return contact_sheet(np.zeros((1, 28, 28), dtype=np.uint8), [text])

    assert drawn("→") != drawn("\uffff"), "not the box of a missing letter"


def test_a_cell_grows_with_its_caption_up_to_a_limit():
    def width(text: str) -> int:
        return read_png(contact_sheet(np.zeros((1, 28, 28), dtype=np.uint8), [text], scale=1)).shape[1]

    assert width("") == 28 + 2 * GAP
    assert 28 + 2 * GAP < width("12345: 4→9, 98 %") < take_away.CAPTION_LIMIT
    assert width("m" * 10_000) <= take_away.CAPTION_LIMIT + 2 * GAP
    assert width("two\nlines") == width("two lines")


def test_a_caption_says_what_was_taken_for_what():
    digit = replace(row(947), label=8, prediction=9, confidence=0.984)
    assert caption(digit) == "947: 8→9, 98 %"


def test_no_digits_can_be_taken_away_in_no_form():
    for attempt in (
        lambda: to_csv([]),
        lambda: to_zip([]),
        lambda: contact_sheet(np.zeros((0, 28, 28), dtype=np.uint8), []),
    ):
        with pytest.raises(TakeAwayError, match="There are no digits to take away"):
            attempt()


def test_too_many_digits_are_refused_with_the_limit(monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(TakeAwayError, match=r"1,001 digits are too many for a contact sheet: it holds 1,000"):
        contact_sheet(np.zeros((1001, 28, 28), dtype=np.uint8), [""] * 1001)
    monkeypatch.setattr(take_away, "ZIP_LIMIT", 2)
    with pytest.raises(TakeAwayError, match="3 digits are too many for a zip: it holds 2"):
        to_zip(ROWS)


@pytest.mark.parametrize(
    ("captions", "columns", "scale"), [([""], 20, 3), (["", ""], 0, 3), (["", ""], 20, 0)]
)
def test_a_sheet_that_cannot_be_is_refused(captions: list[str], columns: int, scale: int):
    with pytest.raises(
        TakeAwayError, match=rf"{len(captions)} captions, {columns} columns and scale {scale}"
    ):
        contact_sheet(np.zeros((2, 28, 28), dtype=np.uint8), captions, columns=columns, scale=scale)


@pytest.mark.parametrize(("columns", "scale"), [(1, 3), (20, 100_000)])
def test_a_sheet_that_no_program_opens_is_refused(columns: int, scale: int):
    digits = np.zeros((1000, 28, 28), dtype=np.uint8)
    with pytest.raises(TakeAwayError, match=r"would be .* px; programs open 30,000 a side"):
        contact_sheet(digits, [""] * 1000, columns=columns, scale=scale)
