"""Letters as strokes, from sources that no detector was chosen or fitted by: for measurement alone.

`make letters` fetches the archives into `<data>/pen-letters/`; nothing is unpacked, and nothing of them is
part of the project.
"""

import hashlib
import re
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from jaxtyping import Float

from core.errors import DatasetError
from core.glyphs import LETTERS, LOOK_ALIKES
from core.paths import data_folder

# Their letters are single lines, as a pen's: Latin, script, Greek, Cyrillic.
HERSHEY = ("futural", "rowmans", "cursive", "scripts", "greeks", "cyrilc_1")
KANA = [chr(code) for block in ((0x3041, 0x3097), (0x30A1, 0x30FB)) for code in range(*block)]
WANTED = [letter for letter in LETTERS if letter.lower() not in LOOK_ALIKES]
# SHA-256 of the archives.
SINGLE_LINE = "02b5dec72395c04940048b4cac9c6e7a41ddb41954884c482fbfd4e9e955bb1e"
KANJIVG = "5190e7ec4eb513dbe6865b2ed52c58287fc10ea514b9409e4cf66ce7db41644d"
STEPS = 12  # straight lines that a curve becomes

Path2 = Float[np.ndarray, "_points 2"]
Letter = list[Path2]


@dataclass(frozen=True)
class Source:
    """Where letters come from.

    Attributes:
        name: for people, with how many hands or typefaces.
        copies: how often each letter is drawn, in other sizes and slants.
        letters: each letter's strokes, y downwards; None where they are not at hand.
        seen: whether they were looked at while the made-up pictures were designed.
    """

    name: str
    copies: int
    letters: Callable[[], list[Letter] | None]
    seen: bool = False


def hershey() -> list[Letter] | None:
    """A. V. Hershey's letters (1967), by the package hershey-fonts."""
    try:
        from HersheyFonts import HersheyFonts
    except ImportError:
        return None
    found = []
    for name in HERSHEY:
        font = HersheyFonts()
        font.load_default_font(name)
        for letter in WANTED:
            lines = [np.array(line, dtype=float) for line in font.strokes_for_text(letter)]
            found += [lines] if lines else []
    return found


def single_line() -> list[Letter] | None:
    """Nine handwriting typefaces, drawn over as single lines (Evil Mad Scientist; SIL OFL 1.1)."""
    content = _archive("hersheytext-2.0.0.tgz", SINGLE_LINE)
    if content is None:
        return None
    with tarfile.open(content) as archive:
        files = [member for member in archive if re.search(r"/svg_fonts/EMS\w+\.svg$", member.name)]
        documents = [archive.extractfile(member).read() for member in files]  # type: ignore[union-attr]
    glyphs = [glyph for document in documents for glyph in ElementTree.fromstring(document).iter()]
    return [
        strokes(glyph.attrib["d"], upwards=True)
        for glyph in glyphs
        if glyph.get("unicode") in WANTED and glyph.get("d")
    ]


def kanjivg(characters: list[str]) -> list[Letter] | None:
    """Characters as they are written, stroke by stroke (Ulrich Apel's KanjiVG; CC BY-SA 3.0)."""
    content = _archive(
        "kanjivg-20260714-py3-none-any.whl",
        KANJIVG,
    )
    if content is None:
        return None
    found = []
    with zipfile.ZipFile(content) as archive:
        there = set(archive.namelist())
        for name in (f"kanji/{ord(each):05x}.svg" for each in characters):
            if name in there:
                paths = re.findall(r'<path[^>]* d="([^"]+)"', archive.read(name).decode())
                found.append([line for path in paths for line in strokes(path)])
    return found


SOURCES = {
    "hershey": Source("pen-drawn letters", 6, hershey, seen=True),
    "single-line": Source("letters of 9 handwriting typefaces", 3, single_line),
    "latin": Source("letters of one more hand", 6, lambda: kanjivg(WANTED)),
    "kana": Source("kana", 3, lambda: kanjivg(KANA)),
}


def strokes(path: str, *, upwards: bool = False) -> Letter:
    """An SVG path's lines, its curves as short straight ones.

    Args:
        path: the attribute `d`.
        upwards: whether its y axis points up.
    """
    from fontTools.pens.recordingPen import RecordingPen
    from fontTools.svgLib.path import parse_path

    pen = RecordingPen()
    parse_path(path, pen)
    lines: list[list[Any]] = []
    for kind, points in pen.value:
        if kind == "moveTo":
            lines.append([points[0]])
        elif kind == "lineTo":
            lines[-1].append(points[0])
        elif kind == "curveTo":
            lines[-1] += list(_curve(np.array([lines[-1][-1], *points])))
        elif kind == "closePath" and lines[-1][-1] != lines[-1][0]:
            lines[-1].append(lines[-1][0])
    return [np.array(line, dtype=float) * (1, -1 if upwards else 1) for line in lines]


def _curve(points: Float[np.ndarray, "4 2"]) -> Iterator[tuple[float, float]]:
    """A cubic Bézier curve's points without its first."""
    for t in np.linspace(0, 1, STEPS + 1)[1:]:
        weights = np.array([(1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2, t**3])
        yield tuple(weights @ points)


def _archive(name: str, digest: str) -> Path | None:
    """A file of `make letters`; None if it is not there.

    Raises:
        DatasetError: it is another one.
    """
    file = data_folder() / "pen-letters" / name
    if not file.is_file():
        return None
    if hashlib.sha256(file.read_bytes()).hexdigest() != digest:
        raise DatasetError(f"{file} is damaged or another file. Remove it and run `make letters`.")
    return file
