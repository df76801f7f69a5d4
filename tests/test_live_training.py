"""Live trainings in real threads: one a visitor, few at a time, none without its visitor."""

import itertools
import threading
import time
from collections.abc import Iterator

import pytest

from core.errors import TrainingError
from core.live_training import LiveRun, Pool

SOON = 10.0  # s: a busy machine is no failure


class Steps:
    """Epochs that end when the test says so."""

    def __init__(self) -> None:
        self.go = threading.Semaphore(0)

    def __call__(self) -> Iterator[int]:
        for number in itertools.count():
            if not self.go.acquire(timeout=SOON):
                return
            yield number


def until(holds, *, seconds: float = SOON) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.005)


def ended(run: LiveRun) -> bool:
    return not run.look().running


def test_states_can_be_looked_at_while_it_goes_on_and_after_it_ended():
    pool, steps = Pool(), Steps()
    run = pool.start("a", steps)
    for count in (1, 2, 3):
        steps.go.release()
        until(lambda count=count: len(run.look().states) == count)
        assert run.look().running
    threading.Thread(target=lambda: (time.sleep(0.05), steps.go.release())).start()
    run.stop()
    assert ended(run)
    assert run.look().states[:3] == (0, 1, 2)
    assert pool.running() == 0


def test_a_run_that_goes_on_begins_with_what_there_was():
    run = Pool().start("a", lambda: iter([4, 5]), before=(1, 2, 3))
    until(lambda: ended(run))
    assert run.look().states == (1, 2, 3, 4, 5)


def test_one_a_visitor_and_four_at_a_time():
    pool = Pool()
    runs = [pool.start(str(number), Steps()) for number in range(4)]
    with pytest.raises(TrainingError, match="A training of yours is still running"):
        pool.start("0", Steps())
    with pytest.raises(TrainingError, match=r"4 visitors are training at the moment.*Try again"):
        pool.start("4", Steps())
    runs[2]._epochs.go.release()  # the epoch that stop() waits for
    runs[2].stop()
    assert pool.running() == 3
    again = pool.start("4", lambda: iter([1]))
    until(lambda: ended(again))
    for run in (runs[0], runs[1], runs[3]):
        run._epochs.go.release()
        run.stop()
    assert pool.running() == 0


def test_many_visitors_at_once_never_get_more_places_than_there_are():
    pool, begun, refused = Pool(3), [], []
    barrier = threading.Barrier(16)

    def visit(number: int) -> None:
        barrier.wait()
        try:
            begun.append(pool.start(str(number), Steps()))
        except TrainingError:
            refused.append(number)

    threads = [threading.Thread(target=visit, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(begun), len(refused)) == (3, 13)
    for run in begun:
        run._epochs.go.release()
        run.stop()
    assert pool.running() == 0


def test_a_training_ends_soon_after_its_visitor_left():
    here = threading.Event()
    here.set()
    pool = Pool()
    run = pool.start("a", itertools.count, pace=0.01, alive=here.is_set)
    until(lambda: len(run.look().states) > 3)
    here.clear()
    until(lambda: ended(run))
    assert pool.running() == 0
    count = len(run.look().states)
    time.sleep(0.1)
    assert len(run.look().states) == count


def test_a_visitor_who_leaves_in_a_long_pause_is_noticed_in_it():
    here = threading.Event()
    here.set()
    run = Pool().start("a", itertools.count, pace=3600.0, alive=here.is_set)
    until(lambda: len(run.look().states) == 1)
    here.clear()
    until(lambda: ended(run), seconds=3)


def test_the_pace_is_kept():
    run = Pool().start("a", lambda: iter(range(5)), pace=0.05)
    began = time.monotonic()
    until(lambda: ended(run))
    assert time.monotonic() - began > 0.15


def test_what_a_visitor_can_mend_is_told_and_a_bug_is_only_logged(caplog: pytest.LogCaptureFixture):
    def mends() -> Iterator[int]:
        yield 1
        raise TrainingError("Choose some 7s.")

    def breaks() -> Iterator[int]:
        yield 1
        raise ZeroDivisionError("secret path")

    pool = Pool()
    first, second = pool.start("a", mends), pool.start("b", breaks)
    until(lambda: ended(first) and ended(second))
    assert first.look().error == "Choose some 7s."
    assert "secret" not in str(second.look().error)
    assert "secret path" in caplog.text
    assert second.look().states == (1,)
    assert pool.running() == 0
