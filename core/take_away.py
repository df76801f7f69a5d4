"""Digits to take along: as a table (CSV), as a contact sheet (PNG), as single pictures (zip)."""

import io
import re
import zipfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path, PurePosixPath

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

from core.errors import TakeAwayError
from core.notes import Note
from core.spreadsheet import to_csv as table_to_csv
from core.table import DigitRow
from core.wording import percent

NUMBERS = ("label", "prediction", "confidence", "margin", "loss", "unusualness")
SHEET_LIMIT = 1_000  # digits on one contact sheet
ZIP_LIMIT = 20_000  # pictures in one zip: about 10 MB
SIDE_LIMIT = 30_000  # px; what programs open that show PNG
GAP = 6  # px between two digits of a sheet
CAPTION_SIZE = 12  # px
CAPTION_LIMIT = 160  # px; longer captions are cut
BEGINNING = (1980, 1, 1, 0, 0, 0)  # the earliest time in a zip: equal content gives equal bytes


def to_csv(rows: Sequence[DigitRow], *, notes: Sequence[Note] = ()) -> str:
    """The digits as CSV, a line each, in their order.

    The columns are index, name, label, prediction, confidence, margin, loss, unusualness, a
    probability for each class (`p0` … `p9`), tags (joined by `; `) and note.

    Args:
        rows: of one table.
        notes: the data set's; those of other digits are passed over.

    Raises:
        TakeAwayError: no digits.
    """
    _check_number(len(rows))
    by_index = {note.index: note for note in notes}
    probabilities = [f"p{digit}" for digit in rows[0].classes]
    header = ("index", "name", *NUMBERS, *probabilities, "tags", "note")
    return table_to_csv(header, (_cells(row, by_index.get(row.index)) for row in rows))


def _cells(row: DigitRow, note: Note | None) -> list[str | int | float]:
    numbers = [getattr(row, name) for name in NUMBERS]
    said = ["; ".join(note.tags), note.text] if note else ["", ""]
    return [row.index, row.name, *numbers, *row.probabilities.tolist(), *said]


def to_zip(rows: Sequence[DigitRow], *, notes: Sequence[Note] = ()) -> bytes:
    """The digits as PNG files of 28 × 28 px and `digits.csv`, in one zip.

    A file is named by the digit's place, its label, what was read and, where it came from a file,
    that one's name: `00947_true-8_read-9_scan-12.png`. Equal digits give equal bytes.

    Raises:
        TakeAwayError: no digits, or more than `ZIP_LIMIT`.
    """
    _check_number(len(rows), ZIP_LIMIT, "a zip")
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        _add(archive, "digits.csv", to_csv(rows, notes=notes).encode(), zipfile.ZIP_DEFLATED)
        for row in rows:
            _add(archive, file_name(row), _png(Image.fromarray(row.pixels)), zipfile.ZIP_STORED)
    return content.getvalue()


def file_name(row: DigitRow) -> str:
    """The name of a digit's picture; of a user's own name only letters, digits, `_` and `-` are left."""
    stem = PurePosixPath(row.name.replace("\\", "/")).stem
    own = re.sub(r"[\W_]+", "-", stem, flags=re.ASCII).strip("-")[:60]
    return f"{row.index:05d}_true-{row.label}_read-{row.prediction}{'_' if own else ''}{own}.png"


def _add(archive: zipfile.ZipFile, name: str, content: bytes, compression: int) -> None:
    entry = zipfile.ZipInfo(name, BEGINNING)
    entry.compress_type = compression
    entry.create_system, entry.external_attr = 3, 0o644 << 16  # as on Unix, on every system
    archive.writestr(entry, content)


def caption(row: DigitRow) -> str:
    """What stands below a digit on a contact sheet: its place, label → prediction, and confidence."""
    return f"{row.index}: {row.label}→{row.prediction}, {percent(row.confidence, 0)}"


def contact_sheet(
    pixels: UInt8[np.ndarray, "n 28 28"], captions: Sequence[str], *, columns: int = 20, scale: int = 3
) -> bytes:
    """All digits on one picture, as PNG in grey, in reading order.

    Each pixel becomes a square, without smoothing. Cells are as wide as the widest caption needs, up
    to `CAPTION_LIMIT`; what is longer ends in an ellipsis.

    Args:
        pixels: the digits.
        captions: a line for below each of them.
        columns: digits side by side, at least 1.
        scale: the side of a pixel's square in px, at least 1.

    Raises:
        TakeAwayError: no digits, more than `SHEET_LIMIT`, another number of captions, or a sheet
            with a side above `SIDE_LIMIT`.
    """
    _check_number(len(pixels), SHEET_LIMIT, "a contact sheet")
    if len(captions) != len(pixels) or columns < 1 or scale < 1:
        raise TakeAwayError(
            f"A contact sheet of {len(pixels)} digits can't have {len(captions)} captions, {columns} columns "
            f"and scale {scale}. Give a caption for each digit, and columns and a scale of 1 or more."
        )
    lines = [_fitting(" ".join(text.split())) for text in captions]
    columns = min(columns, len(pixels))
    width = max(28 * scale, *(_length(line) for line in lines)) + GAP
    height = 28 * scale + CAPTION_SIZE + 2 * GAP
    size = columns * width + GAP, -(-len(pixels) // columns) * height + GAP
    if max(size) > SIDE_LIMIT:
        raise TakeAwayError(
            f"The contact sheet would be {size[0]:,} × {size[1]:,} px; programs open {SIDE_LIMIT:,} a side. "
            "Choose another number of columns, a smaller scale or fewer digits."
        )
    sheet = Image.new("L", size, 255)
    pen = ImageDraw.Draw(sheet)
    for place, (digit, line) in enumerate(zip(pixels, lines, strict=True)):
        left, top = GAP + place % columns * width, GAP + place // columns * height
        sheet.paste(
            Image.fromarray(digit).resize((28 * scale, 28 * scale), Image.Resampling.NEAREST), (left, top)
        )
        pen.text((left, top + 28 * scale + 2), line, fill=0, font=_font())
    return _png(sheet)


def _check_number(n: int, limit: int | None = None, form: str = "") -> None:
    if not n:
        raise TakeAwayError("There are no digits to take away. Choose others, or fewer conditions.")
    if limit is not None and n > limit:
        raise TakeAwayError(
            f"{n:,} digits are too many for {form}: it holds {limit:,}. Choose fewer, or take the CSV."
        )


def _fitting(line: str) -> str:
    """The line, or as much of it as `CAPTION_LIMIT` allows."""
    line = line[:CAPTION_LIMIT]  # whatever their widths, the loop below is short
    if _length(line) <= CAPTION_LIMIT:
        return line
    while _length(f"{line}…") > CAPTION_LIMIT:
        line = line[:-1]
    return f"{line}…"


def _length(line: str) -> int:
    return round(_font().getlength(line))


@cache
def _font() -> ImageFont.FreeTypeFont:
    """DejaVu Sans as bundled with matplotlib: Pillow's own font has no arrow, no Greek, no Cyrillic."""
    import matplotlib  # only a sheet needs it

    return ImageFont.truetype(
        Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf", CAPTION_SIZE
    )


def _png(picture: Image.Image) -> bytes:
    content = io.BytesIO()
    picture.save(content, "PNG", compress_level=3)  # for digits as small as 6, in two thirds of its time
    return content.getvalue()
