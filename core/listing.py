"""A CSV of labels that lies beside the pictures: which file shows which digit."""

import csv
import io
import re
from dataclasses import dataclass

from core.errors import DatasetError

FILE_COLUMNS = ("file", "filename", "image", "path", "name", "filepath", "imagepath", "imagename")
LABEL_COLUMNS = ("label", "digit", "class")
DELIMITERS = ",;\t|"
LONGEST_HEADER = 10_000  # characters
HEAD = 2 * LONGEST_HEADER  # bytes that hold them
MOST_BYTES = 8 * 2**20  # of a CSV that comes with pictures: 400 for each of 20,000
DIGIT = re.compile(r"([0-9])(?:\.0+)?")  # pandas writes 7.0 where a label is missing elsewhere


@dataclass(frozen=True)
class Row:
    """A line of the CSV.

    Attributes:
        line: its number in the file, from 1.
        file: the picture's name as it was written.
        label: the digit; None where it is none from 0 to 9.
        written: the label as it was written.
    """

    line: int
    file: str
    label: int | None
    written: str


def parse_listing(content: bytes, *, name: str, most: int) -> list[Row]:
    """The rows of a CSV of labels.

    Args:
        content: of the file, in UTF-8, UTF-16 with its mark, or Windows' Western code page; its first
            line names the columns, of which one is among `FILE_COLUMNS` and one among
            `LABEL_COLUMNS`, in any case and spacing. Delimiters: comma, semicolon, tab or bar.
        name: what to call the file in an error.
        most: rows that it may have.

    Raises:
        DatasetError: no such columns, too many rows, or not a CSV.
    """
    delimiter, file, label = _columns(_header(content), name)
    text = _text(content)
    if text.count("\n") > most + 1:
        raise DatasetError(f"{name}: over {most:,} rows, the most that are read. Split the data set.")
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    try:
        next(reader)  # the columns' names
        return [
            _row(reader.line_num, cells, file, label)
            for cells in reader
            if any(cell.strip() for cell in cells)
        ]
    except csv.Error as error:
        raise DatasetError(f"{name}: can't be read as CSV ({error}). Save it again.") from error


def is_listing(content: bytes) -> bool:
    """Whether a CSV names pictures and labels, by its first bytes (`HEAD`)."""
    header = _header(content)
    return any(None not in _places(header, delimiter) for delimiter in DELIMITERS)


def _row(line: int, cells: list[str], file: int, label: int) -> Row:
    written = cells[label].strip() if label < len(cells) else ""
    digit = DIGIT.fullmatch(written)
    found = cells[file].strip() if file < len(cells) else ""
    return Row(line, found, int(digit[1]) if digit else None, written[:40])


def _columns(header: str, name: str) -> tuple[str, int, int]:
    """The delimiter under which the first line names both columns, and where they are."""
    for delimiter in DELIMITERS:
        file, label = _places(header, delimiter)
        if file is not None and label is not None:
            return delimiter, file, label
    raise DatasetError(
        f"{name}: its first line is {header[:80]!r}; it must name a column of files "
        f"({', '.join(FILE_COLUMNS)}) and one of labels ({', '.join(LABEL_COLUMNS)}). "
        "Write `file,label` above the rows."
    )


def _header(content: bytes) -> str:
    """The first line, or as much of it as is looked at."""
    start = content[:HEAD]
    return _text(start.rpartition(b"\n")[0] or start)[:LONGEST_HEADER].partition("\n")[0]


def _places(header: str, delimiter: str) -> tuple[int | None, int | None]:
    cells = [re.sub(r"[\W_]", "", cell).lower() for cell in header.split(delimiter)]

    def place(wanted: tuple[str, ...]) -> int | None:
        return next((cells.index(column) for column in wanted if column in cells), None)

    return place(FILE_COLUMNS), place(LABEL_COLUMNS)


def _text(content: bytes) -> str:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = content.decode("utf-16", "replace")
    else:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = content.decode("cp1252", "replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")
