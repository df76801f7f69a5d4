"""Signed pictures as colours that colour-blind people tell apart: purple above 0, orange below."""

import numpy as np
from jaxtyping import Float64, UInt8

ORANGE, WHITE, PURPLE = (179, 88, 6), (247, 247, 247), (84, 39, 136)  # ColorBrewer's PuOr


def diverging(values: Float64[np.ndarray, "h w"], *, top: float) -> UInt8[np.ndarray, "h w 3"]:
    """Values from −top to +top as RGB; what lies outside, or is no number, gets the colour of its end."""
    with np.errstate(invalid="ignore"):
        shares = np.clip(np.nan_to_num(values / top if top > 0 else values * 0), -1, 1)
    ends = np.where(shares[..., None] > 0, np.array(PURPLE), np.array(ORANGE))
    strength = np.abs(shares)[..., None]
    colours: UInt8[np.ndarray, "h w 3"] = (WHITE * (1 - strength) + ends * strength).round().astype(np.uint8)
    return colours
