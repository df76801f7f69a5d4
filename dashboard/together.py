"""Long work that several visitors ask for at once: one has it done, the others see how far it is."""

import threading
from collections.abc import Callable

Progress = Callable[[int, int], None]
LOOK = 0.2  # s between two looks at how far it is


class _Work:
    def __init__(self) -> None:
        self.lock, self.far = threading.Lock(), (0, 1)


_under_way: dict[str, _Work] = {}


def once(
    key: str,
    needed: Callable[[], bool],
    work: Callable[[Progress], object],
    *,
    progress: Progress | None = None,
) -> None:
    """Has the work done, unless it is done already or somebody else's page has just done it.

    Args:
        key: of the work; pages that ask for the same have the same.
        needed: whether it is still to do. Asked again after waiting: the other visitor may have left.
        work: does it, and tells how far it is.
        progress: gets (done, total), for the one who works and for those who wait.
    """
    if not needed():
        return
    tell = progress or (lambda done, total: None)
    one = _under_way.setdefault(key, _Work())
    while not one.lock.acquire(timeout=LOOK):
        tell(*one.far)

    def note(done: int, total: int) -> None:
        one.far = done, total
        tell(done, total)

    try:
        if needed():
            work(note)
    finally:
        one.lock.release()
        _under_way.pop(key, None)
