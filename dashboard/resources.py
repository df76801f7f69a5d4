"""Cached access to core: one function a resource."""

import logging
import threading
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from core import mnist, runs, several
from core.card import ModelCard, read_card, read_history
from core.course import few
from core.datasets import LabelledDigits, load_dataset
from core.errors import DigitscopeError
from core.live_training import Pool
from core.model_card import ModelCardText
from core.model_card import model_card as model_card_of
from core.one_digit import served_weights
from core.parts import parts_of
from core.paths import GRAPH, HISTORY, WEIGHTS, checkpoint_folder
from core.predictor import Predictor
from core.preprocess import PreparedDigit, prepare
from core.results import TRAINING_RESULTS, RecipeResults, read_results
from core.runs import RunStatus
from core.scratch import CLASSES, ScratchDigits, Weights
from dashboard.memory import set_libraries_aside

if TYPE_CHECKING:
    from core.explanation import Explanation

log = logging.getLogger(__name__)


def card(name: str) -> ModelCard:
    """The model card of a checkpoint, as it lies on disk now."""
    return read_card(checkpoint_folder(name))


def predictor(name: str) -> Predictor:
    """The checkpoint ready to predict; one that was replaced or fitted anew on disk is loaded anew."""
    found = card(name)
    return _predictor(name, f"{found.hashes[GRAPH]} {found.calibration} {found.verdict}")


@st.cache_resource(max_entries=8, show_spinner="Loading the model …")
def _predictor(name: str, version: str) -> Predictor:
    return Predictor.load(name)


def history(name: str) -> list[dict[str, float]]:
    """What training measured, one dictionary an epoch."""
    return _history(name, card(name).hashes[HISTORY])


@st.cache_data(max_entries=8, show_spinner=False)
def _history(name: str, version: str) -> list[dict[str, float]]:
    return read_history(checkpoint_folder(name))


def model_card(name: str) -> ModelCardText:
    """The model card of a checkpoint for people, written from what lies on disk now."""
    return model_card_of(name)


def running() -> list[RunStatus]:
    """The trainings under way on this machine."""
    return runs.running()


def training_results() -> list[RecipeResults]:
    """Every recorded run, by recipe; read anew when the file changes."""
    try:
        return _training_results(TRAINING_RESULTS.stat().st_mtime_ns)
    except FileNotFoundError:
        return []


@st.cache_resource(max_entries=1, show_spinner=False)
def _training_results(changed: int) -> list[RecipeResults]:
    return read_results()


@st.cache_resource(max_entries=32, show_spinner=False)
def prepared(content: bytes | np.ndarray, name: str) -> PreparedDigit:
    """A picture in MNIST's convention; a rerun that changes something else finds it ready."""
    return prepare(content, name=name)


def explanation(predictor: Predictor, digit: PreparedDigit, target: int) -> "Explanation":
    """The evidence for one digit in a picture, by the method that fits the model."""
    return explanations(predictor, digit)[target]


def explanations(predictor: Predictor, digit: PreparedDigit) -> dict[int, "Explanation"]:
    """The evidence for each digit that the model knows; all at once takes no longer than two one by one."""
    return _explanations(predictor.key, digit.pixels, predictor)


def digits_in(predictor: Predictor, digit: PreparedDigit) -> tuple[PreparedDigit, ...]:
    """The digits in a picture, in reading order; most often one."""
    return _digits_in(f"{predictor.key} {predictor.fitted}", digit.steps[0].picture, predictor, digit)


@st.cache_resource(max_entries=32, show_spinner=False)
def _digits_in(
    key: str, picture: np.ndarray, _predictor: Predictor, _digit: PreparedDigit
) -> tuple[PreparedDigit, ...]:
    return several.digits_in(_predictor, _digit)


@st.cache_resource(max_entries=64, show_spinner=False)
def _explanations(key: str, pixels: np.ndarray, _predictor: Predictor) -> dict[int, "Explanation"]:
    from core.explanation import default_method, explain_batch  # torch: seconds to import

    targets = np.array(_predictor.classes)
    copies = np.repeat(pixels[None], len(targets), axis=0)
    found = explain_batch(_predictor, copies, method=default_method(_predictor), targets=targets)
    return {each.target: each for each in found}


def key(card: ModelCard) -> str:
    """The first digits of the weights' SHA-256."""
    return card.hashes[WEIGHTS][:12]


def mnist_at_hand() -> bool:
    """Whether samples can come from MNIST's test set rather than from the bundled digits."""
    return not mnist.missing()


@st.cache_resource(max_entries=4, show_spinner="Preparing the digits …")
def samples(name: str) -> LabelledDigits:
    """A labelled data set by name."""
    return load_dataset(name)


@st.cache_resource(max_entries=1, show_spinner=False)
def training_pool() -> Pool:
    """Every training that visitors watch on the Learn page."""
    return Pool()


def learning_source() -> str:
    """What the Learn page trains with: MNIST where it is at hand, else the bundled digits."""
    return "mnist" if mnist_at_hand() else "optdigits"


@st.cache_resource(max_entries=16, show_spinner="Loading the digits …")
def learning_digits(source: str, threes: int, sevens: int) -> tuple[ScratchDigits, ScratchDigits]:
    """So many 3s and 7s to learn from, and those to measure with.

    Raises:
        TrainingError: none of one of the two.
    """
    parts = _threes_and_sevens(source)
    return few(parts[0], threes=threes, sevens=sevens), few(parts[1])


@st.cache_resource(max_entries=2, show_spinner="Loading the digits …")
def _threes_and_sevens(source: str) -> tuple[LabelledDigits, LabelledDigits]:
    parts = parts_of(source)
    return parts.training.only(CLASSES), parts.validation.only(CLASSES)


def linear_weights(name: str) -> Weights:
    """The weights of a checkpoint of the linear model, for pixels in [0, 1]."""
    return served_weights(checkpoint_folder(name))


def warming(predictor: Predictor) -> bool:
    """Whether the first explanation must still wait for its imports; starts them if nobody has."""
    return _warm_up(predictor.key, predictor).is_alive()


@st.cache_resource(show_spinner=False, max_entries=8)
def _warm_up(key: str, _predictor: Predictor) -> threading.Thread:
    def warm() -> None:
        from core.explanation import warm_up  # torch and captum: seconds, while the visitor looks

        try:
            warm_up(_predictor)
        except DigitscopeError as error:  # the page that needs it shows it
            log.warning("no explanations: %s", error)
        _set_torch_aside()

    thread = threading.Thread(target=warm, name="warm-up", daemon=True)
    thread.start()
    return thread


@lru_cache(maxsize=1)
def _set_torch_aside() -> None:
    """Once, as a session that lives now is set aside, too."""
    set_libraries_aside()


def sample(name: str, index: int) -> tuple[np.ndarray, int]:
    """One digit of a data set (uint8, 28×28) and its label."""
    data = samples(name)
    return data.images[index], int(data.labels[index])
