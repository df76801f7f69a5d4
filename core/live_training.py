"""Trainings that people watch while they go on: a thread each, few at a time, none without its visitor."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from core.errors import DigitscopeError, TrainingError

log = logging.getLogger(__name__)

MOST = 4  # trainings at a time
LOOK_AFTER = 0.5  # s between two questions whether the visitor is still there
END_WITHIN = 30.0  # s that a stopped training may take to its next epoch's end

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Look(Generic[T]):
    """A run as it is now.

    Attributes:
        states: what it has come to, epoch by epoch.
        running: whether it goes on.
        error: why it ended, in words, where it ended badly.
    """

    states: tuple[T, ...]
    running: bool
    error: str | None


class LiveRun(Generic[T]):
    """One training in a thread of its own. Made by `Pool.start`."""

    def __init__(
        self,
        epochs: Callable[[], Iterator[T]],
        *,
        before: Sequence[T],
        pace: float,
        alive: Callable[[], bool],
        ended: Callable[[], None],
    ):
        self._epochs, self._pace, self._alive, self._ended = epochs, pace, alive, ended
        self._lock = threading.Lock()
        self._states, self._error = list(before), ""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="live-training", daemon=True)
        self._thread.start()

    def look(self) -> Look[T]:
        """What there is to see of it."""
        running = self._thread.is_alive()  # asked first: what it says last is then there
        with self._lock:
            return Look(tuple(self._states), running, self._error or None)

    def stop(self) -> None:
        """Ends it after the epoch that it is in, and waits for that."""
        self._stopping.set()
        if self._thread is not threading.current_thread():
            self._thread.join(END_WITHIN)

    def _work(self) -> None:
        try:
            for state in self._epochs():
                with self._lock:
                    self._states.append(state)
                if self._told_to_stop():
                    break
        except DigitscopeError as error:
            self._fail(str(error))
        except Exception:  # a bug: logged, and never a traceback on a page
            log.exception("uncaught in a live training")
            self._fail("Something broke here. It has been logged; train again.")
        finally:
            self._ended()

    def _fail(self, words: str) -> None:
        with self._lock:
            self._error = words

    def _told_to_stop(self) -> bool:
        """Waits until the next epoch is due. Also true once the visitor has left."""
        due = time.monotonic() + self._pace
        while not self._stopping.is_set() and self._alive():
            left = due - time.monotonic()
            if left <= 0:
                return False
            self._stopping.wait(min(left, LOOK_AFTER))
        return True


class Pool:
    """All live trainings of this server: one a visitor, `most` at a time."""

    def __init__(self, most: int = MOST):
        self.most = most
        self._lock = threading.Lock()
        self._running: dict[str, object] = {}  # by visitor, what stands for the run

    def start(
        self,
        visitor: str,
        epochs: Callable[[], Iterator[T]],
        *,
        before: Sequence[T] = (),
        pace: float = 0.0,
        alive: Callable[[], bool] = lambda: True,
    ) -> LiveRun[T]:
        """Starts a training in the background.

        Args:
            visitor: whose it is.
            epochs: begins it; called in its thread. It can be stopped between two states.
            before: the states that it goes on from, which it then begins with.
            pace: seconds between two states, at least.
            alive: whether its visitor is still there; asked at least twice a second between states.

        Raises:
            TrainingError: the visitor's last one still runs, or `most` others do.
        """
        token = object()
        with self._lock:
            if visitor in self._running:
                raise TrainingError("A training of yours is still running. Stop it first.")
            if len(self._running) >= self.most:
                raise TrainingError(
                    f"{self.most} visitors are training at the moment, as many as this machine takes. "
                    "Try again in a minute."
                )
            self._running[visitor] = token
        try:
            return LiveRun(
                epochs, before=before, pace=pace, alive=alive, ended=lambda: self._release(visitor, token)
            )
        except RuntimeError as error:  # no thread to be had
            self._release(visitor, token)
            raise TrainingError("This machine has no room for another training. Try again later.") from error

    def running(self) -> int:
        """How many go on now."""
        with self._lock:
            return len(self._running)

    def _release(self, visitor: str, token: object) -> None:
        with self._lock:
            if self._running.get(visitor) is token:
                del self._running[visitor]
