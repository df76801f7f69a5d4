"""Brightness → ink: which pixels the pen touched, whatever the paper, the light and the colours."""

import numpy as np
from jaxtyping import Bool, Float32
from scipy import ndimage

from core.errors import NothingDrawn

FLAT_TOLERANCE = 0.03
MIN_CONTRAST = 0.06
PHOTO_SIDE = 320
BACKGROUND_WINDOW = 0.35  # of the longer side: wider than any stroke, narrower than a shadow
SPECK_SHARE = 0.03
SURROUNDINGS_SHARE = 0.12  # of the picture's edge: more than a digit that is cut off ever touches
LEAST_INNER_SHARE = 0.005

Field = Float32[np.ndarray, "_h _w"]


def find_ink(brightness: Field) -> Field:
    """Ink in [0, 1]: 0 where the background is, 1 where a stroke is full.

    The background is the even colour around the edge where there is one (a canvas, a scan); in a
    photo it is estimated around every pixel by a morphological closing (dark ink) or opening
    (light ink), so that shadows and uneven light fall out. Ink is what deviates from it to the
    rarer side. Specks and what reaches in from a photo's edge are dropped.

    Raises:
        NothingDrawn: no stroke stands out from the background.
    """
    if float(brightness.max() - brightness.min()) < MIN_CONTRAST:
        raise NothingDrawn("Nothing drawn: the picture is even. Draw or send a digit.")
    level = _even_background(brightness)
    if level is not None:
        ink = _deviation(brightness - level)
        around = np.abs(brightness - level)
        noise = float(np.sqrt((around[around < FLAT_TOLERANCE] ** 2).mean()))
        if float(ink.max()) < max(MIN_CONTRAST, 7 * noise):  # paper in even light, and nothing on it
            raise NothingDrawn("Nothing drawn: no stroke stands out from the background. Use more contrast.")
        return _without_specks(ink / ink.max(), photo=False)
    return _ink_in_photo(brightness)


def _even_background(brightness: Field) -> float | None:
    """The level of a background without texture, or None.

    It is the edge's usual level, or, where a digit fills the picture to its edges, black or white.
    """
    edge = np.concatenate([brightness[0], brightness[-1], brightness[:, 0], brightness[:, -1]])
    levels = (float(np.median(edge)), float(brightness.min()), float(brightness.max()))
    for level, edge_share in zip(levels, (0.7, 0.3, 0.3), strict=True):
        if (np.abs(edge - level) < FLAT_TOLERANCE).mean() > edge_share and (
            np.abs(brightness - level) < FLAT_TOLERANCE
        ).mean() > 0.3:
            return level
    return None


def _deviation(difference: Field) -> Field:
    lighter, darker = difference.clip(min=0), (-difference).clip(min=0)
    return lighter if float(lighter.sum()) >= float(darker.sum()) else darker


def _ink_in_photo(brightness: Field) -> Field:
    brightness = _shrunk(brightness, PHOTO_SIDE)
    side = max(brightness.shape)
    smooth = ndimage.gaussian_filter(brightness, 0.004 * side)
    detail = smooth - ndimage.gaussian_filter(smooth, side / 6)
    dark_ink = float((detail**3).sum()) < 0  # ink is rare and strong, so it carries the skew
    window = max(3, round(BACKGROUND_WINDOW * side))
    envelope = ndimage.grey_closing if dark_ink else ndimage.grey_opening
    ink = np.abs(envelope(smooth, size=(window, window), mode="nearest") - smooth)
    threshold = _otsu(ink)
    strokes = ink > threshold
    background = ink[~strokes]
    full, empty = float(ink[strokes].mean()), float(np.median(background))
    if full - empty < max(MIN_CONTRAST, 5 * float(background.std())):
        raise NothingDrawn("Nothing drawn: no stroke stands out from the background. Use more contrast.")
    soft = ((ink - 0.5 * (threshold + empty)) / (full - 0.5 * (threshold + empty))).clip(0, 1)
    kept = _without_specks(soft.astype(np.float32), photo=True)
    # What was full before may have been the desk: the digit's own strokes are full now.
    return (kept / np.median(kept[kept > 0.3])).clip(0, 1) if (kept > 0.3).any() else kept


def _shrunk(field: Field, side: int) -> Field:
    factor = -(-max(field.shape) // side)
    if factor <= 1 or min(field.shape) < factor:
        return field
    height, width = (n // factor * factor for n in field.shape)
    blocks = field[:height, :width].reshape(height // factor, factor, width // factor, factor)
    return blocks.mean(axis=(1, 3))  # type: ignore[no-any-return]


def _otsu(values: Field) -> float:
    """The threshold with the largest variance between the two sides (Otsu 1979)."""
    counts, edges = np.histogram(values, bins=128)
    centres = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)
    above = below[-1] - below
    sums = np.cumsum(counts * centres)
    with np.errstate(divide="ignore", invalid="ignore"):
        gap = sums / below - (sums[-1] - sums) / above
        between = np.nan_to_num(below * above * gap**2)
    return float(edges[1:][int(between.argmax())])


def _without_specks(ink: Field, *, photo: bool) -> Field:
    """Keeps the strokes: connected parts with at least 3 % of the largest part's ink; in a photo
    what belongs to the surroundings does not count."""
    parts, count = ndimage.label(ink > 0.1, structure=np.ones((3, 3)))
    if count == 0:
        raise NothingDrawn("Nothing drawn: no stroke stands out from the background. Use more contrast.")
    if count == 1:
        return ink
    amounts = np.bincount(parts.ravel(), ink.ravel())
    amounts[0] = 0
    if photo:
        amounts = _without_surroundings(amounts, parts)
    kept = amounts >= SPECK_SHARE * amounts.max()
    if kept[1:].all():
        return ink
    kept[0] = False
    near: Bool[np.ndarray, "h w"] = ndimage.binary_dilation(kept[parts], np.ones((3, 3)))
    return np.where(near, ink, np.float32(0))


def _without_surroundings(amounts: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """The parts' ink, with 0 for those that reach in from outside the paper.

    They lie along the picture's edge (the desk around the paper), or touch it while the ink is
    mostly elsewhere (a finger, a corner). A digit cut off by the edge touches it at a few pixels.
    """
    edge = np.concatenate([parts[0], parts[-1], parts[:, 0], parts[:, -1]])
    along = np.bincount(edge, minlength=len(amounts)) / len(edge)
    inner = np.where(along > 0, 0, amounts)
    outside = (along > SURROUNDINGS_SHARE) | ((along > 0) & (inner.max() > 0.1 * amounts))
    left = np.where(outside, 0, amounts)
    return left if left.max() > LEAST_INNER_SHARE * amounts.max() else amounts
