"""An evaluation larger than one machine, on Ray Data: shards go to workers, parts come to the disk."""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from core.cores import CORES
from core.errors import CheckpointError, DatasetError, DigitscopeError
from core.labelled import LabelledDigits
from core.manifest import Manifest, clear, plan, read_manifest
from core.paths import locked
from core.predictor import Predictor
from core.shards import finish, finished, missing, write_shard
from core.table import EvaluationTable
from core.tabulation import seal, write_table

SHARD = 4096  # pictures: seconds of work, megabytes of rows
OBJECT_STORE = 80 * 2**20  # bytes: numbers of shards travel, nothing else
MOST_BLOCKS = 10_000  # a task of Ray Data does one block; it is bookkeeping in the driver's memory

Progress = Callable[[int, int], None]


def evaluate_on_ray(
    dataset: Path,
    folder: Path,
    predictor: Predictor,
    *,
    fresh: bool = False,
    shard_size: int = SHARD,
    progress: Progress | None = None,
) -> EvaluationTable:
    """The rows of every picture, the same as in one process; a run that was killed goes on.

    The cluster is the one that `RAY_ADDRESS` names, else this machine. Every machine of it needs this
    program, and the data set, the checkpoint and the folder under the same paths.

    Args:
        dataset: a folder with subfolders 0 to 9, or Parquet with `image` and `label`.
        folder: where the table is written.
        predictor: the model; the workers load it again from its folder.
        fresh: remove what is in the folder first.
        shard_size: pictures a worker takes at a time, where the folder is new.
        progress: called with (done, total) pictures.

    Raises:
        DatasetError: nothing to read, or a folder with another evaluation in it.
        DigitscopeError: Ray is not installed, or there is no cluster at its address.
    """
    _require_ray()
    with _alone(folder, fresh=fresh):
        manifest = plan(
            folder, dataset, weights=predictor.key, fitted=predictor.fitted, shard_size=shard_size
        )
        if not finished(folder, manifest):
            _work(folder, manifest, predictor, progress)
            finish(folder, manifest, predictor.classes)
            seal(folder)
    return EvaluationTable(folder)


def evaluate_here(
    data: LabelledDigits, folder: Path, predictor: Predictor, *, fresh: bool = False
) -> EvaluationTable:
    """The same table from a data set in this process's memory.

    Raises:
        DatasetError: a folder with anything in it, or no digit of the model's classes.
    """
    with _alone(folder, fresh=fresh):
        if folder.exists() and any(folder.iterdir()):
            raise DatasetError(
                f"{folder} is not empty. Choose a new folder, or replace what is in it with --fresh."
            )
        folder.mkdir(exist_ok=True)
        write_table(folder, predictor, data)
        seal(folder)
    return EvaluationTable(folder)


@contextmanager
def _alone(folder: Path, *, fresh: bool) -> Iterator[None]:
    """No other evaluation writes into the folder meanwhile; a second one waits."""
    try:
        folder.resolve().parent.mkdir(parents=True, exist_ok=True)
        with locked(folder.resolve()):
            if fresh and folder.exists():
                clear(folder)
            yield
    except OSError as error:
        raise DatasetError(
            f"{error.filename or folder}: {error.strerror or error}. Correct it, and start again."
        ) from error


def _work(folder: Path, manifest: Manifest, predictor: Predictor, progress: Progress | None) -> None:
    """Every missing shard is a task of Ray's, which gives it to another worker if one is killed."""
    shards = missing(folder, manifest)
    if not shards:
        return
    paths = {"folder": str(folder.resolve()), "checkpoint": str(predictor.folder.resolve())}
    with _cluster() as ray:
        items = ray.data.from_items(shards, override_num_blocks=min(len(shards), MOST_BLOCKS))
        done = items.map_batches(_evaluate_shards, batch_size=1, num_cpus=1, fn_kwargs=paths)
        left = len(shards)
        try:
            for _ in done.iter_rows():
                left -= 1
                if progress:
                    progress(max(0, manifest.pictures - left * manifest.shard_size), manifest.pictures)
        except Exception as error:
            raise _cause(error) from error


def _evaluate_shards(batch: dict[str, np.ndarray], *, folder: str, checkpoint: str) -> dict[str, np.ndarray]:
    """What a worker does; only the shards' numbers go back."""
    manifest, predictor = read_manifest(Path(folder)), _predictor(checkpoint)
    if (predictor.key, predictor.fitted) != (manifest.weights, manifest.fitted):
        raise CheckpointError(f"{checkpoint} was replaced since the evaluation began. Use --fresh.")
    for shard in batch["item"].tolist():
        write_shard(Path(folder), manifest, shard, predictor)
    return batch


@lru_cache(maxsize=1)
def _predictor(checkpoint: str) -> Predictor:
    """A worker loads the model once."""
    return Predictor.load(checkpoint)


def _cause(error: BaseException) -> BaseException:
    """What a worker raised, of the errors around it."""
    found: BaseException | None = error
    while found is not None:
        inner = getattr(found, "cause", None)
        for candidate in (found, inner):
            if isinstance(candidate, DigitscopeError):
                return type(candidate)(*candidate.args)
        found = found.__cause__
    return error


def _require_ray() -> None:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # read when Ray is imported
    try:
        import ray.data  # noqa: F401
    except ImportError as error:
        raise DigitscopeError(
            f"--engine ray needs Ray Data ({error}). Install it: pip install -r requirements-scale.txt"
        ) from error


@contextmanager
def _cluster() -> Iterator[Any]:
    import ray

    address = os.environ.get("RAY_ADDRESS")
    own = {"num_cpus": CORES, "include_dashboard": False, "object_store_memory": OBJECT_STORE}
    more: dict[str, Any] = {} if address else own  # a cluster that is there has its own
    try:
        ray.init(address or "local", logging_level=logging.ERROR, log_to_driver=False, **more)
    except ConnectionError as error:
        raise DigitscopeError(f"No Ray cluster at RAY_ADDRESS={address} ({error}). Correct it.") from error
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    ray.data.DataContext.get_current().enable_progress_bars = False
    try:
        yield ray
    finally:
        ray.shutdown()
