"""Work that many ask for at once: done by one, waited for by the others."""

import threading
import time

import pytest

from dashboard.together import Progress, once


def run(threads: int, work, needed) -> list[list[tuple[int, int]]]:
    told: list[list[tuple[int, int]]] = [[] for _ in range(threads)]

    def visitor(place: int) -> None:
        try:
            once("key", needed, work, progress=lambda done, total: told[place].append((done, total)))
        except RuntimeError:
            told[place].append((-1, -1))

    started = [threading.Thread(target=visitor, args=(place,)) for place in range(threads)]
    for each in started:
        each.start()
    for each in started:
        each.join()
    return told


def test_one_works_and_all_see_how_far_it_is():
    done: list[int] = []

    def work(tell: Progress) -> None:
        tell(3, 7)
        time.sleep(0.6)
        done.append(1)

    told = run(8, work, lambda: not done)
    assert done == [1]
    assert all((3, 7) in each for each in told)


def test_where_the_one_who_worked_failed_the_next_does_it():
    tried, done = [], []

    def work(tell: Progress) -> None:
        tried.append(1)
        time.sleep(0.3)
        if len(tried) == 1:
            raise RuntimeError("left")
        done.append(1)

    told = run(4, work, lambda: not done)
    assert (len(tried), len(done)) == (2, 1)
    assert sum((-1, -1) in each for each in told) == 1


def test_what_is_done_is_not_begun():
    with pytest.raises(ZeroDivisionError):
        once("other", lambda: True, lambda tell: 1 / 0)
    once("other", lambda: False, lambda tell: 1 / 0)
