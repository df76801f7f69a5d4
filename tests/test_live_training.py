"""Live trainings in real processes: one a visitor, few at a time, none without its visitor."""

import threading
import time
from pathlib import Path

import pytest

from core.errors import TrainingError
from core.live_training import LiveRun, Pool
from tests import live_work

SOON = 30.0  # s: a busy machine is no failure


def until(holds, *, seconds: float = SOON) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


def ended(run: LiveRun) -> bool:
    return not run.look().running


def forever(pool: Pool, visitor: str) -> LiveRun[int]:
    return pool.start(visitor, live_work.count, (None, 0.01))


def exists(process: int) -> bool:
    return Path(f"/proc/{process}").exists()


def test_states_can_be_looked_at_while_it_goes_on_and_after_it_was_stopped():
    pool = Pool()
    run = forever(pool, "a")
    until(lambda: len(run.look().states) > 3)
    assert run.look().running
    run.stop()
    look = run.look()
    assert not look.running
    assert look.error is None
    assert look.states == tuple(range(len(look.states)))
    assert pool.running() == 0


def test_a_run_that_goes_on_begins_with_what_there_was_and_ends_by_itself():
    pool = Pool()
    run = pool.start("a", live_work.count, (2,), before=(7, 8))
    until(lambda: ended(run))
    assert run.look().states == (7, 8, 0, 1)
    assert run.look().error is None
    assert pool.running() == 0


def test_one_a_visitor_and_four_at_a_time():
    pool = Pool()
    runs = [forever(pool, str(number)) for number in range(4)]
    with pytest.raises(TrainingError, match="A training of yours is still running"):
        forever(pool, "0")
    with pytest.raises(TrainingError, match=r"4 visitors are training at the moment.*Try again"):
        forever(pool, "4")
    runs[2].stop()
    assert pool.running() == 3
    runs.append(forever(pool, "4"))
    for run in runs:
        run.stop()
    assert pool.running() == 0


def test_many_visitors_at_once_never_get_more_places_than_there_are():
    pool, begun, refused = Pool(3), [], []
    barrier = threading.Barrier(16)

    def visit(number: int) -> None:
        barrier.wait()
        try:
            begun.append(forever(pool, str(number)))
        except TrainingError:
            refused.append(number)

    threads = [threading.Thread(target=visit, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(begun), len(refused)) == (3, 13)
    for run in begun:
        run.stop()
    assert pool.running() == 0


def test_a_training_ends_soon_after_its_visitor_left_even_within_an_epoch():
    here = threading.Event()
    here.set()
    pool = Pool()
    run = pool.start("a", live_work.own_process, alive=here.is_set)
    until(lambda: len(run.look().states) == 1)
    process = run.look().states[0]
    assert exists(process)
    here.clear()
    until(lambda: ended(run), seconds=5)
    assert not exists(process)
    assert pool.running() == 0


def test_stopping_does_not_wait_for_the_epochs_end():
    run = Pool().start("a", live_work.own_process)
    until(lambda: len(run.look().states) == 1)
    began = time.monotonic()
    run.stop()
    assert time.monotonic() - began < 5
    assert not exists(run.look().states[0])


def test_the_pace_is_kept():
    run = Pool().start("a", live_work.count, (5,), pace=0.1)
    until(lambda: len(run.look().states) == 1)
    began = time.monotonic()
    until(lambda: ended(run))
    assert time.monotonic() - began > 0.25


def test_what_a_visitor_can_mend_is_told_and_a_bug_is_only_logged(caplog: pytest.LogCaptureFixture):
    pool = Pool()
    mends, breaks, dies = (
        pool.start(work.__name__, work) for work in (live_work.mends, live_work.breaks, live_work.dies)
    )
    until(lambda: ended(mends) and ended(breaks) and ended(dies))
    assert mends.look().error == "Choose some 7s."
    for run in (breaks, dies):
        assert run.look().states == (1,)
        assert run.look().error == "Something broke here. It has been logged; train again."
    assert "secret path" in caplog.text
    assert "ended with status 3" in caplog.text
    assert pool.running() == 0
