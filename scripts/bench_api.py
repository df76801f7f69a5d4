"""The HTTP API's speed, measured by wrk beside its baselines: `make bench`.

wrk holds 16 connections open and sends the next 28×28 PNG on each as soon as the last is answered. It runs
on the cores that the server, which serves the dashboard too, has to share. Without wrk nothing is measured.
"""

import argparse
import contextlib
import io
import json
import os
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from PIL import Image

from core.datasets import load_dataset
from core.paths import ROOT
from core.predictor import Predictor
from core.preprocess import prepare
from tests.browser import serve

CONNECTIONS, SECONDS, WARM_UP_SECONDS, ROUNDS = 16, 10, 3, 3
LEAST_RATE, MOST_P99 = 250.0, 60.0  # requests/s; ms
RATE = f"HTTP API, 28×28 PNG, {CONNECTIONS} connections"
P99 = f"the same, p99 of an answer at {CONNECTIONS} connections"
PUBLISHED = "published way: PyTorch on the event loop, alone in its process"
READ_ONLY = "an endpoint that only reads the upload, alone in its process"
BOUNDARY = "digitscope"

SCRIPT = """
local file = io.open("{body}", "rb")
wrk.method, wrk.body = "POST", file:read("*a")
file:close()
wrk.headers["Content-Type"] = "multipart/form-data; boundary={boundary}"
done = function(summary, latency, requests)
  local e = summary.errors
  io.stderr:write(string.format('{{"requests": %d, "us": %d, "p50": %f, "p99": %f, "failed": %d}}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.status + e.timeout))
end
"""


@dataclass(frozen=True)
class Row:
    """One figure beside its target; None where it was not measured."""

    figure: str
    value: float | None
    unit: str
    target: float | None = None
    baseline: float | None = None
    against: str = ""

    @property
    def reached(self) -> bool | None:
        if self.value is None or self.target is None:
            return None
        return self.value <= self.target if self.unit == "ms" else self.value >= self.target

    @property
    def ratio(self) -> float | None:
        """How many times as good as the baseline."""
        if self.value is None or self.baseline is None:
            return None
        return self.baseline / self.value if self.unit == "ms" else self.value / self.baseline

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"reached": self.reached, "ratio": self.ratio}


@dataclass(frozen=True)
class Load:
    """What wrk measured: requests/s, and the time of an answer in ms."""

    rate: float
    p50: float
    p99: float


def not_measured(why: str) -> list[dict[str, Any]]:
    """The rows without figures."""
    rows = Row(RATE, None, "requests/s", LEAST_RATE, against=why), Row(P99, None, "ms", MOST_P99, against=why)
    return [row.to_json() for row in rows]


def form(picture: bytes) -> bytes:
    """The form that a browser makes of a picture."""
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="digit.png"\r\n'
        "Content-Type: image/png\r\n\r\n"
    )
    return head.encode() + picture + f"\r\n--{BOUNDARY}--\r\n".encode()


def digit() -> bytes:
    """A test digit as a PNG; of scikit-learn's bundled ones where MNIST is not at hand."""
    try:
        image = load_dataset("mnist-test").images[0]
    except Exception:
        image = load_dataset("optdigits").images[0]
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format="PNG")
    return buffer.getvalue()


def wrk(url: str, script: Path, seconds: int) -> Load:
    """Loads an address; ends the program if any request failed."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "30s", "-s", str(script), url]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(result.stderr.strip().splitlines()[-1])
    if found["failed"]:
        sys.exit(f"{url}: {found['failed']} of {found['requests']} requests failed.\n{result.stdout}")
    return Load(found["requests"] / found["us"] * 1e6, found["p50"] / 1000, found["p99"] / 1000)


@contextlib.contextmanager
def baselines(log: Path) -> Iterator[str]:
    """The service of `scripts.published_service` on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "scripts.published_service:app", "--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--no-access-log"], cwd=ROOT, stdout=output, stderr=subprocess.STDOUT
        )
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/openapi.json"):
                break
            time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=20)


def check(url: str, picture: bytes) -> None:
    """The answer is the library's own, or nothing is worth measuring."""
    kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    with urllib.request.urlopen(urllib.request.Request(url, form(picture), kind)) as response:
        answer = json.load(response)
    expected = Predictor.load("cnn").predict(prepare(picture))
    if (answer["prediction"], answer["confidence"]) != (expected.digit, expected.confidence):
        sys.exit(f"{url} answers {answer}, and not {expected.digit} ({expected.confidence}).")


def measure(folder: Path) -> list[Row]:
    """The medians of some rounds, of the API and of both baselines in turn."""
    picture, script = digit(), folder / "load.lua"
    (folder / "body").write_bytes(form(picture))
    script.write_text(SCRIPT.format(body=folder / "body", boundary=BOUNDARY), encoding="utf-8")
    found: dict[str, list[Load]] = {"api": [], "published": [], "read": []}
    with serve(folder / "dashboard.log") as server, baselines(folder / "baselines.log") as other:
        addresses = {"api": f"{server.url}/predict", "published": f"{other}/predict", "read": f"{other}/read"}
        check(addresses["api"], picture)
        for address in addresses.values():
            wrk(address, script, WARM_UP_SECONDS)
        for number in range(ROUNDS):
            print(f"round {number + 1} of {ROUNDS} …", file=sys.stderr)
            for name, address in addresses.items():
                found[name].append(wrk(address, script, SECONDS))
    rates = {name: statistics.median(load.rate for load in loads) for name, loads in found.items()}
    times = {name: statistics.median(load.p99 for load in loads) for name, loads in found.items()}
    return [
        Row(RATE, rates["api"], "requests/s", LEAST_RATE, rates["published"], PUBLISHED),
        Row(P99, times["api"], "ms", MOST_P99, times["published"], PUBLISHED),
        Row(f"{RATE}, beside reading alone", rates["api"], "requests/s", None, rates["read"], READ_ONLY),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="also write the figures to this JSON file")
    options = parser.parse_args()
    if shutil.which("wrk"):
        with tempfile.TemporaryDirectory() as folder:
            rows = [row.to_json() for row in measure(Path(folder))]
    else:
        print("No wrk here (Debian: apt-get install wrk): the API's speed is not measured.", file=sys.stderr)
        rows = not_measured("wrk is not installed")
    for row in rows:
        value = "not measured" if row["value"] is None else f"{row['value']:.1f} {row['unit']}"
        verdict = {True: "reached", False: "missed", None: ""}[row["reached"]]
        beside = row["against"]
        if row["baseline"]:
            beside = f"{row['baseline']:.1f} {row['unit']} ({beside})"
        print(f"{row['figure']:64} {value:>20} {verdict:8} {beside}")
    if options.out:
        packages = ("fastapi", "uvicorn", "starlette", "onnxruntime", "streamlit")
        report = {
            "when": time.strftime("%Y-%m-%d"),
            "hardware": f"{platform.machine()} CPU, {os.cpu_count()} cores, wrk on the same",
            "versions": {name: metadata.version(name) for name in packages},
            "rows": rows,
        }
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
