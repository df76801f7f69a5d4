"""Tables as CSV that a spreadsheet shows and never computes."""

import csv
import io
from collections.abc import Iterable, Sequence

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def to_csv(header: Sequence[str], rows: Iterable[Sequence[str | int | float]]) -> str:
    """Comma-separated values (RFC 4180) with a line of column names.

    Numbers are written as numbers, fractions with nine significant digits, which give every float32
    back exactly. A text that a spreadsheet would take for a formula gets an apostrophe in front
    (OWASP, "CSV Injection"): nobody's file name or note becomes a command on somebody's desk.
    """
    lines = io.StringIO(newline="")
    writer = csv.writer(lines)
    writer.writerow(header)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return lines.getvalue()


def _cell(value: str | int | float) -> str | int:
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA_STARTS) else value
    return value if isinstance(value, int) else f"{value:.9g}"
