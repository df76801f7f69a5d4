"""Labelled digits: rows taken together, and a digest that knows every part."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from core.labelled import LabelledDigits

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 28, 28), dtype=np.uint8)
DATA = LabelledDigits("x", IMAGES, np.array([4, 0, 9]), "here", ("y: broken",), ("a.png", "b.png", "c.png"))


def test_rows_are_taken_with_their_names_by_mask_and_by_index():
    assert DATA.only((9, 4)).names == ("a.png", "c.png")
    taken = DATA.take(np.array([2, 0]))
    assert (taken.names, taken.labels.tolist()) == (("c.png", "a.png"), [9, 4])
    assert np.array_equal(taken.images, IMAGES[[2, 0]])
    assert (taken.name, taken.source, taken.skipped) == ("x", "here", ("y: broken",))
    assert replace(DATA, names=()).take(np.array([1])).names == ()


def test_the_digest_is_sha_256_over_images_labels_and_names():
    labels = b"".join(n.to_bytes(8, "little") for n in (4, 0, 9))
    whole = IMAGES.tobytes() + labels + b'["a.png", "b.png", "c.png"]'
    assert DATA.digest == hashlib.sha256(whole).hexdigest()


@pytest.mark.parametrize(
    "other",
    [
        replace(DATA, images=IMAGES ^ 1),
        replace(DATA, labels=np.array([4, 0, 8])),
        replace(DATA, names=("a.png", "b.png", "d.png")),
        replace(DATA, names=()),
        DATA.take(np.array([0, 2, 1])),
    ],
)
def test_other_digits_have_another_digest(other: LabelledDigits):
    assert other.digest != DATA.digest


def test_the_name_the_source_and_the_memory_layout_do_not_change_the_digest():
    turned = np.asfortranarray(IMAGES)
    assert replace(DATA, name="y", source="there", skipped=(), images=turned).digest == DATA.digest
