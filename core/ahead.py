"""Sets of inputs that take seconds to draw, made by another process while this one does other work."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from core.cores import CORES
from core.generated_inputs import is_kept, keep
from core.inputs import SAMPLE
from core.live_training import LiveRun
from core.paths import data_folder

SLOW = ("scribbles", "letters", "symbols")  # those that are made of no digits; the slowest first
LOOK = 0.02  # s between two looks at how far it is

log = logging.getLogger(__name__)


class Ahead:
    """What another process makes at the moment. Use `made_ahead`."""

    def __init__(self, run: LiveRun[str] | None = None, keys: tuple[str, ...] = ()):
        self._run, self._keys = run, keys

    def wait(self, key: str) -> None:
        """Waits while that process makes this very set; one that it has not begun yet is faster made here."""
        while self._run and (look := self._run.look()).running:
            if self._keys[len(look.states) :][:1] != (key,):
                return
            time.sleep(LOOK)


@contextmanager
def made_ahead(*, n: int = SAMPLE, seed: int = 0) -> Iterator[Ahead]:
    """Has the slow sets made and kept by another process (`core.generated_inputs.made`) until the block ends.

    Nothing is started where all are kept already, or where there is one core alone.

    Args:
        n: pictures of a set.
        seed: of everything random.
    """
    keys = tuple(key for key in SLOW if not is_kept(key, n, seed=seed))
    run = _started(keys, n, seed) if keys and CORES > 1 else None
    try:
        yield Ahead(run, keys)
    finally:
        if run:
            run.stop()


def _started(keys: tuple[str, ...], n: int, seed: int) -> LiveRun[str] | None:
    # Not nicer than this process: somebody waits for both.
    arguments = (keys, n, seed, str(data_folder().resolve()))
    try:
        return LiveRun(
            keep, arguments, before=(), pace=0.0, alive=lambda: True, ended=lambda: None, niceness=0
        )
    except (RuntimeError, OSError) as error:  # no process to be had: then they are made here, one by one
        log.info("no other process makes the sets: %s", error)
        return None
