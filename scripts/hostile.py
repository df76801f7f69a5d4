"""`make hostile`: every hostile file through every door; a table of what became of them, and the faults."""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from scripts.hostile_case import ANSWER, CHECKPOINT, ERROR, Case, on_paper, saved
from scripts.hostile_checkpoints import SHIPPED, checkpoints
from scripts.hostile_files import files
from scripts.hostile_pictures import pictures
from scripts.hostile_results import MEMORY, SECONDS, SEED, keep, summary, table
from scripts.hostile_sets import data_sets
from scripts.hostile_worker import ROUTES

HANGS = 60.0  # s after which it is not waited for
TRIES = 3  # of a file that took longer: the machine may have been busy
TOLD = 100  # files between two lines about the progress


@dataclass(frozen=True)
class Result:
    """One file through one door.

    Attributes:
        route: the door.
        case: the file.
        outcome: what the worker said.
        fault: what is wrong with that, in words; None if nothing is.
    """

    route: str
    case: Case
    outcome: dict[str, Any]
    fault: str | None


def corpus(seed: int = SEED) -> Iterator[Case]:
    """All files, in an order that does not change."""
    return chain(pictures(), files(seed), data_sets(), checkpoints())


class Worker:
    """A process that takes files; a new one takes its place where it ends or hangs."""

    def __init__(self, route: str):
        self.route = route
        self._process: subprocess.Popen[str] | None = None

    def send(self, path: Path, *, labelled: bool, patience: float = HANGS) -> dict[str, Any]:
        """What becomes of a file."""
        process = self._process or self._started()
        assert process.stdin
        assert process.stdout
        process.stdin.write(json.dumps({"path": str(path), "labelled": labelled}) + "\n")
        process.stdin.flush()
        timer = threading.Timer(patience, process.kill)
        timer.start()
        line = process.stdout.readline()
        timer.cancel()
        if line:
            return dict(json.loads(line))
        self.close()
        return {
            "crash": f"the process ended or took over {HANGS:.0f} s",
            "seconds": HANGS,
            "worked": HANGS,
            "memory": 0,
        }

    def _started(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-W", "ignore", "-m", "scripts.hostile_worker", self.route]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True
        )
        with tempfile.TemporaryDirectory() as folder:  # what it imports and loads is no file's fault
            self.send(honest(self.route).put(Path(folder)), labelled=False, patience=10 * HANGS)
        if self._process is None:
            raise RuntimeError(f"{self.route}: an honest picture ended the process")
        return self._process

    def close(self) -> None:
        """Ends the process."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None


def honest(route: str) -> Case:
    """What each door must take: before the hostile ones, and after them all."""
    if route == CHECKPOINT:
        copied = lambda folder: shutil.copytree(SHIPPED, folder / "whole")  # noqa: E731
        return Case("afterwards", "whole", b"", place=copied, door=CHECKPOINT)
    return Case("afterwards", "honest.png", saved(on_paper(), "PNG"))


def fault(case: Case, outcome: dict[str, Any], name: str) -> str | None:
    """What is wrong with what became of a file, in words; None if nothing is.

    Args:
        case: the file.
        outcome: what the worker said.
        name: of the file, which an error must tell.
    """
    if "crash" in outcome:
        return "crashed: " + outcome["crash"].strip().splitlines()[-1][:200]
    if "unsent" in outcome:  # refused by its suffix before it leaves the browser
        return None
    if error := outcome.get("error"):
        if case.must == ANSWER:
            return f"refused: {error[:200]}"
        if outcome.get("unread") and error.startswith("The picture is over"):
            return None
        return None if _names(error, name) else f"an error that does not name the file: {error[:200]}"
    if case.must == ERROR:
        return f"answered: {outcome.get('digit', outcome.get('count'))}"
    if case.labelled:
        found = outcome["count"]
        return f"{found} digits, not {case.count}" if case.count not in (None, found) else None
    return f"read as {outcome['digit']}" if case.digit not in (None, outcome["digit"]) else None


def _names(error: str, name: str) -> bool:
    """Whether the error tells the file's name, be it escaped or shortened."""

    def letters(text: str) -> str:
        return "".join(filter(str.isalnum, text))

    whole = letters(name)
    # Forms escape some characters, and long names are cut.
    said = letters(error) + " " + letters(unquote(error))
    return (whole[-40:] in said or whole[:40] in said) and "Traceback" not in error


def too_much(outcome: dict[str, Any]) -> str | None:
    """Which limit was passed."""
    if outcome["worked"] > SECONDS:
        return f"{outcome['worked']:.1f} s of work"
    return f"{outcome['memory'] / 2**20:.0f} MB" if outcome["memory"] > MEMORY else None


def run(route: str, cases: Iterator[Case]) -> Iterator[Result]:
    """Sends the files through one door, one after the other, and an honest one at the end."""
    worker = Worker(route)
    try:
        for case in chain(cases, [honest(route)]):
            yield _sent(worker, case)
    finally:
        worker.close()


def _sent(worker: Worker, case: Case) -> Result:
    folder = Path(tempfile.mkdtemp(prefix="hostile-"))
    try:
        path = case.put(folder)
        outcome = worker.send(path, labelled=case.labelled)
        for _ in range(TRIES - 1):
            if "crash" in outcome or not too_much(outcome):
                break
            outcome = min(outcome, worker.send(path, labelled=case.labelled), key=lambda o: o["worked"])
        found = fault(case, outcome, path.name) or too_much(outcome)
        return Result(worker.route, case, outcome, found)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    """0 where every file met what it must."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="also write the figures of these doors to this JSON file")
    parser.add_argument("--route", choices=tuple(ROUTES), action="append", help="only this door")
    parser.add_argument("--kind", action="append", help="only files of this kind; not with --out")
    options = parser.parse_args()
    if options.kind and options.out:
        parser.error("--out wants files of every kind")
    faults = 0
    for route in options.route or list(ROUTES):
        results = _through(route, options.kind)
        print(table(route, summary(results)), flush=True)
        faults += sum(result.fault is not None for result in results)
        if options.out:
            keep(options.out, route, results)
    return int(faults > 0)


def _through(route: str, kinds: list[str] | None) -> list[Result]:
    """All files of these kinds through one door, with what is said of it meanwhile."""
    fitting = (case for case in corpus() if case.fits(route))
    results: list[Result] = []
    for result in run(route, (case for case in fitting if not kinds or case.kind in kinds)):
        results.append(result)
        if result.fault:
            print(f"FAULT {route}: {result.case.kind}/{result.case.name!r}: {result.fault}", flush=True)
        if len(results) % TOLD == 0:
            print(f"{route}: {len(results)} files, now {result.case.kind}", flush=True)
    return results


if __name__ == "__main__":
    sys.exit(main())
