"""Trains a model and writes its checkpoint: `python train.py cnn`, `python train.py linear`."""

import argparse
import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from core.config import CONFIGS, TrainConfig
from core.errors import DigitscopeError
from core.paths import checkpoints_folder

if TYPE_CHECKING:
    from core.training import StepReport


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", choices=sorted(CONFIGS), help="which of the two models")
    parser.add_argument("--out", type=Path, help="the checkpoint's folder (default: checkpoints/MODEL)")
    for flag in fields(TrainConfig):
        if flag.name != "architecture":
            usual = " / ".join(f"{getattr(config, flag.name)} for {name}" for name, config in CONFIGS.items())
            parser.add_argument(
                "--" + flag.name.replace("_", "-"),
                type=type(flag.default),
                default=None,
                help=f"{flag.metadata['help']}, in {flag.metadata['range']} (default: {usual})",
            )
    return parser.parse_args(arguments)


def config_from(options: argparse.Namespace) -> TrainConfig:
    given = {f.name: getattr(options, f.name, None) for f in fields(TrainConfig)}
    return replace(CONFIGS[options.model], **{k: v for k, v in given.items() if v is not None})


def main() -> None:
    options = parse()
    config = config_from(options)
    folder = options.out or checkpoints_folder() / options.model
    from core.release import release  # after the flags: `--help` needs no torch

    with tqdm(unit="step", dynamic_ncols=True) as bar:

        def show(report: "StepReport") -> None:
            bar.total = report.steps
            last = (
                "" if report.validation_accuracy is None else f", validation {report.validation_accuracy:.2%}"
            )
            bar.set_description(f"epoch {report.epoch}/{config.epochs}", refresh=False)
            bar.set_postfix_str(
                f"loss {report.loss:.4f}, accuracy {report.accuracy:.2%}{last}", refresh=False
            )
            bar.update(report.step - bar.n)

        card = release(config, folder, report=show)
    test = card.metrics["mnist-test"]
    print(f"{folder}: epoch {card.training['best_epoch']} chosen on the validation split; "
          f"test accuracy {test['accuracy']:.2%} ({test['errors']} errors in {test['n']})")  # fmt: skip


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("Stopped. No checkpoint was written; an older one is untouched.")
    except DigitscopeError as error:
        sys.exit(f"error: {error}")
