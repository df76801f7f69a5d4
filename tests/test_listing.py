"""A CSV of labels, in the forms that people and their programs write."""

import pytest

from core.errors import DatasetError
from core.listing import Row, is_listing, parse_listing


def rows(content: bytes, most: int = 100) -> list[Row]:
    return parse_listing(content, name="labels.csv", most=most)


@pytest.mark.parametrize(
    "content",
    [
        b"file,label\na.png,7\nb.png,1\n",
        b"label;FileName\r\n7;a.png\r\n1;b.png\r\n",
        b"\xef\xbb\xbfid\tImage\tDigit\n1\ta.png\t7\n2\tb.png\t1",
        b"class|path\n7|a.png\n1|b.png\n",
        b'"name", "class"\n"a.png", 7\n"b.png", 1.0\n',
        "image path,label\na.png,7\nb.png,1\n".encode("utf-16"),
        b"file,label\ra.png,7\rb.png,1\r",
    ],
)
def test_columns_are_found_by_name_and_the_delimiter_by_the_columns(content: bytes):
    assert is_listing(content)
    assert [(row.file, row.label) for row in rows(content)] == [("a.png", 7), ("b.png", 1)]


@pytest.mark.parametrize("written", ["10", "-1", "seven", "", "7.5", "٣", "1e0"])
def test_a_label_that_is_no_digit_is_kept_as_it_was_written(written: str):
    (row,) = rows(f"file,label\na.png,{written}\n".encode())
    assert (row.label, row.written) == (None, written)


def test_lines_are_counted_as_an_editor_does():
    found = rows(b'file,label\n\na.png,7\n ,\n"b\n.png",1\nc.png\n')
    assert [(row.line, row.file, row.label) for row in found] == [
        (3, "a.png", 7),
        (6, "b\n.png", 1),
        (7, "c.png", None),
    ]


def test_names_in_windows_code_page_are_read():
    assert rows("file,label\nzähl.png,7\n".encode("cp1252"))[0].file == "zähl.png"


@pytest.mark.parametrize(
    ("content", "shown"),
    [(b"", "''"), (b"a.png,7\nb.png,1\n", "'a.png,7'"), (b"file,answer\n", "'file,answer'")],
)
def test_without_the_columns_it_says_what_it_found(content: bytes, shown: str):
    assert not is_listing(content)
    with pytest.raises(DatasetError, match=rf"labels\.csv: its first line is {shown}; it must name a column"):
        rows(content)


def test_too_many_rows_are_refused():
    assert len(rows(b"file,label\n" + b"a.png,7\n" * 5, most=5)) == 5
    with pytest.raises(DatasetError, match=r"labels\.csv: over 5 rows, the most that are read"):
        rows(b"file,label\n" + b"a.png,7\n" * 6, most=5)


@pytest.mark.parametrize("content", [b'file,label\n"a.png,7\n', b"file,label\n" + b"a" * 200_000 + b",7\n"])
def test_what_is_no_csv_is_named(content: bytes):
    with pytest.raises(DatasetError, match=r"labels\.csv: can't be read as CSV \(.*\)\. Save it again"):
        rows(content)
