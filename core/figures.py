"""Measured figures beside their baselines, as a table to read and a file to keep."""

import json
import platform
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from core.errors import DigitscopeError

DERIVED = ("ratio", "target", "reached")  # of a row, beside its fields
SMALL = ("s", "ms", "MB", "fpr")  # the less the better
LAYOUT = "{:<48}{:>17}{:>17}{:>9}{:>10}{:>9}  {}"


@dataclass(frozen=True)
class Row:
    """One figure.

    Attributes:
        figure: what was measured.
        value: in `unit`; None where it was not measured, and `against` says why.
        unit: `images/s`, `s`, `ms`, `MB`, `share` (of correct answers, in [0, 1]), `auroc` (in [0, 1], 1 at
            best) or `fpr` (in [0, 1], 0 at best).
        baseline: in `unit`.
        against: what the baseline is, measured in the same run.
        limit: the target: at most for a time or memory, at least for a share; for `images/s` what `ratio`
            shall reach.
        interval_95: the Wilson interval of a share.
        n: how many digits a share is of, or how often a time was taken.
    """

    figure: str
    value: float | None
    unit: str
    baseline: float | None = None
    against: str = ""
    limit: float | None = None
    interval_95: tuple[float, float] | None = None
    n: int = 0

    @property
    def ratio(self) -> float | None:
        """How many times better than the baseline: times as fast, or times fewer errors; None for what nears
        its bound, where a ratio says little."""
        if self.value is None or self.baseline is None or self.unit in ("auroc", "fpr"):
            return None
        if self.unit == "images/s":
            return self.value / self.baseline
        whole = 1 if self.unit == "share" else 0
        return (whole - self.baseline) / (whole - self.value) if self.value != whole else None

    @property
    def reached(self) -> bool | None:
        """None without a target or without a value."""
        if self.limit is None or self.value is None:
            return None
        if self.unit in SMALL:
            return self.value <= self.limit
        return (self.ratio or 0.0 if self.unit == "images/s" else self.value) >= self.limit

    @property
    def target(self) -> str | None:
        if self.limit is None:
            return None
        if self.unit in ("auroc", "fpr"):
            return f"{'≥' if self.unit == 'auroc' else '≤'} {self.limit:g}"
        if self.unit in SMALL:
            return f"≤ {self.limit:g} {self.unit}"
        return f"≥ {100 * self.limit:g} %" if self.unit == "share" else f"≥ {self.limit:g}×"

    def line(self) -> str:
        """The row as columns of text."""
        verdict = {True: "reached", False: "missed", None: ""}[self.reached]
        measured = _shown(self.value, self.unit) or "not measured"
        baseline = _shown(self.baseline, self.unit)
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}×"
        note = self.against
        if self.interval_95:
            note += f"; 95 % interval {self.interval_95[0]:.2%} to {self.interval_95[1]:.2%}, n = {self.n:,}"
        return LAYOUT.format(self.figure, measured, baseline, ratio, self.target or "", verdict, note)


def _shown(value: float | None, unit: str) -> str:
    forms = {
        "share": "{:.2%}",
        "auroc": "{:.4f}",
        "fpr": "{:.4f}",
        "ms": "{:.3f} ms",
        "s": "{:.2f} s",
        "MB": "{:.0f} MB" if (value or 0) >= 10 else "{:.2f} MB",
        "images/s": "{:,.0f} images/s",
    }
    return "" if value is None else forms[unit].format(value)


def print_table(rows: Iterable[Row]) -> list[Row]:
    """Prints each row as soon as it is measured; returns them all."""
    print(LAYOUT.format("figure", "measured", "baseline", "ratio", "target", "", "the baseline is"))
    done = []
    for row in rows:
        print(row.line(), flush=True)
        done.append(row)
    print("ratio: how many times as fast as the baseline, or how many times fewer errors, in this run")
    return done


def check_out(out: Path | None) -> None:
    """Whether the figures can be kept there: asked before the measuring.

    Raises:
        DigitscopeError: its folder is missing.
    """
    if out and not out.parent.is_dir():
        raise DigitscopeError(f"{out}: there is no folder {out.parent}. Make it, or choose another --out.")


def write_figures(
    out: Path, rows: list[Row], *, hardware: str, packages: tuple[str, ...], about: dict[str, Any]
) -> None:
    """Keeps the figures as JSON.

    Args:
        out: the file.
        rows: the figures.
        hardware: they were measured on.
        packages: whose versions matter to them.
        about: what else a reader must know, such as the checkpoint.

    Raises:
        DigitscopeError: `out` can't be written.
    """
    content = {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "hardware": hardware,
        "versions": {name: version(name) for name in packages} | {"python": platform.python_version()},
        **about,
        "rows": [asdict(row) | {key: getattr(row, key) for key in DERIVED} for row in rows],
    }
    try:
        out.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise DigitscopeError(f"{out} can't be written ({error.strerror}). Choose another --out.") from error
