"""The evaluation table at size: made from 10,000 digits, asked with a million rows in it."""

import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from pyarrow import parquet

from core.augmentation import Affine
from core.figures import Row
from core.labelled import LabelledDigits
from core.paths import ROOT
from core.predictor import Predictor
from core.selection import ORDERS, Selection
from core.table import About, EvaluationTable, write_about
from core.tabulation import rows_of, write_part, write_table

MILLION = 1_000_000
PAGE = 100  # digits
SEED = 23
ASKED = (
    Selection(right=False),
    Selection(label=4, prediction=9),
    Selection(label=8, low=0.5, high=0.9),
    Selection(),
)

Images = UInt8[np.ndarray, "n 28 28"]


def table_rows(predictor: Predictor, digits: LabelledDigits, *, size: int = MILLION) -> Iterator[Row]:
    """The table's figures: making it, and a page of a large one.

    Args:
        predictor: the model.
        digits: what the tables are made of; the large one of copies, each distorted at random.
        size: rows of the large one.
    """
    with tempfile.TemporaryDirectory() as folder:
        yield _made(predictor, digits, Path(folder))
        large = Path(folder) / "large"
        large.mkdir()
        _write_large(large, predictor, digits, size)
        yield from _asked(large)


def _made(predictor: Predictor, digits: LabelledDigits, folder: Path) -> Row:
    predictor.run(digits.images[:64])
    seconds, alone = [], []
    for turn in range(3):
        target = folder / f"made-{turn}"
        target.mkdir()
        seconds.append(_time(partial(write_table, target, predictor, digits)))
        alone.append(_time(partial(predictor.run, digits.images)))
    figure = f"evaluation table of {len(digits):,} images"
    against = "the network alone, nothing kept"
    return Row(figure, statistics.median(seconds), "s", statistics.median(alone), against, limit=2, n=3)


def _write_large(folder: Path, predictor: Predictor, digits: LabelledDigits, size: int) -> None:
    first, part, generator = 0, 0, torch.Generator().manual_seed(SEED)
    while first < size:
        n = min(len(digits), size - first)
        images = _augmented(digits.images[:n], generator)
        write_part(folder, part, rows_of(predictor, images, digits.labels[:n], first=first))
        first, part = first + n, part + 1
    about = About("large", "copies", predictor.classes, size, 0, (), predictor.key, "", "0" * 64)
    write_about(folder, about)


def _augmented(images: Images, generator: torch.Generator) -> Images:
    """A copy of each, distorted at random."""
    floats = torch.tensor(images).unsqueeze(1).float() / 255
    distorted = torch.cat([Affine()(part, generator) for part in torch.split(floats, 1000)])
    return (distorted[:, 0] * 255).round().byte().numpy()


def _asked(folder: Path) -> Iterator[Row]:
    """A page for all orders and some selections, in a process of its own: its peak of memory counts."""
    command = "import sys; from core.table_bench import ask; ask(sys.argv[1])"
    told = subprocess.run(
        [sys.executable, "-c", command, str(folder)], cwd=ROOT, check=True, stdout=subprocess.PIPE
    )
    opened, times, grown, plain = json.loads(told.stdout)
    n = EvaluationTable(folder).about.n
    against = "the columns read whole with pyarrow, filtered and sorted with NumPy"
    figure = f"a page of {PAGE} from {n:,} rows"
    yield Row(f"a table of {n:,} rows opened and counted", opened, "s", plain, against)
    yield Row(f"{figure}, p50", statistics.median(times), "s", plain, against, limit=0.5, n=len(times))
    yield Row(f"{figure}, slowest", max(times), "s", plain, against, limit=0.5, n=len(times))
    yield Row(f"memory for {n:,} rows", grown, "MB", against="added at the peak", limit=500)


def ask(path: str) -> None:
    """Prints seconds to open, seconds of each page, MB added at the peak, and seconds of the plain way."""
    folder, before = Path(path), _peak()
    started = time.perf_counter()
    table = EvaluationTable(folder)
    table.count(ASKED[0])
    opened = time.perf_counter() - started
    times = [
        _time(partial(_page, table, selection, order))
        for _ in range(2)
        for order in ORDERS
        for selection in ASKED
    ]
    grown = _peak() - before
    print(json.dumps([opened, times, grown, _time(partial(_whole, folder))]))


def _peak() -> float:
    """MB of memory that this process held at most so far."""
    status = Path("/proc/self/status")
    if status.is_file():  # Linux: `getrusage` would count what the parent held before
        lines = status.read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1e3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # bytes on macOS


def _page(table: EvaluationTable, selection: Selection, order: str) -> None:
    table.count(selection)
    table.rows(table.indices(selection, order=order, limit=PAGE))


def _whole(folder: Path) -> None:
    columns = ["index", "label", "prediction", "loss"]
    parts = sorted(folder.glob("part-*.parquet"))
    found = [parquet.read_table(part, columns=columns, use_threads=True) for part in parts]
    values = {name: np.concatenate([part[name].to_numpy() for part in found]) for name in columns}
    wrong = np.flatnonzero(values["label"] != values["prediction"])
    best = wrong[np.argsort(-values["loss"][wrong], kind="stable")][:PAGE]
    wanted = values["index"][best]
    filters = [("index", "in", wanted.tolist())]
    parquet.read_table([str(part) for part in parts], filters=filters)


def _time(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started
