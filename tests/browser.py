"""A server of our own and a real Chromium, for the journeys and the benchmark."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Error, Page, Playwright

from core.paths import ROOT

# As root Chromium wants no sandbox; the rest keeps it from calling anywhere.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
WAIT = 60_000  # ms: a slow machine is no failure


@dataclass(frozen=True)
class Server:
    """A running dashboard."""

    url: str
    log: Path
    process: subprocess.Popen[bytes]


def launch(playwright: Playwright) -> Browser | None:
    """The system's Chromium, else Playwright's own, else None."""
    for path in (*filter(None, map(shutil.which, NAMES)), None):
        with contextlib.suppress(Error):  # a name may be a stub that only tells how to install it
            return playwright.chromium.launch(executable_path=path, args=FLAGS)
    return None


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextlib.contextmanager
def serve(
    log: Path,
    *,
    port: int | None = None,
    program: str = "streamlit",
    options: Sequence[str] = (),
    **environment: str,
) -> Iterator[Server]:
    """Starts the dashboard and stops it at the end.

    Args:
        log: where its output goes.
        port: a free one unless given.
        program: the module that is run instead of Streamlit's.
        options: more of its flags.
        environment: variables beside those of this process.
    """
    port = port or free_port()
    command = [sys.executable, "-m", program, "run", "dashboard/server.py", "--server.headless", "true"]
    command += ["--server.port", str(port), "--server.address", "127.0.0.1", *options]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | environment, stdout=output, stderr=subprocess.STDOUT
        )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_healthy(url, process, log)
        yield Server(url, log, process)
    finally:
        process.terminate()
        process.wait(timeout=20)


def wait_until_healthy(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise RuntimeError(f"The server stopped at once:\n{log.read_text()}")
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/_stcore/health"):
            return
        time.sleep(0.1)
    raise RuntimeError(f"No server after 60 s:\n{log.read_text()}")


def canvas_corner(page: Page) -> tuple[float, float]:
    """Where the canvas begins, once it takes strokes."""
    canvas = page.locator("canvas.upper-canvas")
    canvas.wait_for(timeout=WAIT)
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    return box["x"], box["y"]


def draw_stroke(page: Page, points: Sequence[tuple[float, float]], *, steps: int = 8) -> None:
    """Moves the mouse through points on the canvas with its button down."""
    left, top = canvas_corner(page)
    (x, y), *rest = points
    page.mouse.move(left + x, top + y)
    page.mouse.down()
    for x, y in rest:
        page.mouse.move(left + x, top + y, steps=steps)
    page.mouse.up()
