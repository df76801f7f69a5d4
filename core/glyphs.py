"""Letters and symbols rendered from the fonts at hand: the system's, and those of matplotlib."""

import logging
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

from core.errors import NothingDrawn
from core.preprocess import prepared_pixels

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
LOOK_ALIKES = "oliszbgq"  # as capitals too: a digit in some hand
SYMBOLS = "&@#%?!+=*$§€£¥{}<>^~αβγδεθλμπσφψωΓΔΘΛΞΠΣΦΨΩ∞∂∫√∑♠♣♥♦★☺→←↑↓"
# Fonts without letters under the letters' numbers: mathematical pieces, and boxes for what is missing.
NO_LETTERS = ("cmex", "cmmi", "cmsy", "STIXSiz", "STIXNonUni", "LastResort")
SIDE, SIZE = 280, 160  # px, of the picture and of the type

_log = logging.getLogger(__name__)


@dataclass(frozen=True, order=True)
class Glyph:
    """A character in a font: the font's file and the character."""

    font: str
    character: str


def letters() -> list[Glyph]:
    """Every letter of the Latin alphabet in every font that has them all, without those like a digit."""
    wanted = [letter for letter in LETTERS if letter.lower() not in LOOK_ALIKES]
    return [Glyph(font, letter) for font in _fonts() for letter in wanted]


def symbols() -> list[Glyph]:
    """Every one of `SYMBOLS` in every font that has it."""
    return [Glyph(font, symbol) for font, known in _fonts().items() for symbol in SYMBOLS if symbol in known]


def rendered(glyphs: list[Glyph]) -> UInt8[np.ndarray, "n 28 28"]:
    """Each glyph in white on black, brought into MNIST's convention; one without ink is left out."""
    found = []
    for glyph in glyphs:
        canvas = Image.new("L", (SIDE, SIDE))
        font = ImageFont.truetype(glyph.font, SIZE, layout_engine=ImageFont.Layout.BASIC)
        ImageDraw.Draw(canvas).text((SIDE / 2, SIDE / 2), glyph.character, fill=255, font=font, anchor="mm")
        try:
            found.append(prepared_pixels(np.asarray(canvas)))
        except NothingDrawn:
            continue
    return np.stack(found) if found else np.zeros((0, 28, 28), np.uint8)


@cache
def _fonts() -> dict[str, frozenset[str]]:
    """The fonts with the whole Latin alphabet, in a fixed order, and which of our characters each has.

    The same font in two places counts once.
    """
    from matplotlib import font_manager, get_data_path
    from matplotlib.ft2font import FT2Font

    ours = sorted((Path(get_data_path()) / "fonts" / "ttf").glob("*.ttf"))
    others = sorted(Path(path) for path in font_manager.findSystemFonts())
    found: dict[str, frozenset[str]] = {}
    for path in [*ours, *others]:
        if path.name.startswith(NO_LETTERS) or any(Path(known).name == path.name for known in found):
            continue
        try:
            covered = FT2Font(str(path)).get_charmap()
            ImageFont.truetype(str(path), SIZE, layout_engine=ImageFont.Layout.BASIC)
        except (OSError, RuntimeError, ValueError) as error:
            _log.info("%s is no font that can be used: %s", path, error)
            continue
        known = frozenset(each for each in LETTERS + SYMBOLS if ord(each) in covered)
        if set(LETTERS) <= known:
            found[str(path)] = known
    return found
