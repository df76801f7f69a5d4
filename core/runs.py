"""A training run's folder: its configuration, its history as it happens, and where it can go on.

Nothing here needs torch: the dashboard watches runs without loading it.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from core.config import TrainConfig
from core.errors import TrainingError
from core.paths import HISTORY, runs_folder

CONFIG, PROGRESS, RESULT, STATE = "config.json", "progress.json", "result.json", "state.pt"
LOCK = ".lock"
NEEDED = 32 * 2**20  # bytes: state, weights and graph, each written beside its predecessor
PROGRESS_EVERY = 0.5  # s
TRIES, PAUSE = 10, 0.05  # s

History = list[dict[str, float]]


def best_epoch(history: History) -> int:
    """By validation accuracy, then loss; of equal ones the first."""
    best = max(history, key=lambda row: (row["validation_accuracy"], -row["validation_loss"]))
    return int(best["epoch"])


@dataclass(frozen=True)
class StepReport:
    """How far a run is: counted in steps, with the running epoch's loss and accuracy so far.

    Attributes:
        seconds: since this process began to train; a resumed run starts again at 0.
        images_per_second: over these seconds.
        validation_accuracy: of the last finished epoch, in [0, 1].
    """

    step: int
    steps: int
    epoch: int
    epochs: int
    loss: float
    accuracy: float
    validation_accuracy: float | None
    seconds: float
    images_per_second: float
    eta: float


@dataclass(frozen=True, eq=False)
class RunStatus:
    """What can be seen of a run that is under way.

    Attributes:
        name: of its folder.
        config: the recipe's fields.
        history: a dictionary for each finished epoch.
        progress: the newest report; None before the first.
    """

    name: str
    config: dict[str, Any]
    history: History
    progress: StepReport | None


class RunFolder:
    """One run's files, for the one process that trains. `open_run` makes sure that it is the one."""

    def __init__(self, path: Path):
        self.path = path
        self.checkpoint = path / "checkpoint"
        self._shown = 0.0

    def show(self, report: StepReport) -> None:
        """Lets watchers see how far the run is, at most twice a second."""
        now = time.monotonic()
        if now - self._shown >= PROGRESS_EVERY or report.step == report.steps:
            self._shown = now
            _replace(self.path / PROGRESS, json.dumps(asdict(report)).encode(), durable=False)

    def keep(self, history: History, state: bytes) -> None:
        """An epoch has ended: its figures, and all that the next one needs.

        The state is written last: what it counts as done has its line in the history.
        """
        _replace(self.path / HISTORY, b"".join(json.dumps(row).encode() + b"\n" for row in history))
        _replace(self.path / STATE, state)

    def state(self) -> bytes | None:
        """What the newest finished epoch left; None if there is none."""
        with suppress(FileNotFoundError):
            return (self.path / STATE).read_bytes()
        return None

    def finish(self, result: dict[str, Any]) -> None:
        """The run has ended well: its result stays, what it needed to go on goes."""
        _replace(self.path / RESULT, json.dumps(result, indent=1).encode())
        (self.path / STATE).unlink(missing_ok=True)

    def result(self) -> dict[str, Any] | None:
        """What `finish` wrote; None for a run that has not ended."""
        with suppress(FileNotFoundError):
            return dict(json.loads((self.path / RESULT).read_bytes()))
        return None


@contextmanager
def open_run(
    name: str, config: TrainConfig, *, resume: bool = False, **circumstances: bool | int
) -> Iterator[RunFolder]:
    """A run's folder, for this process alone.

    Args:
        name: of the folder, in `DIGITSCOPE_RUNS`.
        config: the recipe; a resumed run must have been started with the same one.
        resume: go on where it was stopped; otherwise what lies there is cleared.
        circumstances: what else must not change between a start and its resumption.

    Raises:
        TrainingError: another process trains there, the folder can't be written, there is too
            little space, or what lies there is no run of this configuration.
    """
    path = runs_folder() / name
    with ExitStack() as stack:
        with _named(path):
            path.mkdir(parents=True, exist_ok=True)
            _reserve(path)
            _take(stack.enter_context((path / LOCK).open("w")), path)
            start = asdict(config) | circumstances
            if resume:
                _same_start(path, start)
            else:
                for file in (RESULT, STATE, HISTORY, PROGRESS):
                    (path / file).unlink(missing_ok=True)
            _replace(path / CONFIG, json.dumps(start, indent=1).encode())
        yield RunFolder(path)


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """An error of the system as one that says where and what to do."""
    try:
        yield
    except OSError as error:
        raise TrainingError(
            f"{path} can't be written ({error}). Free some space, or name another folder in DIGITSCOPE_RUNS; "
            "--resume goes on from the last finished epoch."
        ) from error


def _reserve(path: Path) -> None:
    """Finds out before the work whether its results will fit."""
    probe = path / ".space"
    try:
        with probe.open("wb") as file:
            file.write(bytes(NEEDED))
            file.flush()
            os.fsync(file.fileno())
    finally:
        probe.unlink(missing_ok=True)


def _take(lock: IO[str], path: Path) -> None:
    for _ in range(TRIES):  # somebody who only looks whether it is taken holds it for an instant
        with suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        time.sleep(PAUSE)
    raise TrainingError(
        f"Another process is training in {path}. Wait for it, or give this run another --seed."
    )


def _same_start(path: Path, start: dict[str, Any]) -> None:
    try:
        before = json.loads((path / CONFIG).read_bytes())
    except (FileNotFoundError, ValueError):
        return  # killed before it began: there is nothing to go on from, and nothing in the way
    now = json.loads(json.dumps(start))
    changed = [key for key in now if before.get(key) != now[key]]
    if "prepared" in changed:
        raise TrainingError(
            f"{path} was started when digits as if drawn were prepared in another way. Start anew without "
            "--resume."
        )
    if changed:
        flags = ", ".join(f"--{key.replace('_', '-')} {before.get(key)}" for key in changed)
        raise TrainingError(
            f"{path} was started with {flags}. Resume it with the same, or start anew without --resume."
        )


def _replace(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Whole or not at all, also when the process is killed."""
    beside = path.with_name(f".{path.name}.new")
    with _named(path):
        with beside.open("wb") as file:
            file.write(content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        beside.replace(path)


def running() -> list[RunStatus]:
    """The runs under way on this machine, in alphabetical order."""
    folders = sorted(lock.parent for lock in runs_folder().glob(f"*/{LOCK}"))
    return [_status(folder) for folder in folders if _is_taken(folder)]


def _is_taken(folder: Path) -> bool:
    try:
        with (folder / LOCK).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _status(folder: Path) -> RunStatus:
    history = [json.loads(line) for line in (_read(folder / HISTORY) or b"").splitlines()]
    progress = json.loads(_read(folder / PROGRESS) or b"null")
    config = json.loads(_read(folder / CONFIG) or b"{}")
    return RunStatus(folder.name, config, history, StepReport(**progress) if progress else None)


def _read(path: Path) -> bytes | None:
    with suppress(OSError):
        return path.read_bytes()
    return None
