"""Brightness → ink: which pixels the pen touched, whatever the paper, the light and the colours."""

import numpy as np
from jaxtyping import Bool, Float32
from PIL import Image
from scipy import ndimage

from core.errors import NothingDrawn

FLAT_TOLERANCE = 0.03
MIN_CONTRAST = 0.06
LEAST_INK_SHARE = 2e-4
BEND = 0.1  # of brightness; what is broader and darker is a thing of its own, to be seen whole
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
        peak = float(ink.max())
        # The noise is at most the tolerance, so a clear stroke needs no measuring of it.
        if peak < 7 * FLAT_TOLERANCE and peak < max(MIN_CONTRAST, 7 * _noise(brightness - level)):
            raise NothingDrawn("Nothing drawn: no stroke stands out from the background. Use more contrast.")
        return _without_specks(ink / peak, photo=False)
    return _ink_in_photo(brightness)


def _even_background(brightness: Field) -> float | None:
    """The level of a background without texture, or None.

    It is the edge's usual level, or, where a digit fills the picture to its edges, black or white.
    """
    edge = np.concatenate([brightness[0], brightness[-1], brightness[:, 0], brightness[:, -1]])
    levels = (float(np.median(edge)), float(brightness.min()), float(brightness.max()))
    for level, edge_share in zip(levels, (0.7, 0.3, 0.3), strict=True):
        if _share_near(level, edge) > edge_share and _share_near(level, brightness) > 0.3:
            return level
    return None


def _share_near(level: float, light: np.ndarray) -> float:
    return np.count_nonzero(np.abs(light - level) < FLAT_TOLERANCE) / light.size


def _noise(difference: Field) -> float:
    """The spread of an even background about its level."""
    around = np.abs(difference)
    return float(np.sqrt((around[around < FLAT_TOLERANCE] ** 2).mean()))


def _deviation(difference: Field) -> Field:
    if float(difference.min()) >= 0:  # white on black, as drawings are
        return difference
    lighter, darker = difference.clip(min=0), (-difference).clip(min=0)
    return lighter if float(lighter.sum()) >= float(darker.sum()) else darker


def _ink_in_photo(brightness: Field) -> Field:
    side = max(brightness.shape)
    smooth = _level(ndimage.gaussian_filter(brightness, max(0.6, 0.0015 * side)))
    detail = smooth - ndimage.gaussian_filter(smooth, side / 6)
    dark_ink = float((detail**3).sum()) < 0  # ink is rare and strong, so it carries the skew
    ink = np.abs(_paper(smooth, dark_ink=dark_ink) - smooth)
    ink -= _broad(ink).clip(max=BEND)
    # Thin pen covers so little that no histogram shows it: the threshold comes from the noise.
    empty = float(np.median(ink))
    noise = 1.48 * float(np.median(np.abs(ink - empty)))
    least = empty + max(MIN_CONTRAST, 6 * noise)
    strokes = ink[ink > least]
    if strokes.size < LEAST_INK_SHARE * ink.size:
        raise NothingDrawn("Nothing drawn: no stroke stands out from the background. Use more contrast.")
    # Among what stands out, the ink is the stronger half: a shadow's edge is the weaker one.
    threshold = _otsu(strokes)
    full = float(strokes[strokes > threshold].mean())
    low = max(least, threshold - 0.25 * (full - empty))
    kept = _without_specks(((ink - low) / (full - low)).clip(0, 1).astype(np.float32), photo=True)
    # What was full before may have been the desk: the digit's own strokes are full now.
    return (kept / np.median(kept[kept > 0.3])).clip(0, 1) if (kept > 0.3).any() else kept


def _otsu(values: np.ndarray) -> float:
    """The threshold with the largest variance between the two sides (Otsu 1979)."""
    counts, edges = np.histogram(values, bins=128)
    centres = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)[:-1]
    above = len(values) - below
    sums = np.cumsum(counts * centres)
    gap = sums[:-1] / below - (sums[-1] - sums[:-1]) / above
    return float(edges[1:-1][int((below * above * gap**2).argmax())])


def _broad(ink: Field) -> Field:
    """What bends on the scale of the picture (a soft shadow, the lens): the median around each pixel."""
    step = 8
    coarse = ink[::step, ::step]
    window = max(3, round(BACKGROUND_WINDOW * max(coarse.shape)))
    median = ndimage.median_filter(coarse, size=window, mode="nearest")
    large = Image.fromarray(median).resize(ink.shape[::-1], Image.Resampling.BILINEAR)
    return np.asarray(large)


def _level(field: Field) -> Field:
    """Takes away the plane through the brightness: an envelope would take a slope's end for ink."""
    y, x = np.mgrid[: field.shape[0] : 8, : field.shape[1] : 8]
    design = np.stack([np.ones(x.size), x.ravel(), y.ravel()], axis=1)
    values = field[::8, ::8].ravel()
    weights = np.ones(values.size)
    for _ in range(3):  # what lies far from the plane (ink, desk) has no say in it
        plane = np.linalg.lstsq(design * weights[:, None], values * weights, rcond=None)[0]
        distance = np.abs(values - design @ plane)
        weights = 1 / (1 + distance / max(1e-3, float(np.median(distance))))
    rows, columns = np.arange(field.shape[0])[:, None], np.arange(field.shape[1])[None]
    return (field - plane[1] * columns - plane[2] * rows).astype(np.float32)  # type: ignore[no-any-return]


def _paper(smooth: Field, *, dark_ink: bool) -> Field:
    """The brightness that the paper has everywhere, under the ink too."""
    window = max(3, round(BACKGROUND_WINDOW * max(smooth.shape)))
    envelope = ndimage.grey_closing if dark_ink else ndimage.grey_opening
    return envelope(smooth, size=(window, window), mode="nearest")  # type: ignore[no-any-return]


def _without_specks(ink: Field, *, photo: bool) -> Field:
    """Keeps the strokes: connected parts with at least 3 % of the largest part's ink; in a photo
    what belongs to the surroundings does not count."""
    inked = ink > 0.1
    here = np.s_[:, :] if photo else _around(inked)  # in a photo the edges tell what is outside
    parts, count = ndimage.label(inked[here], structure=np.ones((3, 3)))
    if count == 0:
        raise NothingDrawn("Nothing drawn: no stroke stands out from the background. Use more contrast.")
    if count == 1:
        return ink
    amounts = np.bincount(parts.ravel(), ink[here].ravel())
    amounts[0] = 0
    if photo:
        amounts = _without_surroundings(amounts, parts)
    kept = amounts >= SPECK_SHARE * amounts.max()
    if kept[1:].all():
        return ink
    kept[0] = False
    near: Bool[np.ndarray, "h w"] = np.zeros_like(inked)
    near[here] = ndimage.binary_dilation(kept[parts], np.ones((3, 3)))
    return np.where(near, ink, np.float32(0))


def _around(inked: Bool[np.ndarray, "h w"]) -> tuple[slice, slice]:
    """The rows and columns with ink, and one more on each side."""
    rows, columns = (np.flatnonzero(inked.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return np.s_[:, :]
    return np.s_[max(0, rows[0] - 1) : rows[-1] + 2, max(0, columns[0] - 1) : columns[-1] + 2]


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
