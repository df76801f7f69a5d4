"""CSV that comes back as it was, and that no spreadsheet computes."""

import csv
import io

import numpy as np
import pytest

from core.spreadsheet import to_csv


def parsed(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


def test_values_come_back_as_they_were():
    rows = [(947, "4, or “9”?\nsecond line", 0.5), (1, 'a "quote"', -12.25)]
    assert parsed(to_csv(("index", "text", "loss"), rows)) == [
        ["index", "text", "loss"],
        ["947", "4, or “9”?\nsecond line", "0.5"],
        ["1", 'a "quote"', "-12.25"],
    ]


def test_every_float32_comes_back_exactly():
    values = np.random.default_rng(3).standard_normal(2000).astype(np.float32)
    _, *rows = parsed(to_csv(("value",), [(float(value),) for value in values]))
    assert np.array_equal(np.array([np.float32(row[0]) for row in rows]), values)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_a_text_is_never_a_formula(start: str):
    (_, row) = parsed(to_csv(("text",), [(f"{start}cmd|' /C calc'!A0",)]))
    assert row == [f"'{start}cmd|' /C calc'!A0"]


def test_a_negative_number_stays_a_number():
    assert to_csv(("a", "b"), [(-1, -0.25)]) == "a,b\r\n-1,-0.25\r\n"
