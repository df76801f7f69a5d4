"""Made-up pictures: drawn in MNIST's convention, cut where they say, the same for the same seed."""

import numpy as np

from core.labelled import LabelledDigits
from core.outliers import free_strokes, joined_strokes, redrawn, scrawls


def test_scrawls_are_ink_in_the_convention_and_follow_from_their_seed():
    steps = []
    found = scrawls(12, seed=4, strokes=free_strokes, progress=lambda *step: steps.append(step))
    assert found.dtype == np.uint8
    assert found.shape == (12, 28, 28)
    assert (found.max(axis=(1, 2)) > 100).all()
    rows, columns = (found.max(axis=axis) > 60 for axis in (2, 1))
    longest = np.maximum(rows.sum(axis=1), columns.sum(axis=1))
    assert longest.max() <= 21, "the longer side is 20 px"
    assert steps == [(12, 12)]
    np.testing.assert_array_equal(found, scrawls(12, seed=4, strokes=free_strokes))
    assert (found != scrawls(12, seed=5, strokes=free_strokes)).any()


def test_the_parts_of_a_figure_touch():
    generator = np.random.default_rng(2)
    for _ in range(20):
        paths = joined_strokes(generator)
        assert 1 <= len(paths) <= 4
        for path in paths[1:]:
            others = np.concatenate([other for other in paths if other is not path])
            assert np.linalg.norm(path[:, None] - others[None], axis=2).min() < 0.2


def test_a_redrawn_digit_is_the_same_digit(optdigits: LabelledDigits):
    images = optdigits.images[:4]
    found = redrawn(images)
    for before, after in zip(images, found, strict=True):
        flat = [picture.astype(float).ravel() - picture.mean() for picture in (before, after)]
        likeness = flat[0] @ flat[1] / np.sqrt((flat[0] @ flat[0]) * (flat[1] @ flat[1]))
        assert likeness > 0.6
