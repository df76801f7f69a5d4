"""Works that go on when nobody looks: found again, followed by many, few at a time, failures kept."""

import logging
import threading
from collections.abc import Callable

import pytest

from core.errors import ReportError
from dashboard.background import MOST_ENDED, Jobs, Progress

FULL = ReportError("full")


def held(begun: threading.Event, go_on: threading.Event) -> Callable[[Progress], None]:
    def work(tell: Progress) -> None:
        tell(0.5, "half")
        begun.set()
        assert go_on.wait(10)

    return work


def silent(share: float, words: str) -> None:
    pass


def test_who_leaves_does_not_end_it_and_who_comes_back_finds_how_far_it_is():
    jobs, begun, go_on = Jobs(4), threading.Event(), threading.Event()
    job = jobs.start("a", held(begun, go_on), full=FULL)
    assert begun.wait(10)

    def leave(share: float, words: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        jobs.follow(job, leave)
    assert jobs.find("a") is job
    assert jobs.start("a", lambda tell: 1 / 0, full=FULL) is job  # the same work is not begun twice
    said: list[tuple[float, str]] = []

    def follow(share: float, words: str) -> None:
        said.append((share, words))
        go_on.set()

    jobs.follow(job, follow)
    assert said[0] == (0.5, "half")
    assert jobs.find("a") is None


def test_a_failure_waits_for_somebody_to_see_it_and_then_it_can_be_tried_again():
    jobs = Jobs(4)

    def work(tell: Progress) -> None:
        raise ReportError("no digits")

    job = jobs.start("a", work, full=FULL)
    assert job.ended.wait(10)
    assert jobs.find("a") is job
    with pytest.raises(ReportError, match="no digits"):
        jobs.follow(job, silent)
    assert jobs.find("a") is None
    jobs.follow(jobs.start("a", lambda tell: None, full=FULL), silent)


def test_as_many_as_may_and_no_more():
    jobs, begun, go_on = Jobs(2), threading.Event(), threading.Event()
    running = [jobs.start(key, held(begun, go_on), full=FULL) for key in "ab"]
    with pytest.raises(ReportError, match="full"):
        jobs.start("c", lambda tell: None, full=FULL)
    assert jobs.find("c") is None
    go_on.set()
    for job in running:
        jobs.follow(job, silent)
    jobs.follow(jobs.start("c", lambda tell: None, full=FULL), silent)


def test_a_bug_is_logged_and_few_failures_are_kept(caplog: pytest.LogCaptureFixture):
    jobs = Jobs(4)
    with caplog.at_level(logging.ERROR, "dashboard.background"):
        for number in range(MOST_ENDED + 3):
            assert jobs.start(str(number), lambda tell: 1 / 0, full=FULL).ended.wait(10)
    assert caplog.text.count("ZeroDivisionError: division by zero") == MOST_ENDED + 3
    assert [jobs.find(str(number)) is None for number in range(4)] == [True, True, True, False]
