"""Many explanations at once: the same as one by one, in many threads too."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from core import attribution, explanation
from core.errors import ExplanationError, NothingDrawn
from core.explanation import BATCH, Explanation, explain, explain_batch
from core.predictor import Predictor


def assert_same(found: list[Explanation], expected: list[Explanation]) -> None:
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert np.abs(one.map - other.map).max() < 1e-5 * max(1, other.strength)
        assert (one.map.shape, one.map.dtype) == ((28, 28), np.float32)
        assert (one.target, one.method, one.layer, one.signed) == (
            other.target, other.method, other.layer, other.signed,
        )  # fmt: skip


def test_a_batch_gives_what_single_calls_give(cnn: Predictor, random_pictures: np.ndarray):
    pictures = random_pictures[: 2 * BATCH + 3]  # two whole batches and a part of one
    found = explain_batch(cnn, pictures)
    assert_same(found, [explain(cnn, pixels) for pixels in pictures])
    assert [one.target for one in found] == [answer.digit for answer in cnn.predict(pictures)]


@pytest.mark.parametrize("layer", ["block1", "block2", "block3", "block4"])
def test_each_image_of_a_batch_may_have_its_own_target(cnn, random_pictures, layer: str):
    pictures, targets = random_pictures[:BATCH], np.arange(BATCH, dtype=np.int64) % 10
    found = explain_batch(cnn, pictures, targets=targets, layer=layer)
    singles = zip(pictures, targets, strict=True)
    assert_same(found, [explain(cnn, pixels, target=target, layer=layer) for pixels, target in singles])
    one_picture = explain_batch(cnn, pictures[[0] * 10], targets=np.arange(10), layer="block1")
    assert len({one.map.tobytes() for one in one_picture}) > 5


def test_a_linear_models_batch_is_its_parts_with_the_targets_sign(linear, random_pictures):
    pictures, targets = random_pictures[:10], np.array([3, 7] * 5)
    found = explain_batch(linear, pictures, targets=targets)
    singles = zip(pictures, targets, strict=True)
    expected = [
        explain(linear, pixels, method="input-x-gradient", target=target) for pixels, target in singles
    ]
    assert_same(found, expected)
    both = explain_batch(linear, pictures[[0, 0]], targets=np.array([3, 7]))
    assert np.array_equal(both[0].map, -both[1].map)
    assert both[0].strength > 0


def test_input_times_gradient_of_the_cnn_in_a_batch(cnn: Predictor, random_pictures: np.ndarray):
    found = explain_batch(cnn, random_pictures[:5], method="input-x-gradient")
    expected = [explain(cnn, pixels, method="input-x-gradient") for pixels in random_pictures[:5]]
    assert_same(found, expected)


def test_a_batch_of_none_is_an_empty_list(cnn: Predictor, random_pictures: np.ndarray):
    assert explain_batch(cnn, random_pictures[:0]) == []


def test_a_blank_image_is_refused_by_its_place_as_a_single_one_is(cnn, random_pictures):
    pictures = random_pictures[:3].copy()
    pictures[2] = 0
    with pytest.raises(NothingDrawn, match=r"^picture 2: Nothing drawn"):
        explain_batch(cnn, pictures)
    with pytest.raises(NothingDrawn, match=r"Nothing drawn"):
        explain(cnn, pictures[2])


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("cnn", {"targets": np.array([1, 12, 2])}, "does not know the digit 12; choose among 0, 1"),
        ("cnn", {"layer": "block5"}, "No layer 'block5'; choose one of block1"),
        ("cnn", {"method": "lime"}, "Unknown method 'lime'; choose one of gradcam"),
        ("linear", {"method": "gradcam"}, "ThreeSevenLinear has none; use method='input-x-gradient'"),
        ("linear", {"layer": "block1"}, "not a layer; leave out layer='block1'"),
        ("linear", {"targets": np.array([3, 4, 7])}, "digit 4; choose among 3, 7"),
    ],
)
def test_what_a_model_does_not_have_is_refused(request, random_pictures, kind, options, message):
    with pytest.raises(ExplanationError, match=message):
        explain_batch(request.getfixturevalue(kind), random_pictures[:3], **options)


def test_eight_threads_with_batches_and_single_calls_give_what_one_gives(cnn, linear, random_pictures):
    pictures, targets = random_pictures[:40], np.arange(40, dtype=np.int64) % 10
    together = explain_batch(cnn, pictures, targets=targets)
    parts = explain_batch(linear, pictures)
    alone = explain(cnn, pictures[7], target=7)
    explanation._loaded.cache_clear()  # so that the threads meet while it loads, too
    start = threading.Barrier(8)

    def work(thread: int) -> None:
        start.wait()
        for turn in range(6):
            if (thread + turn) % 3 == 0:
                assert_same([explain(cnn, pictures[7], target=7)], [alone])
            elif (thread + turn) % 3 == 1:
                assert_same(explain_batch(cnn, pictures, targets=targets), together)
            else:
                assert_same(explain_batch(linear, pictures), parts)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))


def test_a_failed_batch_leaves_no_hook_behind(cnn, random_pictures, monkeypatch):
    model = explanation._twin(cnn.folder, cnn.key)._model

    def fail(*_args: object, **_options: object) -> None:
        raise RuntimeError("a failure")

    with monkeypatch.context() as patch:
        patch.setattr(attribution.LayerAttribution, "interpolate", fail)
        with pytest.raises(RuntimeError, match="a failure"):
            explain_batch(cnn, random_pictures[:3])
    assert not any(module._forward_hooks or module._backward_hooks for module in model.modules())
    assert_same(explain_batch(cnn, random_pictures[:1]), [explain(cnn, random_pictures[0])])
