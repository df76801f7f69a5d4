"""The processor's cores, and how work is shared among them."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from threadpoolctl import threadpool_limits

Part = TypeVar("Part")
Result = TypeVar("Result")

# Those that this process may use, which a container often has fewer of than the machine.
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
WORKERS = min(4, CORES)
_POOL = ThreadPoolExecutor(WORKERS, thread_name_prefix="parts")


def side_by_side(work: Callable[[Part], Result], parts: Iterable[Part]) -> list[Result]:
    """Each part's result, in order: parts on one thread each are faster than one part on many threads.

    Args:
        work: in native code for the most part, which lets the other threads go on. It must not call this.
    """
    found = list(parts)
    return list(_POOL.map(work, found)) if len(found) > 1 else [work(part) for part in found]


def one_thread_each() -> None:
    """Matrix products of this process on one thread each from now on, for servers.

    Those who ask are served side by side already; a product that wakes other threads waits for cores that
    somebody else is using, which on a busy machine takes many times as long as the product.
    """
    threadpool_limits(1, user_api="blas")
