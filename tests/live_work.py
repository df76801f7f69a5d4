"""What the trainings under test do, in processes of their own."""

import itertools
import os
import time
from collections.abc import Iterator

from core.errors import TrainingError


def count(most: int | None = None, seconds: float = 0.0) -> Iterator[int]:
    """0, 1, 2, …, each after so long."""
    for number in itertools.count() if most is None else range(most):
        time.sleep(seconds)
        yield number


def own_process() -> Iterator[int]:
    """The process's number, and then nothing for long."""
    yield os.getpid()
    time.sleep(3600)


def mends() -> Iterator[int]:
    yield 1
    raise TrainingError("Choose some 7s.")


def breaks() -> Iterator[int]:
    yield 1
    raise ZeroDivisionError("secret path")


def dies() -> Iterator[int]:
    yield 1
    os._exit(3)
