"""Training digits as if drawn: what `prepare()` makes of them, computed once."""

import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from core import drawn
from core.datasets import LabelledDigits, load_dataset
from core.drawn import drawn_copies
from core.preprocess import prepare


@pytest.fixture
def digits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LabelledDigits:
    monkeypatch.setenv("DIGITSCOPE_DATA", str(tmp_path))
    # Spawned processes run the main module again; Streamlit's AppTest leaves a page there.
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))
    return load_dataset("optdigits").take(np.arange(5))


def test_a_copy_is_what_prepare_makes_of_the_digit_enlarged_to_the_canvas(digits: LabelledDigits):
    copies = drawn_copies(digits)
    for copy, image in zip(copies, digits.images, strict=True):
        large = Image.fromarray(image).resize((280, 280), Image.Resampling.BILINEAR)
        np.testing.assert_array_equal(copy, prepare(np.asarray(large)).pixels)


def test_they_are_made_once_for_the_same_digits(digits: LabelledDigits, monkeypatch: pytest.MonkeyPatch):
    made = []

    class Counted(ProcessPoolExecutor):
        def __init__(self, *args, **options):
            made.append(1)
            super().__init__(*args, **options)

    monkeypatch.setattr(drawn, "ProcessPoolExecutor", Counted)
    first, again = drawn_copies(digits), drawn_copies(digits)
    np.testing.assert_array_equal(first, again)
    assert len(made) == 1
    again[:] = 0  # a copy of one's own: what is kept stays
    np.testing.assert_array_equal(drawn_copies(digits), first)
    drawn_copies(digits.take(np.arange(4)))
    assert len(made) == 2, "other digits have other copies"
    monkeypatch.setattr(drawn, "THICKNESS_BAND", (2.0, 3.0))
    drawn_copies(digits)
    assert len(made) == 3, "so does another band of strokes"


def test_a_digit_that_prepare_refuses_stays_as_it_is(digits: LabelledDigits):
    blank = replace(digits, images=np.zeros_like(digits.images))
    assert not drawn_copies(blank).any()
