"""Trains a model and writes its checkpoint: `python train.py cnn`, `python train.py linear`."""

import argparse
import sys
from dataclasses import Field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.config import DEFAULT_RECIPES, RECIPES, TrainConfig
from core.errors import DigitscopeError
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
    add = parser.add_argument
    add("model", choices=sorted(RECIPES), help="which of the two models")
    names = "; ".join(f"{model}: {', '.join(recipes)}" for model, recipes in RECIPES.items())
    add("--recipe", help=f"a set of the flags below ({names}; default: the first)")
    add("--data", default="mnist", help="a data set by name or path to learn from (default: mnist)")
    add("--out", type=Path, help="the checkpoint's folder (default: checkpoints/MODEL)")
    add("--seeds", type=int, default=1, metavar="N", help="train N networks, keep the best by validation")
    add("--tensorboard", type=Path, metavar="DIR", help="also write TensorBoard event files there")
    for name, about in SWITCHES.items():
        add(name, action="store_true", help=about)
    for flag in fields(TrainConfig):
        if flag.name != "architecture":
            add("--" + flag.name.replace("_", "-"), default=None, **_options_of(flag))
    options = parser.parse_args(arguments)
    options.recipe = options.recipe or DEFAULT_RECIPES[options.model]
    if options.recipe not in RECIPES[options.model]:
        parser.error(f"--recipe {options.recipe}: {options.model} has {', '.join(RECIPES[options.model])}")
    if options.seeds < 1:
        parser.error(f"--seeds {options.seeds}: give a whole number of at least 1")
    return options


def _options_of(flag: Field[Any]) -> dict[str, Any]:
    """How a field of the configuration becomes a flag."""
    about = flag.metadata["help"]
    if "choices" in flag.metadata:
        return {"choices": flag.metadata["choices"], "help": about}
    if isinstance(flag.default, bool):
        return {"action": argparse.BooleanOptionalAction, "help": about}
    if isinstance(flag.default, tuple):
        return {"nargs": "+", "metavar": "CHECKPOINT", "help": about}
    if isinstance(flag.default, str):
        return {"metavar": "CHECKPOINT", "help": about}
    usual = "; ".join(
        f"{model} " + " / ".join(str(getattr(config, flag.name)) for config in recipes.values())
        for model, recipes in RECIPES.items()
    )
    return {"type": type(flag.default), "help": f"{about}, in {flag.metadata['range']} (default: {usual})"}


def config_from(options: argparse.Namespace) -> TrainConfig:
    given = {f.name: getattr(options, f.name, None) for f in fields(TrainConfig)}
    changed = {k: tuple(v) if isinstance(v, list) else v for k, v in given.items() if v is not None}
    return replace(RECIPES[options.model][options.recipe], **changed)


def main() -> None:
    options = parse()
    config = config_from(options)
    from core.processes import joined  # after the flags: `--help` needs no torch

    with joined() as rank:
        if options.benchmark:
            from core.training_bench import main as benchmark

            benchmark()
        else:
            _train(options, config, quiet=rank > 0)


def _train(options: argparse.Namespace, config: TrainConfig, *, quiet: bool) -> None:
    from core.release import release_best
    from core.tensorboard import EventLog

    folder = options.out or checkpoints_folder() / options.model
    line = _Line(quiet)
    log = EventLog(options.tensorboard) if options.tensorboard and not quiet else None

    def show(report: "StepReport") -> None:
        line.show(report)
        if log:
            log(report)

    def ended(result: dict[str, Any]) -> None:
        line.ended(result)
        if log:
            log.end(result["history"])
        if options.record:
            record(result)

    release_best(
        config,
        folder,
        recipe=options.recipe,
        data=options.data,
        seeds=options.seeds,
        resume=options.resume,
        peek=options.peek,
        report=show,
        each=ended,
    )
    line.close(
        f"{folder}: " + (f"the best of {options.seeds} by validation" if options.seeds > 1 else "written")
    )


class _Line:
    """The line that moves while a run goes on; silent in all processes but the first."""

    def __init__(self, quiet: bool):
        from tqdm import tqdm

        self.quiet = quiet
        self.bar = tqdm(unit="step", dynamic_ncols=True, disable=quiet)

    def show(self, report: "StepReport") -> None:
        last = report.validation_accuracy
        known = "" if last is None else f", validation {last:.2%}"
        self.bar.total = report.steps
        self.bar.set_description(f"epoch {report.epoch}/{report.epochs}", refresh=False)
        self.bar.set_postfix_str(
            f"{report.images_per_second:,.0f} images/s, loss {report.loss:.4f}{known}", refresh=False
        )
        self.bar.update(report.step - self.bar.n)

    def ended(self, result: dict[str, Any]) -> None:
        test = result["metrics"][result["tested_on"]]
        self.bar.write(
            f"seed {result['seed']}: epoch {result['best_epoch']} chosen on {result['chosen_on']}; "
            f"{result['tested_on']}: {test['accuracy']:.2%} ({test['errors']} errors in {test['n']})"
        )
        self.bar.reset()

    def close(self, last: str) -> None:
        self.bar.leave = False
        self.bar.close()
        if not self.quiet:
            print(last)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("Stopped. No checkpoint was written; an older one is untouched. --resume goes on.")
    except DigitscopeError as error:
        sys.exit(f"error: {error}")
