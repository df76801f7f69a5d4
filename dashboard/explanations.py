"""Cached access to explanations: by weights, picture, question, method and options."""

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from core.card import read_card
from core.channels import Channels, read_channels
from core.errors import CheckpointReplaced, DigitscopeError
from core.methods import DEFAULT_LAYER, DEFAULTS, METHODS, Options
from core.paths import CHANNELS, STUDY, without_folders
from core.predictor import Predictor
from core.study import Study, read_study
from core.what_if import Without
from core.what_if import without_each as without_strokes

if TYPE_CHECKING:
    from core.counterfactual import Counterfactual
    from core.explanation import Explanation
    from core.inside import Block
    from core.map_metrics import MapFigures

log = logging.getLogger(__name__)
REPLACED = "The model was replaced in the meantime. Load this page again."
BROKEN = "It failed here. That has been logged; the other methods stand."


@dataclass(frozen=True)
class Question:
    """Evidence for which digit, against which one (None: by itself), asked how."""

    target: int
    against: int | None = None
    layer: str = DEFAULT_LAYER
    options: Options = DEFAULTS

    def told(self, method: str) -> "Question":
        """Only what the method listens to: what is computed once is found again."""
        layered = METHODS[method].layered
        listens = {
            "integrated-gradients": ("steps", "baseline"),
            "deeplift": ("baseline",),
            "shap": ("baseline",),
            "occlusion": ("baseline", "window", "stride"),
        }.get(method, ())
        options = Options(**{name: getattr(self.options, name) for name in listens})
        return Question(self.target, self.against, self.layer if layered else DEFAULT_LAYER, options)

    @property
    def words(self) -> str:
        return str(self.target) if self.against is None else f"{self.target} against {self.against}"


def explanation(
    predictor: Predictor, pixels: np.ndarray, method: str, question: Question
) -> "Explanation | str":
    """A map, or why there is none, in words."""
    try:
        return _explanation(predictor.key, pixels, method, question.told(method), predictor)
    except CheckpointReplaced:
        return REPLACED
    except DigitscopeError as error:
        return without_folders(str(error))
    except Exception as error:  # one method's failure must not take the others from the page
        log.error("%s failed", method, exc_info=error)
        return BROKEN


@st.cache_resource(max_entries=1024, show_spinner=False)
def _explanation(
    key: str, pixels: np.ndarray, method: str, question: Question, _predictor: Predictor
) -> "Explanation":
    from core.explanation import explain  # torch: seconds to import

    asked = question
    return explain(
        _predictor,
        pixels,
        method=method,
        target=asked.target,
        against=asked.against,
        layer=asked.layer if METHODS[method].layered else None,
        options=asked.options,
    )


def figures(predictor: Predictor, pixels: np.ndarray, method: str, question: Question) -> "MapFigures | str":
    """A map that there is, measured, or why not, in words."""
    try:
        return _figures(predictor.key, pixels, method, question.told(method), predictor)
    except CheckpointReplaced:
        return REPLACED
    except DigitscopeError as error:
        return without_folders(str(error))
    except Exception as error:
        log.error("measuring %s failed", method, exc_info=error)
        return BROKEN


@st.cache_resource(max_entries=512, show_spinner=False)
def _figures(
    key: str, pixels: np.ndarray, method: str, question: Question, _predictor: Predictor
) -> "MapFigures":
    from core.map_metrics import measure  # torch

    return measure(
        _predictor, pixels, _explanation(key, pixels, method, question, _predictor), question.options
    )


def study(predictor: Predictor) -> Study | None:
    """What was measured of the methods with this model.

    Raises:
        CheckpointError: it is of other weights, or was changed.
    """
    version = read_card(predictor.folder).hashes.get(STUDY)
    return None if version is None else _study(predictor.key, version, predictor)


@st.cache_resource(max_entries=8, show_spinner=False)
def _study(key: str, version: str, _predictor: Predictor) -> Study | None:
    return read_study(_predictor.folder)


def truth(predictor: Predictor, pixels: np.ndarray, target: int) -> np.ndarray:
    """The exact part of each pixel, of a linear model."""
    return _truth(predictor.key, pixels, target, predictor)


@st.cache_resource(max_entries=64, show_spinner=False)
def _truth(key: str, pixels: np.ndarray, target: int, _predictor: Predictor) -> np.ndarray:
    from core.known_truth import true_parts  # torch

    return true_parts(_predictor, pixels, target)


def without_each(predictor: Predictor, pixels: np.ndarray, question: Question) -> tuple[Without, ...]:
    """The digit without each of its strokes."""
    return _without_each(predictor.key, pixels, question.target, question.against, predictor)


@st.cache_resource(max_entries=128, show_spinner=False)
def _without_each(
    key: str, pixels: np.ndarray, target: int, against: int | None, _predictor: Predictor
) -> tuple[Without, ...]:
    return without_strokes(_predictor, pixels, target, against)


def smallest_change(predictor: Predictor, pixels: np.ndarray, digit: int | None) -> "Counterfactual | None":
    """The nearest picture that is read as a digit, or as any other one."""
    return _smallest_change(predictor.key, pixels, digit, predictor)


@st.cache_resource(max_entries=256, show_spinner=False)
def _smallest_change(
    key: str, pixels: np.ndarray, digit: int | None, _predictor: Predictor
) -> "Counterfactual | None":
    from core.counterfactual import turn_into  # torch

    return turn_into(_predictor, pixels, digit)


def inside(predictor: Predictor, pixels: np.ndarray, question: Question) -> "tuple[Block, ...]":
    """Every block of the network on a digit."""
    return _inside(predictor.key, pixels, question.target, question.against, predictor)


@st.cache_resource(max_entries=24, show_spinner=False)  # half a megabyte each
def _inside(
    key: str, pixels: np.ndarray, target: int, against: int | None, _predictor: Predictor
) -> "tuple[Block, ...]":
    from core.inside import look_inside  # torch

    return look_inside(_predictor, pixels, target, against)


def unseen(predictor: Predictor, method: str) -> np.ndarray | None:
    """The pixels that no answer depends on, for a method whose maps may mark places there."""
    return _unseen(predictor.key, predictor) if method == "gradcam" else None


@st.cache_resource(max_entries=4, show_spinner=False)
def _unseen(key: str, _predictor: Predictor) -> np.ndarray:
    from core.inside import unseen  # torch

    return unseen(_predictor)


def filters(predictor: Predictor) -> np.ndarray:
    """The first layer's weights."""
    return _filters(predictor.key, predictor)


@st.cache_resource(max_entries=4, show_spinner=False)
def _filters(key: str, _predictor: Predictor) -> np.ndarray:
    from core.inside import first_filters  # torch

    return first_filters(_predictor)


def channels(predictor: Predictor) -> "Channels | None":
    """What excites each channel most.

    Raises:
        CheckpointError: it is of other weights, or was changed.
    """
    version = read_card(predictor.folder).hashes.get(CHANNELS)
    return None if version is None else _channels(predictor.key, version, predictor)


@st.cache_resource(max_entries=4, show_spinner=False)
def _channels(key: str, version: str, _predictor: Predictor) -> "Channels | None":
    return read_channels(_predictor.folder)
