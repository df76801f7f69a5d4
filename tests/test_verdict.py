"""The verdict: unusual before unsure, and the limits themselves still pass."""

import numpy as np
import pytest

from core.verdict import judge

CLASSES = (0, 4, 9)
LIMITS = {"refuse_below": 0.6, "unusual_above": 3.0}


@pytest.mark.parametrize(
    ("probabilities", "unusualness", "kind", "words"),
    [
        ((0.05, 0.9, 0.05), 1.0, "digit", "looks like a digit"),
        ((0.1, 0.4, 0.5), 1.0, "unsure", "unsure: 9 or 4"),
        ((0.0, 1.0, 0.0), 3.1, "not-a-digit", "not like any digit it was trained on"),
        ((0.3, 0.3, 0.4), 3.1, "not-a-digit", "not like any digit it was trained on"),
        ((0.0, 0.6, 0.4), 3.0, "digit", "looks like a digit"),
    ],
)
def test_the_verdict_follows_from_both_limits(probabilities, unusualness, kind, words):
    found = judge(np.array(probabilities, np.float32) + 1e-7, CLASSES, unusualness, **LIMITS)
    assert (found.kind, found.words) == (kind, words)
