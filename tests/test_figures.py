"""Rows of figures: what a ratio means, when a target is reached, what is said of nothing measured."""

import json
from pathlib import Path

import pytest

from core.errors import DigitscopeError
from core.figures import Row, check_out, print_table, write_figures


@pytest.mark.parametrize(
    ("row", "ratio", "target", "reached"),
    [
        (Row("speed", 900.0, "images/s", 300.0, "plain", 2), 3.0, "≥ 2×", True),
        (Row("speed", 500.0, "images/s", 300.0, "plain", 2), 500 / 300, "≥ 2×", False),
        (Row("time", 2.0, "ms", 3.0, "plain", 2.5), 1.5, "≤ 2.5 ms", True),
        (Row("time", 30.0, "s", limit=20), None, "≤ 20 s", False),
        (Row("share", 0.97, "share", 0.94, "plain", 0.97), 2.0, "≥ 97 %", True),
        (Row("share", 0.9941, "share", 0.9946, "plain", 0.99415), 54 / 59, "≥ 99.415 %", False),
        (Row("share", 1.0, "share", 0.5, "plain"), None, None, None),
        (Row("told apart", 0.998, "auroc", 0.99, "softmax", 0.999), None, "≥ 0.999", False),
        (Row("flagged", 0.004, "fpr", 0.02, "softmax", 0.005), None, "≤ 0.005", True),
        (Row("flagged", 0.0, "fpr", 0.02, "softmax", 0.005), None, "≤ 0.005", True),
        (Row("gpu", None, "s", against="no GPU", limit=20), None, "≤ 20 s", None),
    ],
)
def test_ratio_and_target(row: Row, ratio: float | None, target: str | None, reached: bool | None):
    assert row.ratio == (pytest.approx(ratio) if ratio else None)
    assert (row.target, row.reached) == (target, reached)


def test_what_was_not_measured_says_so_and_why(capsys):
    print_table([Row("50 epochs on a GPU", None, "s", against="there is no CUDA device here", limit=20)])
    shown = capsys.readouterr().out
    assert "not measured" in shown
    assert "there is no CUDA device here" in shown
    assert "missed" not in shown


def test_small_sizes_keep_their_decimals(capsys):
    print_table([Row("file", 0.1524, "MB", limit=6), Row("memory", 41.3, "MB", limit=100)])
    shown = capsys.readouterr().out
    assert " 0.15 MB" in shown
    assert " 41 MB" in shown


def test_figures_are_kept_with_what_they_mean(tmp_path: Path):
    row = Row("speed", 900.0, "images/s", 300.0, "plain", 2, n=3)
    out = tmp_path / "figures.json"
    write_figures(out, [row], hardware="x86", packages=("numpy",), about={"recipe": "plain"})
    found = json.loads(out.read_text())
    assert found["recipe"] == "plain"
    assert set(found["versions"]) == {"numpy", "python"}
    assert found["rows"][0]["ratio"] == 3.0
    assert found["rows"][0]["reached"] is True


def test_a_missing_folder_is_named_before_the_measuring(tmp_path: Path):
    with pytest.raises(DigitscopeError, match=r"there is no folder .*gone"):
        check_out(tmp_path / "gone" / "figures.json")
    check_out(tmp_path / "figures.json")
    check_out(None)
