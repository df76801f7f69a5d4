"""Many visitors at once, for minutes: `make soak`.

Every visitor has a session of its own over Streamlit's websocket, draws digits that nobody else draws, asks
for explanations, browses Errors, Confidence and Explain, and holds every answer against what the same weights
say of the same strokes in this process. One more sits in a real Chromium. The visitors share the processor's
cores with the server. Prints the figures beside their targets; exit status 1 if one is missed.
"""

import argparse
import asyncio
import contextlib
import json
import os
import platform
import signal
import statistics
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

import psutil

from core.predictor import Predictor
from scripts.visitors import chromium
from scripts.visitors.drawings import drawings
from scripts.visitors.server import COUNTS
from scripts.visitors.session import Session
from scripts.visitors.visitor import Tally, Visitor
from tests.browser import Server, serve

DRAWINGS = 16  # different ones a visitor; then they begin again
KEPT = 10  # s that the server keeps a session whose visitor left (Streamlit: 120), so as to see it end
SETTLED = 60.0  # s after which the memory must be flat
SAMPLE = 0.5  # s between two looks at the memory


@dataclass(frozen=True)
class Row:
    """One figure, beside its target where it has one."""

    figure: str
    value: float
    unit: str
    target: float | None = None

    @property
    def reached(self) -> bool:
        return self.target is None or self.value <= self.target


class Watch:
    """The server's memory and processor time, sampled in a thread."""

    def __init__(self, process: psutil.Process):
        self._process, self._stop = process, threading.Event()
        self.rss: list[tuple[float, float]] = []  # seconds since the start, MB
        self.started = time.perf_counter()
        self._before = sum(process.cpu_times()[:2])
        self._own = time.process_time()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._stop.wait(SAMPLE):
            self.rss.append((time.perf_counter() - self.started, memory(self._process)))

    def end(self) -> tuple[float, float]:
        """Stops, and gives the shares of one core that the server and the visitors took."""
        self._stop.set()
        self._thread.join()
        seconds = time.perf_counter() - self.started
        server = sum(self._process.cpu_times()[:2]) - self._before
        return server / seconds, (time.process_time() - self._own) / seconds

    def growth(self) -> float:
        """MB between the first look after a minute (or half of a shorter visit) and the most from then on."""
        settled = min(SETTLED, self.rss[-1][0] / 2)
        later = [size for at, size in self.rss if at >= settled]
        return max(later) - later[0]


def memory(process: psutil.Process) -> float:
    """MB of a server and of what it started; a child shares most of its pages while it is being born."""
    sizes = [process.memory_info().rss]
    for each in process.children(recursive=True):
        with contextlib.suppress(psutil.Error):
            sizes.append(each.memory_full_info().uss)
    return sum(sizes) / 1e6


def alive(server: Server, place: Path) -> dict[str, int]:
    """How many sessions and threads live in the server, by its own count."""
    place.unlink(missing_ok=True)
    os.kill(server.process.pid, signal.SIGUSR1)
    for _ in range(600):
        if place.exists():
            counts: dict[str, int] = json.loads(place.read_text())
            return counts
        time.sleep(0.1)
    raise RuntimeError("The server doesn't tell its sessions.")


def connected(url: str) -> int:
    """How many sessions the server takes for active, by Streamlit's metrics."""
    with urllib.request.urlopen(f"{url}/_stcore/metrics?families=active_sessions") as answer:
        lines = answer.read().decode().splitlines()
    return int(next(line for line in lines if line.startswith("active_sessions")).split()[-1])


async def visits(url: str, predictor: Predictor, visitors: int, seconds: float, tally: Tally) -> None:
    """All visitors side by side; they arrive within the first seconds."""
    each = max(2, min(DRAWINGS, round(seconds / 8)))
    own = drawings(predictor, visitors, each)
    names = [f"visitor {number + 1}" for number in range(visitors)]
    owners = {
        answer: name
        for name, theirs in zip(names, own, strict=True)
        for one in theirs
        for answer in one.answers
    }
    end = time.perf_counter() + seconds
    arrivals = min(10.0, seconds / 4) / max(1, visitors)
    tasks = [
        Visitor(name, theirs, owners, tally, end).visit(url, place * arrivals)
        for place, (name, theirs) in enumerate(zip(names, own, strict=True))
    ]
    await asyncio.gather(*tasks)


@contextlib.contextmanager
def in_chromium(count: int, url: str, predictor: Predictor, tally: Tally, seconds: float) -> Iterator[None]:
    end = time.perf_counter() + seconds
    threads = [
        threading.Thread(target=chromium.visit, args=(f"Chromium {number + 1}", url, predictor, tally, end))
        for number in range(count)
    ]
    for thread in threads:
        thread.start()
    yield
    for thread in threads:
        thread.join()


async def come_and_go(url: str) -> None:
    """One more visitor: a server looks for sessions that are over when another one ends."""
    async with Session.open(url, "draw"):
        pass


def soak(server: Server, folder: Path, options: argparse.Namespace, tally: Tally) -> list[Row]:
    """Lets them visit, waits until the server may forget them, and gives the figures."""
    predictor = Predictor.load("cnn")
    seconds = 60 * options.minutes
    asyncio.run(come_and_go(server.url))  # what a server loads once
    watch = Watch(psutil.Process(server.process.pid))
    with in_chromium(options.browsers, server.url, predictor, tally, seconds):
        asyncio.run(visits(server.url, predictor, options.visitors, seconds, tally))
    server_share, visitors_share = watch.end()
    tally.memory = {str(round(at)): round(size) for at, size in watch.rss[:: round(15 / SAMPLE)]}
    time.sleep(1)
    left = connected(server.url)
    time.sleep(KEPT + 1)
    asyncio.run(come_and_go(server.url))
    time.sleep(KEPT / 2)
    counts = alive(server, folder / "counts")
    log = server.log.read_text(encoding="utf-8")
    logged = sum(log.count(word) for word in ("Traceback", "ERROR"))
    return [
        Row("answers that were checked", tally.checks, ""),
        Row("wrong, or somebody else's", len(tally.wrong), "", 0),
        Row("errors seen by visitors", len(tally.problems), "", 0),
        Row("errors in the server's log", logged, "", 0),
        *_waits(tally),
        Row("memory at the start", watch.rss[0][1], "MB"),
        Row("memory at the end", watch.rss[-1][1], "MB"),
        Row("most memory after the first minute, over that at its end", watch.growth(), "MB", 100),
        Row("sessions still active after all left", left, "", 0),
        Row("sessions still in memory besides the last", max(0, counts["sessions"] - 1), "", 0),
        Row("threads after all left", counts["threads"], ""),
        Row("processor, the server", server_share, "cores"),
        Row("processor, the visitors but Chromium", visitors_share, "cores"),
    ]


def _waits(tally: Tally) -> Iterator[Row]:
    targets = {"answer": 2.0, "class explained": 2.0}
    for what in sorted(tally.seconds, key=lambda what: (what not in targets, what)):
        times = sorted(tally.seconds[what])
        yield Row(f"{what}, p50 of {len(times)}", statistics.median(times), "s")
        yield Row(f"{what}, p95", times[min(len(times) - 1, int(0.95 * len(times)))], "s", targets.get(what))
        if what in targets:
            yield Row(f"{what}, slowest", times[-1], "s")


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--visitors", type=int, default=30)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--browsers", type=int, default=1, help="visitors more, each in a Chromium")
    parser.add_argument("--out", type=Path, help="also write the figures to this JSON file")
    return parser.parse_args(arguments)


def write(path: Path, rows: list[Row], options: argparse.Namespace, tally: Tally) -> None:
    report = {
        "when": time.strftime("%Y-%m-%d"),
        "hardware": f"{platform.machine()}, {os.cpu_count()} cores, shared by server and visitors",
        "versions": {"streamlit": metadata.version("streamlit"), "python": platform.python_version()},
        "visitors": options.visitors,
        "browsers": options.browsers,
        "minutes": options.minutes,
        "MB sent": round(tally.bytes / 1e6, 1),
        "memory, MB": tally.memory,
        "rows": [asdict(row) | {"reached": row.reached} for row in rows],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def run(options: argparse.Namespace) -> tuple[list[Row], Tally]:
    """A server of its own, on a free port, and the visitors."""
    tally = Tally()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kept = ["--server.disconnectedSessionTTL", str(KEPT)]
        counts = {COUNTS: str(folder / "counts")}
        with serve(folder / "log", program="scripts.visitors.server", options=kept, **counts) as server:
            rows = soak(server, folder, options, tally)
            log = server.log.read_text(encoding="utf-8")
    if any(word in log for word in ("Traceback", "ERROR")):
        print(log[-4000:], file=sys.stderr)
    return rows, tally


def main() -> None:
    options = parse()
    rows, tally = run(options)
    for each in (*tally.wrong[:20], *tally.problems[:20]):
        print(each, file=sys.stderr)
    print("memory by seconds, MB:", ", ".join(f"{at}: {size}" for at, size in tally.memory.items()))
    for row in rows:
        target = "" if row.target is None else f"≤ {row.target:g}  {'reached' if row.reached else 'missed'}"
        print(f"{row.figure:58} {row.value:9.2f} {row.unit:6} {target}")
    if options.out:
        write(options.out, rows, options, tally)
    sys.exit(not all(row.reached for row in rows))


if __name__ == "__main__":
    main()
