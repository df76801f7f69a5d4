"""What training took: measured time, and the energy that follows from an assumed power."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.card import ModelCard
from core.results import RecipeResults, is_run

# What a device draws at most, by its maker; nobody measured what these trainings drew.
GPU_WATTS = {"NVIDIA H200": 700.0, "NVIDIA H100 80GB HBM3": 700.0}
GPU_SOURCE = "the most that NVIDIA's data sheet gives for its SXM form"
# Green Algorithms (Lannelongue et al. 2021, doi:10.1002/advs.202100707), data/latest/TDP_cpu.csv, "Any".
WATTS_PER_CORE = 12.0
CPU_SOURCE = "Green Algorithms' value for a core of an unknown processor (Lannelongue et al. 2021)"
CORES = re.compile(r"CPU, (\d+) cores?(?:, (\d+) threads?)?")
TEACHER = re.compile(r"-(?P<recipe>[^/-]+)-seed(?P<seed>\d+)(?:/checkpoint)?$")


@dataclass(frozen=True)
class Power:
    """What a device is taken to draw while it trains: in watts, in words, and where that comes from."""

    watts: float
    words: str
    source: str


@dataclass(frozen=True)
class Work:
    """A part of what training took.

    Attributes:
        what: it was for, in words.
        runs: how many trainings.
        hardware: they ran on; empty where that is not recorded.
        seconds: measured, all runs together; None where they were not recorded.
    """

    what: str
    runs: int
    hardware: str
    seconds: float | None

    @property
    def power(self) -> Power | None:
        """What it is taken to draw; None for a device whose power is not known."""
        return power_of(self.hardware)

    @property
    def watt_hours(self) -> float | None:
        """Energy = time × power, in Wh; None where one of the two is not known."""
        if self.seconds is None or self.power is None:
            return None
        return self.seconds * self.power.watts / 3600


def power_of(hardware: str) -> Power | None:
    """What a device is taken to draw, by its name as `core.hardware.describe_hardware` gives it."""
    if hardware in GPU_WATTS:
        return Power(GPU_WATTS[hardware], f"{GPU_WATTS[hardware]:g} W", GPU_SOURCE)
    found = CORES.search(hardware)
    if not found:
        return None
    cores = int(found[2] or found[1])  # threads in use, where they are fewer than all
    watts = cores * WATTS_PER_CORE
    words = f"{cores} × {WATTS_PER_CORE:g} W" if cores > 1 else f"{WATTS_PER_CORE:g} W"
    return Power(watts, words, CPU_SOURCE)


def work_of(card: ModelCard, results: Sequence[RecipeResults]) -> tuple[Work, ...]:
    """What it took to train a checkpoint: itself, its teachers, and the runs that it was chosen from.

    Args:
        card: the checkpoint's.
        results: every recorded run, for what the card refers to.

    Returns:
        Nothing for weights that were not trained here.
    """
    if not card.training:
        return ()
    here = [recipe for recipe in results if recipe.architecture == card.architecture]
    own = next((recipe for recipe in here if recipe.holds(card.training)), None)
    found = [Work("this network", 1, _hardware(card.training), _seconds(card.training))]
    teachers = [_teacher(name, here) for name in card.hyperparameters.get("teachers", ())]
    found += _together("its teachers", teachers)
    others = [run for run in own.runs if not is_run(run, card.training)] if own else []
    return (*found, *_together("the other seeds that it was chosen from", others))


def total_watt_hours(work: Sequence[Work]) -> float | None:
    """All parts together, in Wh; None where one is not known, or there is none."""
    parts = [part.watt_hours for part in work]
    known = [part for part in parts if part is not None]
    return sum(known) if known and len(known) == len(parts) else None


def _teacher(name: str, results: Sequence[RecipeResults]) -> dict[str, object]:
    """The recorded run behind a teacher's path, `runs/<name>-<recipe>-seed<n>/checkpoint`."""
    parts = TEACHER.search(name)
    for recipe in results:
        for run in recipe.runs:
            if parts and (recipe.recipe, run["seed"]) == (parts["recipe"], int(parts["seed"])):
                return run
    return {}


def _together(what: str, runs: Sequence[dict[str, object]]) -> list[Work]:
    """A part for each kind of device."""
    found = []
    for hardware in sorted({_hardware(run) for run in runs}):
        seconds = [_seconds(run) for run in runs if _hardware(run) == hardware]
        known = [each for each in seconds if each is not None]
        whole = sum(known) if len(known) == len(seconds) else None
        found.append(Work(what, len(seconds), hardware, whole))
    return found


def _hardware(run: dict[str, object]) -> str:
    return str(run.get("hardware", ""))


def _seconds(run: dict[str, object]) -> float | None:
    seconds = run.get("seconds")
    return float(seconds) if isinstance(seconds, (int, float)) else None
