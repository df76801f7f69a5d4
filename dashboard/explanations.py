"""Cached access to explanations: by weights, picture, question, method and options."""

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from core.errors import DigitscopeError
from core.methods import DEFAULT_LAYER, DEFAULTS, METHODS, Options
from core.predictor import Predictor

if TYPE_CHECKING:
    from core.explanation import Explanation

log = logging.getLogger(__name__)
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
    except DigitscopeError as error:
        return str(error)
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
