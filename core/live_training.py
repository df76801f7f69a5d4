"""Trainings that people watch while they go on: a process each, few at a time, none without its visitor."""

import logging
import os
import pickle
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import Pipe
from subprocess import Popen
from typing import Any, Generic, TypeVar

from core.errors import TrainingError
from core.live_worker import ERROR, STATE
from core.paths import ROOT

log = logging.getLogger(__name__)

MOST = 4  # trainings at a time
POLITE = 10  # niceness of a training: who only looks at pages comes first
LOOK_AFTER = 0.5  # s between two questions whether the visitor is still there
END_WITHIN = 10.0  # s to wait for a killed process
BROKEN = "Something broke here. It has been logged; train again."
ONE_CORE = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

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
    """One training, or other work step by step, in a process of its own, and a thread that listens to it."""

    def __init__(
        self,
        epochs: Callable[..., Iterator[T]],
        arguments: Sequence[object],
        *,
        before: Sequence[T],
        pace: float,
        alive: Callable[[], bool],
        ended: Callable[[], None],
        niceness: int = POLITE,
    ):
        self._alive, self._ended = alive, ended
        self._task = pickle.dumps((epochs, tuple(arguments), pace))
        self._lock = threading.Lock()
        self._states, self._error = list(before), ""
        self._stopping = threading.Event()
        self._connection, there = Pipe()
        with there:
            command = [sys.executable, "-m", "core.live_worker", str(there.fileno()), str(niceness)]
            self._process = Popen(command, cwd=ROOT, env=os.environ | ONE_CORE, pass_fds=(there.fileno(),))
        self._thread = threading.Thread(target=self._listen, name="live-training", daemon=True)
        self._thread.start()

    def look(self) -> Look[T]:
        """What there is to see of it."""
        running = self._thread.is_alive()  # asked first: what it says last is then there
        with self._lock:
            return Look(tuple(self._states), running, self._error or None)

    def stop(self) -> None:
        """Ends it where it is; the epoch that it is in is lost."""
        self._stopping.set()
        self._process.kill()
        self._thread.join(END_WITHIN)

    def _listen(self) -> None:
        try:
            self._connection.send_bytes(self._task)
            while not self._stopping.is_set() and self._alive():
                if self._connection.poll(LOOK_AFTER):
                    self._hear(*self._connection.recv())
        except (EOFError, OSError):  # it has ended, well or badly
            if self._process.wait() and not self._stopping.is_set():
                log.error("a live training's process ended with status %s", self._process.returncode)
                self._fail(BROKEN)
        finally:
            self._process.kill()
            self._process.wait()
            self._connection.close()
            self._ended()

    def _hear(self, kind: str, content: Any) -> None:
        if kind == STATE:
            with self._lock:
                self._states.append(content)
        elif kind == ERROR:
            self._fail(content)
        else:  # a bug: logged, and never a traceback on a page
            log.error("uncaught in a live training: %s", content)
            self._fail(BROKEN)

    def _fail(self, words: str) -> None:
        with self._lock:
            self._error = words


class Pool:
    """All live trainings of this server: one a visitor, `most` at a time."""

    def __init__(self, most: int = MOST):
        self.most = most
        self._lock = threading.Lock()
        self._running: dict[str, object] = {}  # by visitor, what stands for the run

    def start(
        self,
        visitor: str,
        epochs: Callable[..., Iterator[T]],
        arguments: Sequence[object] = (),
        *,
        before: Sequence[T] = (),
        pace: float = 0.0,
        alive: Callable[[], bool] = lambda: True,
    ) -> LiveRun[T]:
        """Starts a training in the background.

        Args:
            visitor: whose it is.
            epochs: a function of a module, called in a process of its own.
            arguments: for it; they are pickled, as the states are that it gives.
            before: the states that it goes on from, which it then begins with.
            pace: seconds between two states, at least.
            alive: whether its visitor is still there; asked at least twice a second, in another thread.

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
                epochs,
                arguments,
                before=before,
                pace=pace,
                alive=alive,
                ended=lambda: self._release(visitor, token),
            )
        except (RuntimeError, OSError) as error:  # no thread or no process to be had
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
