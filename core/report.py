"""A model's report: one HTML file that asks no other address for anything, to read, to print, to hand on."""

import base64
import hashlib
import io
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from PIL import Image

from core import report_charts, report_words
from core.abstention import OperatingPoint
from core.errors import ReportError
from core.overlay import chart, overlay
from core.predictor import Predictor
from core.report_findings import Findings, RefusingFindings, WorstError, gather, test_digits
from core.report_options import SECTIONS, ReportOptions
from core.report_provenance import provenance
from core.report_template import SCRIPT, STYLE, TEMPLATES, source
from core.study import FIGURES
from core.wording import percent

# The thresholds that the page's slider stops at, beside the checkpoint's own: dense where answers lie.
STOPS = (
    *(n / 20 for n in range(18)),
    *(n / 100 for n in range(86, 99)),
    *(n / 1000 for n in range(985, 1000)),
    0.9999,
)

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Report:
    """A finished report.

    Attributes:
        html: the whole file.
        name: to save it under.
        options: what was asked for.
        when: it was made, UTC.
    """

    html: str
    name: str
    options: ReportOptions
    when: datetime

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return len(self.html.encode())


def make_report(
    model: Predictor | str, *, options: ReportOptions | None = None, progress: Progress | None = None
) -> Report:
    """A report of a model on MNIST's test digits, or on the bundled ones where they are not at hand.

    Args:
        model: a predictor, or a checkpoint's name or folder.
        options: sections, title and comment; everything by default.
        progress: called with the share that is done, in [0, 1], and what is being done.

    Raises:
        DigitscopeError: no such checkpoint, damaged files, or digits that can't be read.
    """
    options = options or ReportOptions()
    predictor = model if isinstance(model, Predictor) else Predictor.load(model)
    found = gather(predictor, test_digits(), sections=options.sections, progress=progress)
    return set_report(found, options)


def set_report(found: Findings, options: ReportOptions, *, when: datetime | None = None) -> Report:
    """The report of what was gathered; sections that were not chosen are left out.

    Args:
        found: with all parts that the sections need.
        options: sections, title and comment.
        when: it is made; now by default.
    """
    if missing := found.lacks(options.sections):
        raise ReportError(f"{', '.join(missing)} not gathered yet: call `gather` with the same sections.")
    when = when or datetime.now(UTC)
    refusing = found.refusing if options.has("refusing") else None
    style, script = source(STYLE), source(SCRIPT)
    html = _environment().get_template("report.html").render(
        found=found,
        options=options,
        titles=SECTIONS,
        title=options.title.strip() or report_words.usual_title(found.card),
        words=report_words,
        provenance=provenance,
        charts=report_charts,
        when=when,
        style=Markup(style),
        script=Markup(script),
        policy=_policy(style, script),
        refusing_chart=_refusing_chart(refusing) if refusing else None,
        stops=_stops(refusing) if refusing else [],
    )  # fmt: skip
    return Report(html, f"{found.card.name}-report-{when:%Y-%m-%d}.html", options, when)


def write_report(report: Report, out: Path) -> None:
    """Puts a report into a file, whole or not at all.

    Raises:
        ReportError: it can't be written there.
    """
    beside = out.with_name(f".{out.name}.new")
    try:
        beside.write_text(report.html, encoding="utf-8")
        beside.replace(out)
    except OSError as error:
        with suppress(OSError):
            beside.unlink()
        raise ReportError(f"{out} can't be written ({error.strerror}). Choose another --out.") from error


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_unbroken,
    )
    environment.filters |= {"percent": percent, "picture": picture, "pictures": pictures}
    environment.globals |= {"figures": FIGURES}
    return environment


def _unbroken(value: object) -> object:
    """No line ends between a number and its per cent sign."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return re.sub(r"(?<=\d) %", "\u00a0%", value)
    return value


def _policy(style: str, script: str) -> str:
    """A Content-Security-Policy: this very style and script, pictures inside the file, and no more."""
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (style, script)]
    return (
        f"default-src 'none'; img-src data:; style-src 'sha256-{hashes[0]}'; "
        f"script-src 'sha256-{hashes[1]}'; base-uri 'none'; form-action 'none'"
    )


def picture(pixels: UInt8[np.ndarray, "..."]) -> str:
    """A PNG inside the file, as an address."""
    Image.fromarray(pixels).save(content := io.BytesIO(), format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(content.getvalue()).decode()


def pictures(error: WorstError) -> list[tuple[str, str, str, str]]:
    """The pictures of a misread digit: an address, an alt text, a caption and a scale each.

    Its maps have one scale, so that what speaks for the one digit can be held against the other.
    """
    row, top = error.row, max((each.strength for each in error.maps), default=0.0)
    words = f"a {row.label} read as {row.prediction}"
    found = [(picture(row.pixels), f"Digit {row.index}, {words}", "the digit", "")]
    for each in error.maps:
        which = "read" if each.target == row.prediction else "label"
        # Signed colours are lost on white ink: they stand alone.
        drawn = chart(each, top=top) if each.signed else overlay(row.pixels, each, side=28, top=top or None)
        says = each.note or f"Where the evidence for {each.target} lies, at most {each.strength:.3g}"
        scale = f"±{each.strength:.3g}" if each.signed else f"≤\u00a0{each.strength:.3g}"
        kind = "for and against" if each.signed else "for"
        alt, caption = f"{says} (digit {row.index}, {words})", f"{kind} {each.target} ({which})"
        found.append((picture(np.asarray(drawn)), alt, caption, scale))
    return found


def _refusing_chart(found: RefusingFindings) -> report_charts.RefusingChart:
    return report_charts.RefusingChart(found.curve, [*([found.saved] if found.saved else []), *found.choices])


def _stops(found: RefusingFindings) -> list[dict[str, object]]:
    """What the page's slider shows at each of its stops."""
    chart, thresholds = _refusing_chart(found), set(STOPS)
    if found.saved:
        thresholds.add(found.saved.threshold)
    return [_stop(found, chart, found.curve.at(each)) for each in sorted(thresholds)]


def _stop(
    found: RefusingFindings, chart: report_charts.RefusingChart, point: OperatingPoint
) -> dict[str, object]:
    x, y = chart.place(point)
    right = (
        "no answer is left"
        if point.accuracy is None
        else f"{percent(point.accuracy, 2)} of the answers right"
    )
    return {
        "below": f"{100 * point.threshold:.6g} %",
        "words": point.words,
        "right": right,
        "saved": found.saved is not None and point.threshold == found.saved.threshold,
        "x": round(x, 1),
        "y": round(y, 1),
    }
