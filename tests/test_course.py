"""A run's course: in a link and back, stopped, gone back, gone on; and when it goes wrong."""

from dataclasses import replace

import numpy as np
import pytest

from core.course import ALL, Course, course_from, few, follow
from core.datasets import LabelledDigits
from core.divergence import trouble
from core.errors import TrainingError
from core.scratch import EpochState, ScratchConfig, ScratchDigits, Weights, train

CONFIG = ScratchConfig(loss="distance", start="normal", rate=0.3, batch=64, epochs=4, seed=7)


@pytest.fixture(scope="module")
def digits() -> ScratchDigits:
    generator = np.random.default_rng(3)
    images = generator.integers(0, 256, (200, 784), dtype=np.uint8)
    return ScratchDigits(images, generator.integers(0, 2, 200).astype(np.float64))


def test_a_course_comes_back_from_its_text():
    course = Course(10, ALL, (CONFIG,)).then(
        replace(CONFIG, rate=0.001, loss="cross-entropy", epochs=9), after=3
    )
    assert course.to_text() == "normal,7,10,-1_3,0.3,64,distance_9,0.001,64,cross-entropy"
    assert course_from(course.to_text()) == course


@pytest.mark.parametrize(
    "text",
    [
        "",
        "normal",
        "normal,7,-1,-1",
        "normal,7,-1,-1_4,0.3,64",
        "normal,7,-1,-1_4,0.3,64,hinge",
        "normal,7,-1,-1_4,nan,64,distance",
        "normal,7,-1,-1_4,0,64,distance",
        "normal,7,-2,-1_4,0.3,64,distance",
        "normal,7,-1,-1_4,0.3,64,distance_4,0.3,64,distance",
        "normal,7,-1,-1_1001,0.3,64,distance",
        "normal,7,-1,-1" + "".join(f"_{n},0.3,64,distance" for n in range(1, 30)),
        "<script>" * 1000,
    ],
)
def test_a_text_that_is_no_course_is_refused_in_a_sentence(text: str):
    with pytest.raises(TrainingError):
        course_from(text)


def test_stopping_keeps_the_legs_before_and_going_back_drops_those_behind():
    course = Course(ALL, ALL, (CONFIG, replace(CONFIG, epochs=9, rate=1.0), replace(CONFIG, epochs=12)))
    assert [leg.epochs for leg in course.until(10).legs] == [4, 9, 10]
    assert [leg.epochs for leg in course.until(4).legs] == [4]
    back = course.then(replace(CONFIG, epochs=8, rate=3.0, seed=99, start="zero"), after=2)
    assert [(leg.epochs, leg.seed, leg.start) for leg in back.legs] == [(2, 7, "normal"), (8, 7, "normal")]
    assert [leg.epochs for leg in course.then(replace(CONFIG, epochs=5), after=0).legs] == [5]


def test_going_on_with_the_same_settings_is_one_leg():
    course = Course(ALL, ALL, (CONFIG,))
    for end in range(5, 60):
        course = course.until(end - 1).then(replace(CONFIG, epochs=end), after=end - 1)
    assert course.legs == (replace(CONFIG, epochs=59),)


def test_more_than_a_link_can_carry_is_refused_in_a_sentence():
    many = Course(ALL, ALL, tuple(replace(CONFIG, epochs=n) for n in range(1, 22)))
    with pytest.raises(
        TrainingError, match="at most 20 settings and 1,000 epochs; this one would go through 21"
    ):
        many.check()
    long = Course(ALL, ALL, (replace(CONFIG, epochs=1001),))
    with pytest.raises(TrainingError, match=r"through 1 and 1,001\. Go back"):
        long.check()
    replace(long, legs=(replace(CONFIG, epochs=1000),)).check()


def test_a_course_that_was_interrupted_gives_what_it_gives_in_one_go(digits: ScratchDigits):
    first = list(follow(Course(ALL, ALL, (CONFIG,)), digits, digits))
    course = Course(ALL, ALL, (CONFIG,)).then(replace(CONFIG, rate=1.0, epochs=7), after=2)
    rest = list(follow(course, digits, digits, first[2]))
    again = list(follow(course_from(course.to_text()), digits, digits))
    assert [state.epoch for state in again] == list(range(8))
    assert [state.epoch for state in rest] == [3, 4, 5, 6, 7]
    assert np.array_equal(rest[-1].weights.w, again[-1].weights.w)
    assert not np.array_equal(first[4].weights.w, again[4].weights.w)


def test_a_course_ends_where_its_weights_are_no_longer_finite(digits: ScratchDigits):
    wild = replace(CONFIG, rate=1e308, loss="cross-entropy", start="zero")
    course = Course(ALL, ALL, (wild, replace(wild, epochs=9)))
    states = list(follow(course, digits, digits))
    assert len(states) < 5
    found = trouble(states, wild)
    assert found is not None
    assert found.kind == "broken"


def test_only_so_many_of_each_digit_are_learnt_from():
    labels = np.array([3, 7, 3, 5, 7, 3, 7])
    images = np.arange(7, dtype=np.uint8)[:, None, None] * np.ones((28, 28), dtype=np.uint8)
    data = LabelledDigits("seven", images, labels, "made for a test")
    chosen = few(data, threes=2, sevens=ALL)
    assert chosen.images[:, 0].tolist() == [0, 1, 2, 4, 6]
    assert chosen.targets.tolist() == [1, 0, 1, 0, 0]
    with pytest.raises(TrainingError, match="There is no 7 among the digits"):
        few(data, sevens=0)


def state(epoch: int, loss: float, *, stuck: float = 0.0) -> EpochState:
    return EpochState(epoch, Weights(np.zeros(784), 0.0), loss, 0.9, loss, 0.9, stuck)


@pytest.mark.parametrize(
    ("losses", "stuck", "loss", "kind"),
    [
        ((0.69, 0.2, 0.1), 0.0, "cross-entropy", None),
        ((5.0, 4.0, 3.0), 0.0, "cross-entropy", None),
        ((0.69, 23.0), 0.0, "cross-entropy", "diverged"),
        ((0.69, 0.1, 1.2), 0.0, "cross-entropy", "overshoots"),
        ((0.69, float("nan")), 0.0, "cross-entropy", "broken"),
        ((0.5, 0.03), 0.9, "distance", "flat"),
        ((0.5, 0.03), 0.9, "cross-entropy", None),
        ((0.69,), 0.0, "cross-entropy", None),
    ],
)
def test_what_goes_wrong_has_its_word(losses: tuple, stuck: float, loss: str, kind: str | None):
    states = [state(epoch, value, stuck=stuck if epoch else 0.0) for epoch, value in enumerate(losses)]
    found = trouble(states, ScratchConfig(loss=loss, rate=8.0))
    assert (found.kind if found else None) == kind
    if found:
        assert found.words.endswith("The rate of 8 is too high: lower it.")


def test_a_start_alone_is_a_state(digits: ScratchDigits):
    (only, *_) = train(CONFIG, digits, digits)
    assert only.epoch == 0
