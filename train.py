"""Trains a model and writes its checkpoint: `python train.py cnn`, `python train.py linear`."""

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.config import RECIPES, TrainConfig, add_flags, changed_by_flags
from core.errors import DigitscopeError, TrainingError
from core.paths import checkpoints_folder
from core.results import record

if TYPE_CHECKING:
    from core.runs import StepReport

SWITCHES = {
    "--resume": "go on where a run with the same flags was stopped",
    "--record": "add the runs to docs/results/training.json",
    "--peek": "measure the test set after every epoch too, to show what choosing by it would claim",
    "--benchmark": "train nothing for keeps: measure speed, and time to accuracy on a GPU",
}


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", choices=sorted(RECIPES), help="which of the two models")
    names = "; ".join(f"{model}: {', '.join(recipes)}" for model, recipes in RECIPES.items())
    parser.add_argument("--recipe", help=f"a set of the flags below ({names}; default: the first)")
    parser.add_argument("--out", type=Path, help="the checkpoint's folder (default: checkpoints/MODEL)")
    parser.add_argument(
        "--seeds", type=int, default=1, metavar="N", help="train N, keep the best by validation"
    )
    parser.add_argument("--tensorboard", type=Path, metavar="DIR", help="also write TensorBoard event files")
    for name, about in SWITCHES.items():
        parser.add_argument(name, action="store_true", help=about)
    add_flags(parser)
    options = parser.parse_args(arguments)
    options.recipe = options.recipe or next(iter(RECIPES[options.model]))
    if options.recipe not in RECIPES[options.model]:
        parser.error(f"--recipe {options.recipe}: {options.model} has {', '.join(RECIPES[options.model])}")
    if options.data not in (None, "mnist") and not options.out:
        parser.error(
            "--data: name the new checkpoint's folder with --out, or it would replace the shipped one"
        )
    if options.benchmark and options.model != "cnn":
        parser.error("--benchmark measures cnn")
    if options.seeds < 1:
        parser.error(f"--seeds {options.seeds}: give a whole number of at least 1")
    return options


def config_from(options: argparse.Namespace) -> TrainConfig:
    recipe = RECIPES[options.model][options.recipe]
    config = changed_by_flags(recipe, options)
    changed = [name for name, value in vars(config).items() if value != getattr(recipe, name)]
    useless = sorted(set(changed) - config.used())
    if useless:
        raise TrainingError(f"{options.model} has no use for {', '.join(useless)}. Leave these flags out.")
    strange = sorted(set(changed) - {"seed", "precision", "teachers", "init_from"})
    if options.record and strange:
        raise TrainingError(
            f"--record keeps runs of the recipe {options.recipe} as it is; here {', '.join(strange)} "
            "differ from it. Leave these flags out, or --record."
        )
    return config


def main() -> None:
    options = parse()
    config = config_from(options)
    from core.processes import joined  # after the flags: `--help` needs no torch

    with joined() as rank:
        if options.benchmark and rank == 0:
            from core.training_bench import main as benchmark

            benchmark()
        elif not options.benchmark:
            _train(options, config, quiet=rank > 0)


def _train(options: argparse.Namespace, config: TrainConfig, *, quiet: bool) -> None:
    from core.progress_line import ProgressLine
    from core.release import release_best
    from core.tensorboard import EventLog

    folder = options.out or checkpoints_folder() / options.model
    line = ProgressLine(quiet=quiet)
    log = EventLog(options.tensorboard, first=config.seed) if options.tensorboard and not quiet else None

    def show(report: "StepReport") -> None:
        line(report)
        if log:
            log(report)

    def ended(result: dict[str, Any]) -> None:
        line.ended(result)
        if log:
            log.end(result["history"])
        if options.record:
            record(result)

    how = {"recipe": options.recipe, "seeds": options.seeds, "resume": options.resume, "peek": options.peek}
    release_best(config, folder, report=show, each=ended, **how)
    line.close(
        f"{folder}: " + (f"the best of {options.seeds} by validation" if options.seeds > 1 else "written")
    )


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("Stopped; no checkpoint was replaced. --resume goes on from the last finished epoch.")
    except DigitscopeError as error:
        sys.exit(f"error: {error}" if os.environ.get("RANK", "0") == "0" else 1)
