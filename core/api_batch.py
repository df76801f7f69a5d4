"""Questions that wait while others are being answered are answered together."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

Question = TypeVar("Question")
Answer = TypeVar("Answer")

MOST = 16  # questions at once: more would let the first wait for the last


class Batches(Generic[Question, Answer]):
    """Answers questions in one thread, all that have come in since the last go in the next.

    Nobody waits for company: a question that finds the thread idle is answered at once, alone. Under load
    this spares the changes between threads, and the network sees many pictures at once.

    Args:
        answer: gives each question's answer, or the exception that it ends in, in their order.
    """

    def __init__(self, answer: Callable[[Sequence[Question]], Sequence[Answer | Exception]]):
        self._answer = answer
        self._waiting: deque[tuple[Question, Future[Answer]]] = deque()
        self._working, self._lock = False, threading.Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="api")

    async def ask(self, question: Question) -> Answer:
        """The answer to one question; raises what it ends in."""
        future: Future[Answer] = Future()
        with self._lock:
            self._waiting.append((question, future))
            idle, self._working = not self._working, True
        if idle:
            self._thread.submit(self._work)
        return await asyncio.wrap_future(future)

    def _work(self) -> None:
        while batch := self._next():
            try:
                answers = self._answer([question for question, _ in batch])
            except Exception as error:
                answers = [error] * len(batch)
            for (_, future), answer in zip(batch, answers, strict=True):
                if isinstance(answer, Exception):
                    future.set_exception(answer)
                else:
                    future.set_result(answer)

    def _next(self) -> list[tuple[Question, Future[Answer]]]:
        """Those that go next, without whose who have left; none ends the work."""
        with self._lock:
            while self._waiting:
                taken = [self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))]
                if batch := [each for each in taken if each[1].set_running_or_notify_cancel()]:
                    return batch
            self._working = False
            return []
