"""A map of evidence with the digit's contour, its scale in numbers, and what must be said with it."""

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from dashboard.parts.pictures import image
from dashboard.parts.weights import scale as signed_scale

if TYPE_CHECKING:
    from core.explanation import Explanation


HATCH = (150, 150, 150, 255)  # grey, seen on the dark and on the light palette


def picture(
    found: "Explanation", pixels: np.ndarray, *, top: float, label: str, unseen: np.ndarray | None = None
) -> str:
    """The map in colours, what the network doesn't see hatched, with its scale below it."""
    from core.overlay import chart, outline  # torch: there by now, as there is an explanation

    contour = outline(pixels, light=not found.signed)
    # The label is no part of the picture's words for a map that shows nothing.
    alt = f"{label}: evidence for {found.question}, scale {'±' if found.signed else '0 to '}{top:.2g}"
    layers = image(chart(found, top=top), alt) + image(contour, "The digit's contour")
    if unseen is not None and unseen.any():
        layers += image(_hatched(unseen), "Hatched: where the answer depends on no pixel")
    return f'<div class="overlay">{layers}</div>{bar(top, signed=found.signed)}'


def unseen_words(where: np.ndarray | None) -> str:
    """What the hatching means, if there is any."""
    return "Hatched: the answer depends on no pixel there." if where is not None and where.any() else ""


def _hatched(where: np.ndarray) -> np.ndarray:
    """Diagonal lines over some pixels, (112, 112, 4)."""
    large = np.kron(where, np.ones((4, 4), dtype=bool))
    lines = np.add.outer(np.arange(len(large)), np.arange(len(large))) % 8 < 2
    picture = np.zeros((*large.shape, 4), dtype=np.uint8)
    picture[large & lines] = HATCH
    return picture


def bar(top: float, *, signed: bool) -> str:
    """The colours with their values."""
    if signed:
        return signed_scale(top)
    return f'<div class="scale"><span>0</span><i class="cividis"></i><span>{top:.2g}</span></div>'


def tile(name: str, body: str, *notes: str) -> str:
    """A method's place: its name, its picture or its reason, and small print."""
    small = "".join(f'<div class="small">{note}</div>' for note in notes if note)
    return f'<figure class="map"><figcaption>{escape(name)}</figcaption>{body}{small}</figure>'


def reason(words: str, icon: str = "⚠") -> str:
    """A square that says why there is no picture."""
    return f'<div class="reason" role="note"><span>{icon} {escape(words)}</span></div>'
