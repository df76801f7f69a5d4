"""Any picture → 28×28 in MNIST's convention, with every step kept for people to see.

The convention (LeCun, Bottou, Bengio, Haffner 1998): white ink on black, scaled with
anti-aliasing so that the longer side is 20 px, shifted so that the centre of mass is the centre.
"""

from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
from jaxtyping import Bool, Float32, UInt8
from PIL import Image
from scipy import ndimage

from core.errors import NothingDrawn
from core.ink import find_ink
from core.picture import Picture, brightness, name_of

VERSION = 2  # to be raised when a picture is prepared otherwise: what was made of the old ones is made anew
STEPS = ("Picture", "Ink", "Strokes", "28 × 28")
SIDE = 28
DIGIT_SIDE = 20
FINE_SIDE = 80  # where strokes are made thicker or thinner before the last scaling
LARGEST_DISC = 4  # px: two discs after another are nearly a disc of both radii, for far less work
BOX_THRESHOLD = 0.1
# Stroke widths (`stroke_width`) that are left as they are, px at 20 px size: around the middle of
# MNIST's, whose training digits lie between 1.6 and 3.6 (5 % and 95 %). Pen-drawn digits are read
# better for it at every size.
THICKNESS_BAND = (2.2, 2.6)

Field = Float32[np.ndarray, "_h _w"]


@dataclass(frozen=True, eq=False)
class Step:
    """A stage of the way from the picture to the 28×28: what was done, and the result."""

    name: str
    picture: UInt8[np.ndarray, "h w"]


@dataclass(frozen=True, eq=False)
class PreparedDigit:
    """What the model sees.

    Attributes:
        pixels: white ink on black, 0 to 255.
        steps: how the picture became that, in order; the last one is `pixels`.
    """

    pixels: UInt8[np.ndarray, "28 28"]
    steps: tuple[Step, ...]


def prepare(picture: Picture, *, name: str | None = None) -> PreparedDigit:
    """Brings any picture of one digit into MNIST's convention.

    Args:
        picture: see `core.picture.brightness`.
        name: what to call it in an error; its path by default.

    Raises:
        NothingDrawn: the picture is blank.
        PictureError: the picture can't be read or is over a limit.
    """
    pictures = tuple(_bytes(stage) for stage in _stages(picture, name))
    return PreparedDigit(pictures[-1], tuple(Step(*step) for step in zip(STEPS, pictures, strict=True)))


def prepared_pixels(picture: Picture, *, name: str | None = None) -> UInt8[np.ndarray, "28 28"]:
    """The pixels of `prepare` without its steps, in less time: for many pictures that nobody looks at."""
    return _bytes(_stages(picture, name)[-1])


def as_prepared(pixels: UInt8[np.ndarray, "28 28"]) -> PreparedDigit:
    """A digit that is in MNIST's convention already: nothing is done to it."""
    return PreparedDigit(pixels, (Step(STEPS[-1], pixels),))


def _stages(picture: Picture, name: str | None) -> tuple[Field, Field, Field, Field]:
    """The fields of `STEPS`, in [0, 1]."""
    light = brightness(picture, name=name)
    try:
        ink = find_ink(light)
    except NothingDrawn as error:
        raise NothingDrawn(f"{name or name_of(picture)}: {error}") from None
    evened = _with_usual_thickness(_cropped(ink))
    return light, ink, evened, _centred(_resized(evened, DIGIT_SIDE))


def _cropped(ink: Field) -> Field:
    rows = np.flatnonzero((ink > BOX_THRESHOLD).any(axis=1))
    columns = np.flatnonzero((ink > BOX_THRESHOLD).any(axis=0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def stroke_width(ink: Field) -> float:
    """The mean width of the strokes, px: twice the inked area over the length of its outline.

    A stroke of length l and width w covers l·w and has an outline of about 2·l; the outline's
    length is the total variation of the ink.
    """
    padded = np.pad(ink, 1)
    corner = padded[:-1, :-1]
    down, right = padded[1:, :-1] - corner, padded[:-1, 1:] - corner
    outline = float(np.sqrt(down * down + right * right).sum())
    return 2 * float(ink.sum()) / max(outline, 1e-6)


def _with_usual_thickness(ink: Field) -> Field:
    """Brings strokes into the usual band of widths; those of a picture as small as MNIST's stay.

    Below MNIST's size a stroke has no outline to move, and moving it costs more than it gives.
    """
    share = stroke_width(ink) / max(ink.shape)
    low, high = (width / DIGIT_SIDE for width in THICKNESS_BAND)
    if low <= share <= high or max(ink.shape) <= SIDE:
        return ink
    fine = _resized(ink, FINE_SIDE)
    width, wanted = stroke_width(fine), low if share < low else high
    # Growth by g on both sides makes the whole digit larger too: (width + 2g) / (side + 2g) = wanted.
    growth = (wanted * FINE_SIDE - width) / (2 * (1 - wanted))
    grown = _spread(np.pad(fine, int(np.ceil(max(0.0, growth))) + 1), growth)
    return _cropped(grown) if float(grown.max()) > 0.5 else ink


def _spread(ink: Field, growth: float) -> Field:
    """Moves every outline by so many px, outwards or (below 0) inwards: that of faint ink, too.

    Grey dilation or erosion with a disc (Serra 1982); between two whole radii a mixture of both.
    """
    shape = ndimage.grey_dilation if growth > 0 else ndimage.grey_erosion
    move = partial(shape, mode="constant")
    way = abs(growth)
    while way > LARGEST_DISC:
        ink, way = move(ink, footprint=_disc(LARGEST_DISC)), way - LARGEST_DISC
    near, far = (move(ink, footprint=_disc(radius)) for radius in (int(way), int(way) + 1))
    share = np.float32(way % 1)
    return (1 - share) * near + share * far  # type: ignore[no-any-return]


@lru_cache
def _disc(radius: int) -> Bool[np.ndarray, "d d"]:
    """With 0.3 px more than its radius: of 2 px it would be a square on its tip."""
    rows, columns = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    return rows**2 + columns**2 <= (radius + 0.3) ** 2  # type: ignore[no-any-return]


def _resized(field: Field, side: int) -> Field:
    """Scales the longer side to `side`, with anti-aliasing; a digit of that size stays as it is."""
    longer = max(field.shape)
    if longer <= SIDE and abs(longer - side) <= 1:  # already MNIST's size: scaling would only blur
        return field
    height, width = (max(1, round(n * side / longer)) for n in field.shape)
    kernel = Image.Resampling.BICUBIC if longer < side else Image.Resampling.BOX
    scaled = np.asarray(Image.fromarray(field).resize((width, height), kernel))
    return scaled.clip(0, 1)


def _centred(ink: Field) -> Float32[np.ndarray, "28 28"]:
    """Places the digit so that its centre of mass is the image's centre, and none of it is cut."""
    canvas = np.zeros((SIDE, SIDE), dtype=np.float32)
    height, width = ink.shape
    total = float(ink.sum())
    middle = SIDE / 2  # MNIST's mean centre of mass is (13.99, 14.01), not 13.5
    mass_y = float(ink.sum(axis=1) @ np.arange(height)) / total
    mass_x = float(ink.sum(axis=0) @ np.arange(width)) / total
    top = min(max(0, round(middle - mass_y)), SIDE - height)
    left = min(max(0, round(middle - mass_x)), SIDE - width)
    canvas[top : top + height, left : left + width] = ink
    return canvas


def _bytes(field: Field) -> UInt8[np.ndarray, "h w"]:
    return (field * 255).round().astype(np.uint8)
