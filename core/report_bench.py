"""How long a report takes, and how large it is."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from core.figures import Row
from core.mnist import folder
from core.paths import ROOT, data_folder

MOST_SECONDS, MOST_MEGABYTES = 15.0, 6.0
# In a process of its own, as from the command line: imports count.
TIMED = """
import sys, time
started = time.perf_counter()
from core.cli import main
status = main(["report", "--model", sys.argv[1], "--out", sys.argv[2]])
print(time.perf_counter() - started)
sys.exit(status)
"""


def report_rows(model: str) -> Iterator[Row]:
    """A row for the time without anything kept, one with evaluations at hand, and one for the size.

    Args:
        model: a checkpoint's name.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "report.html"
        _made(model, out)  # so that what is kept is there
        warm, cold = _made(model, out), _cold(model, out, Path(folder) / "data")
        against = "the evaluation and the unusual inputs are made, too"
        yield Row("a report from nothing, all sections", cold, "s", against=against, limit=MOST_SECONDS, n=1)
        against = "the report from nothing"
        yield Row("a report with kept evaluations", warm, "s", cold, against, MOST_SECONDS, n=1)
        yield Row(
            "size of a report", out.stat().st_size / 1e6, "MB", against="one HTML file", limit=MOST_MEGABYTES
        )


def _made(model: str, out: Path, **environment: str) -> float:
    told = subprocess.run(
        [sys.executable, "-c", TIMED, model, str(out)],
        cwd=ROOT,
        env=os.environ | environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return float(told.stdout.split()[-1])


def _cold(model: str, out: Path, data: Path) -> float:
    """The same with a data folder that holds the data sets alone."""
    (data / "MNIST").mkdir(parents=True)
    if folder().is_dir():
        (data / "MNIST" / "raw").symlink_to(folder().resolve())
    for name in ("notMNIST", "ood"):
        if (data_folder() / name).is_dir():
            (data / name).symlink_to((data_folder() / name).resolve())
    return _made(model, out, DIGITSCOPE_DATA=str(data))
