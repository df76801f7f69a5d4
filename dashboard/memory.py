"""The server's memory: freed parts go back to the system, and libraries are looked at once."""

import ctypes
import gc
import logging

log = logging.getLogger(__name__)

# Of malloc.h, with the largest number of heaps, and bytes.
ARENAS, MMAP_THRESHOLD, TRIM_THRESHOLD = (-8, 2), (-3, 2**20), (-1, 4 * 2**20)


def give_back_freed() -> None:
    """Keeps glibc from holding on to what visitors no longer need; elsewhere nothing happens.

    By default it has eight heaps a core, each as large as its busiest moment was, and takes larger and larger
    arrays from them instead of from the system. See mallopt(3).
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, TypeError, AttributeError):  # no glibc
        return
    if not all(mallopt(*option) for option in (ARENAS, MMAP_THRESHOLD, TRIM_THRESHOLD)):
        log.warning("malloc's options could not be set: memory will grow more under load")


def set_libraries_aside() -> None:
    """Keeps the garbage collector from what never goes: hundreds of thousands of the libraries' objects, and
    nobody is answered while it looks at them. Whatever else lives now is set aside, too."""
    gc.collect()
    gc.freeze()
