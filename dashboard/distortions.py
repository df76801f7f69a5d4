"""Cached access to distorted digits: walks, robustness, examples."""

from collections.abc import Callable

import numpy as np
import streamlit as st

from core.corruptions import SEVERITIES, corrupted
from core.predictor import Predictor
from core.readings import read
from core.robustness import Robustness, robustness_of
from core.walk import Walk
from core.walk import walk as walked
from dashboard.resources import mnist_at_hand, predictor, samples

LOOKED_THROUGH = 200  # digits among which the first one to show is found


def dataset() -> str:
    """What is distorted: MNIST's test digits, else the bundled ones."""
    return "mnist-test" if mnist_at_hand() else "optdigits"


def walk(model: str, data: str, index: int, path: str) -> Walk:
    """One digit of a data set on its way out."""
    chosen = predictor(model)
    return _walk(_key(chosen), data, index, path, chosen)


@st.cache_resource(max_entries=64, show_spinner=False)
def _walk(key: str, data: str, index: int, path: str, _predictor: Predictor) -> Walk:
    return walked(_predictor, samples(data).images[index], path)


def well_read(model: str, data: str) -> int:
    """The place of the digit that was read most surely, and rightly, among a data set's first ones."""
    chosen = predictor(model)
    return _well_read(_key(chosen), data, chosen)


@st.cache_data(max_entries=16, show_spinner=False)
def _well_read(key: str, data: str, _predictor: Predictor) -> int:
    first = samples(data).take(np.arange(min(LOOKED_THROUGH, len(samples(data)))))
    found = read(_predictor, first.images)
    return int(np.where(found.prediction == first.labels, found.confidence, -1.0).argmax())


def robustness(model: str, data: str, *, progress: Callable[[int, int], None] | None = None) -> Robustness:
    """A model under every corruption; computed the first time, with progress."""
    chosen = predictor(model)
    kept, key = _kept(), (_key(chosen), data)
    if key not in kept:
        kept[key] = robustness_of(chosen, samples(data), progress=progress)
        for old in list(kept)[:-8]:
            kept.pop(old, None)
    return kept[key]


@st.cache_resource(max_entries=1, show_spinner=False)
def _kept() -> dict[tuple[str, str], Robustness]:
    return {}


def examples(model: str, data: str, corruption: str) -> list[tuple[np.ndarray, int, float]]:
    """One digit at each severity: the picture, the answer and its confidence.

    The digit is the most surely and rightly read one among the first; its corruption is its own.
    """
    chosen = predictor(model)
    return _examples(_key(chosen), data, corruption, well_read(model, data), chosen)


@st.cache_resource(max_entries=64, show_spinner=False)
def _examples(
    key: str, data: str, corruption: str, index: int, _predictor: Predictor
) -> list[tuple[np.ndarray, int, float]]:
    digit = samples(data).images[index : index + 1]
    pictures = np.concatenate([corrupted(digit, corruption, severity) for severity in SEVERITIES])
    found = read(_predictor, pictures)
    return list(zip(pictures, found.prediction.tolist(), found.confidence.tolist(), strict=True))


def _key(chosen: Predictor) -> str:
    return f"{chosen.key}-{chosen.fitted}"
