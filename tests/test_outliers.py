"""Made-up pictures: drawn in MNIST's convention, cut where they say, the same for the same seed."""

import numpy as np

from core.labelled import LabelledDigits
from core.outliers import cut_digits, joined_strokes, pieces, redrawn, scrawls


def test_scrawls_are_ink_in_the_convention_and_follow_from_their_seed():
    steps = []
    found = scrawls(12, seed=4, progress=lambda *step: steps.append(step))
    assert found.dtype == np.uint8
    assert found.shape == (12, 28, 28)
    assert (found.max(axis=(1, 2)) > 100).all()
    rows, columns = (found.max(axis=axis) > 60 for axis in (2, 1))
    longest = np.maximum(rows.sum(axis=1), columns.sum(axis=1))
    assert longest.max() <= 21, "the longer side is 20 px"
    assert steps == [(12, 12)]
    np.testing.assert_array_equal(found, scrawls(12, seed=4))
    assert (found != scrawls(12, seed=5)).any()


def test_a_cut_digit_has_a_part_of_either():
    images = np.zeros((2, 28, 28), np.uint8)
    images[0, 4:24, 4:24], images[1, 4:24, 4:24] = 100, 200
    found = cut_digits(images, np.array([1, 7]), 8, seed=0)
    assert len(found) == 8
    for pixels in found:
        assert set(np.unique(pixels)) == {0, 100, 200}
        assert (pixels > 0).sum() == 400, "moved, not cropped"
    first = (found == 100).sum(axis=(1, 2))
    assert first.min() > 0
    assert len(set(first)) > 1, "cut at different places"


def test_digits_of_one_class_are_never_put_together():
    images = np.zeros((3, 28, 28), np.uint8)
    images[:, 5:20, 5:20] = np.array([50, 60, 70])[:, None, None]
    for pixels in cut_digits(images, np.array([1, 1, 7]), 20, seed=1):
        assert 70 in pixels, "no picture of the two 1s alone"


def test_the_parts_of_a_figure_touch():
    generator = np.random.default_rng(2)
    for _ in range(20):
        paths = joined_strokes(generator)
        assert 1 <= len(paths) <= 4
        for path in paths[1:]:
            others = np.concatenate([other for other in paths if other is not path])
            assert np.linalg.norm(path[:, None] - others[None], axis=2).min() < 0.2


def test_a_piece_lacks_a_part_of_its_digit():
    images = np.zeros((1, 28, 28), np.uint8)
    images[0, 4:24, 4:24] = 200
    found = pieces(images, 30, seed=0)
    inked = (found > 0).sum(axis=(1, 2))
    assert (inked > 0).all()
    assert (inked < 400).all()
    assert set(np.unique(found)) == {0, 200}
    np.testing.assert_array_equal(found, pieces(images, 30, seed=0))


def test_a_redrawn_digit_is_the_same_digit(optdigits: LabelledDigits):
    images = optdigits.images[:4]
    found = redrawn(images)
    for before, after in zip(images, found, strict=True):
        flat = [picture.astype(float).ravel() - picture.mean() for picture in (before, after)]
        likeness = flat[0] @ flat[1] / np.sqrt((flat[0] @ flat[0]) * (flat[1] @ flat[1]))
        assert likeness > 0.6
