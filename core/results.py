"""Published training runs: `docs/results/training.json`, written by `train.py --record` alone."""

import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from core.errors import TrainingError
from core.paths import ROOT

TRAINING_RESULTS = ROOT / "docs" / "results" / "training.json"


@dataclass(frozen=True)
class Spread:
    """Mean and sample standard deviation over runs; the deviation of a single run is None."""

    mean: float
    deviation: float | None
    n: int


@dataclass(frozen=True, eq=False)
class RecipeResults:
    """All recorded runs of one recipe of an architecture, in the order of their seeds."""

    architecture: str
    recipe: str
    runs: tuple[dict[str, Any], ...]

    def holds(self, training: Mapping[str, Any]) -> bool:
        """Whether the run that a model card's `training` tells of is among them."""
        return any(is_run(run, training) for run in self.runs)

    @property
    def best(self) -> dict[str, Any]:
        """The run with the best validation accuracy; of equal ones the first. The test set has no say."""
        return max(self.runs, key=validation_accuracy)

    def spread(self, figure: str, *, dataset: str = "mnist-test") -> Spread:
        """Of a figure (`accuracy` or `ece`, in [0, 1]) on a data set."""
        values = [run["metrics"][dataset][figure] for run in self.runs]
        return Spread(mean(values), stdev(values) if len(values) > 1 else None, len(values))


def is_run(run: Mapping[str, Any], training: Mapping[str, Any]) -> bool:
    """Whether a recorded run is the one that a model card's `training` tells of."""
    return all(run.get(name) == training.get(name) for name in ("seed", "finished"))


def validation_accuracy(result: dict[str, Any]) -> float:
    """What runs are chosen by: their best epoch's, on the copies as if drawn too if it learned from such."""
    return float(result["history"][result["best_epoch"] - 1]["validation_accuracy"])


def read_results(path: Path = TRAINING_RESULTS) -> list[RecipeResults]:
    """Every recipe that has recorded runs, in alphabetical order; none where there is no file.

    Raises:
        TrainingError: the file is damaged.
    """
    runs = _read(path)
    kinds = sorted({_key(run)[:2] for run in runs})
    return [RecipeResults(*kind, tuple(run for run in runs if _key(run)[:2] == kind)) for kind in kinds]


def record(result: dict[str, Any], path: Path = TRAINING_RESULTS) -> None:
    """Adds a run, in the place of an earlier one of the same architecture, recipe and seed.

    Raises:
        TrainingError: the file is damaged, or can't be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.with_name(f".{path.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            others = [run for run in _read(path) if _key(run) != _key(result)]
            runs = sorted([*others, result], key=_key)
            beside = path.with_name(f".{path.name}.{os.getpid()}")
            beside.write_text(_as_lines(runs), encoding="utf-8")
            beside.replace(path)
    except OSError as error:
        raise TrainingError(f"{path} can't be written ({error}). Free some space.") from error


def _key(run: dict[str, Any]) -> tuple[str, str, int]:
    return run["flags"]["architecture"], run["recipe"], run["seed"]


def _as_lines(runs: list[dict[str, Any]]) -> str:
    """A run a line, so that a change to one is a change to one line."""
    return "[\n" + ",\n".join(json.dumps(run, ensure_ascii=False) for run in runs) + "\n]\n"


def _read(path: Path) -> list[dict[str, Any]]:
    try:
        return list(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise TrainingError(f"{path} can't be read ({error}). Restore the file.") from error


@dataclass(frozen=True)
class Peeking:
    """One run under two protocols: what choosing the epoch on the test set adds to the claim.

    Attributes:
        recipe, seed: of the run.
        honest: test accuracy of the epoch that validation chose, in [0, 1].
        peeked: the best test accuracy of any epoch.
    """

    recipe: str
    seed: int
    honest: float
    peeked: float


def peeking(results: list[RecipeResults]) -> list[Peeking]:
    """Of every recorded run that measured the test set after each epoch."""
    found = []
    for run in (run for recipe in results for run in recipe.runs):
        by_epoch = [row["test_accuracy"] for row in run["history"] if "test_accuracy" in row]
        if by_epoch:
            honest = run["metrics"][run["tested_on"]]["accuracy"]
            found.append(Peeking(run["recipe"], run["seed"], honest, max(by_epoch)))
    return found


COLUMNS = (
    *("network", "recipe", "runs", "test accuracy", "validation accuracy", "ECE"),
    *("epochs", "time a run", "trained on"),
)


def table(results: list[RecipeResults]) -> list[tuple[str, ...]]:
    """A row of `COLUMNS` for each recipe, as text: mean ± standard deviation over the runs."""
    return [
        (
            _network(recipe),
            recipe.recipe,
            str(len(recipe.runs)),
            _plus_minus(recipe.spread("accuracy"), 2),
            _plus_minus(recipe.spread("accuracy", dataset="mnist-validation"), 2),
            _plus_minus(recipe.spread("ece"), 2),
            str(recipe.runs[0]["flags"]["epochs"]),
            _duration(mean(run["seconds"] for run in recipe.runs)),
            "; ".join(sorted({run["hardware"] for run in recipe.runs})),
        )
        for recipe in results
    ]


def _network(recipe: RecipeResults) -> str:
    width = recipe.runs[0]["flags"].get("width", 1)
    return recipe.architecture if width == 1 else f"{recipe.architecture}, {width} times as wide"


def _plus_minus(spread: Spread, digits: int) -> str:
    """Both in percent; a hair more digits for the deviation, which is small."""
    after = "" if spread.deviation is None else f" ± {100 * spread.deviation:.{digits + 1}f}"
    return f"{100 * spread.mean:.{digits}f}{after} %"


def _duration(seconds: float) -> str:
    if seconds >= 120:
        return f"{seconds / 60:.0f} min"
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
