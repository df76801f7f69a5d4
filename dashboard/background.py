"""Long work that goes on when its page is left or loaded anew: found again by its key, few at a time."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from core.errors import DigitscopeError

Progress = Callable[[float, str], None]
LOOK = 0.2  # s between two looks at how far it is
MOST_ENDED = 8  # works that failed while nobody looked, kept until somebody does

log = logging.getLogger(__name__)


@dataclass(eq=False)
class Job:
    """One work. Made by `Jobs.start`.

    Attributes:
        key: that it is found by.
        far: the share that is done, in [0, 1], and what is being done.
        error: why it failed, if it did.
    """

    key: str
    far: tuple[float, str] = (0.0, "")
    error: Exception | None = None
    ended: threading.Event = field(default_factory=threading.Event)

    def tell(self, share: float, words: str) -> None:
        """Notes how far it is."""
        self.far = share, words


class Jobs:
    """The works of this server, running and failed.

    Attributes:
        most: that may run or wait at a time.
    """

    def __init__(self, most: int):
        self.most = most
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] = {}

    def find(self, key: str) -> Job | None:
        """The work of this key, if it runs or has failed with nobody there to see it."""
        with self._lock:
            return self._jobs.get(key)

    def start(self, key: str, work: Callable[[Progress], object], *, full: DigitscopeError) -> Job:
        """Has the work done in the background, or finds it under way.

        Args:
            key: of the work; pages that ask for the same have the same.
            work: does it, and tells how far it is. It knows of no page: whoever asked may have left.
            full: raised where as many as may run or wait already.

        Raises:
            DigitscopeError: `full`.
        """
        with self._lock:
            found = self._jobs.get(key)
            if found and not found.ended.is_set():
                return found
            if sum(not job.ended.is_set() for job in self._jobs.values()) >= self.most:
                raise full
            job = self._jobs[key] = Job(key)
        threading.Thread(target=self._do, args=(job, work), name="background", daemon=True).start()
        return job

    def follow(self, job: Job, progress: Progress) -> None:
        """Tells how far a work is until it has ended; who leaves meanwhile does not end it.

        Raises:
            Exception: what the work raised; it is forgotten then, and can be started again.
        """
        while not job.ended.wait(LOOK):
            progress(*job.far)
        progress(*job.far)
        if job.error:
            with self._lock:
                if self._jobs.get(job.key) is job:
                    del self._jobs[job.key]
            raise job.error

    def _do(self, job: Job, work: Callable[[Progress], object]) -> None:
        try:
            work(job.tell)
        except Exception as error:
            job.error = error
            if not isinstance(error, DigitscopeError):
                log.exception("a work in the background failed")
        with self._lock:
            if not job.error:
                del self._jobs[job.key]
            job.ended.set()
            failed = [key for key, each in self._jobs.items() if each.ended.is_set()]
            for key in failed[:-MOST_ENDED]:
                del self._jobs[key]
