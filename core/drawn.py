"""Training digits as if they had been drawn on the canvas: enlarged, and prepared like any drawing."""

import logging
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor

import numpy as np
from jaxtyping import UInt8
from PIL import Image
from tqdm import tqdm

from core.array_cache import ArrayCache
from core.datasets import LabelledDigits
from core.errors import PictureError
from core.paths import data_folder
from core.preprocess import THICKNESS_BAND, VERSION, prepare
from core.strokes import CANVAS_SIDE

KEPT = 4  # sets of digits whose copies are kept: of a data set those to learn from and those to choose with
PIECE = 250  # digits that a process prepares at once

Pixels = UInt8[np.ndarray, "n 28 28"]


def drawn_copies(digits: LabelledDigits) -> Pixels:
    """Each digit enlarged to the canvas's 280 px and brought back by `prepare()`: its strokes have the
    usual thickness, and its edges are those of a drawing.

    Computed once for a data set (3 ms a digit and core), then kept in the data folder. A digit that
    `prepare()` refuses stays as it is.
    """
    cache = ArrayCache(data_folder() / "drawn", KEPT)
    key = f"{digits.digest[:12]}-{'-'.join(str(width) for width in THICKNESS_BAND)}-{VERSION}"
    kept = cache.read(key, shape=digits.images.shape, kind="u")
    if kept is not None:
        return np.array(kept)
    pieces = np.array_split(digits.images, max(1, len(digits) // PIECE))
    about = {"total": len(pieces), "desc": "digits as if drawn", "unit_scale": PIECE, "unit": "digit"}
    # Spawned: a forked copy of a process that has used torch's threads can hang.
    with ProcessPoolExecutor(os.cpu_count(), mp_context=multiprocessing.get_context("spawn")) as workers:
        copies = np.concatenate(list(tqdm(workers.map(_drawn, pieces), leave=False, disable=None, **about)))
    cache.write(key, copies)
    return copies


def _drawn(images: Pixels) -> Pixels:
    return np.stack([_one_drawn(image) for image in images])


def _one_drawn(image: UInt8[np.ndarray, "28 28"]) -> UInt8[np.ndarray, "28 28"]:
    large = Image.fromarray(image).resize((CANVAS_SIDE, CANVAS_SIDE), Image.Resampling.BILINEAR)
    try:
        return prepare(np.asarray(large)).pixels
    except PictureError as error:
        logging.getLogger(__name__).info("A digit stays as it is: %s", error)
        return image
