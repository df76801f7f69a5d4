"""Commands about detectors: `python -m core choose-detector | fit-detector | measure-detector`."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.wording import percent


def add_commands(commands: Any, add_model: Callable[[argparse.ArgumentParser], None]) -> None:
    """Adds them to the command line.

    Args:
        commands: of the parser (`add_subparsers`).
        add_model: adds the flag that names the checkpoint.
    """
    choose = commands.add_parser(
        "choose-detector",
        help="compare forms of the score of unusualness on made-up pictures (minutes)",
    )
    add_model(choose)
    choose.add_argument("--out", type=Path, help="also write the comparison to this JSON file")
    choose.set_defaults(run=_choose)
    fit = commands.add_parser(
        "fit-detector", help="fit a model's detector of unusual inputs on MNIST's training digits (minutes)"
    )
    add_model(fit)
    fit.set_defaults(run=_fit, wrong_usage=fit.error)
    measure = commands.add_parser(
        "measure-detector", help="measure how well unusual inputs are told from digits, and at what cost"
    )
    add_model(measure)
    measure.add_argument("--out", type=Path, help="also write the figures to this JSON file")
    measure.set_defaults(run=_measure)


def _choose(options: argparse.Namespace) -> int:
    from core.datasets import load_dataset
    from core.figures import check_out
    from core.predictor import Predictor
    from core.unusual import CHOSEN
    from core.unusual_choice import best, choose_detector, write_choice

    check_out(options.out)
    predictor = Predictor.load(options.model)
    training, held_out = (load_dataset(name) for name in ("mnist-train", "mnist-validation"))
    found = choose_detector(predictor, training, held_out, progress=_progress)
    for each in found:
        print(f"{each.mean:.5f}  {each.form.words}{'  (shipped)' if each.form == CHOSEN else ''}")
    if options.out:
        write_choice(options.out, found, predictor, [training.name, held_out.name])
    if best(found).form != CHOSEN:
        print(f"Set CHOSEN in core/unusual.py to {best(found).form}, and run `fit-detector` again.")
    return 0


def _fit(options: argparse.Namespace) -> int:
    from core.datasets import load_dataset
    from core.predictor import Predictor
    from core.unusual_fit import fit_detector, keep_detector

    predictor = Predictor.load(options.model)
    training, held_out = (load_dataset(name) for name in ("mnist-train", "mnist-validation"))
    detector = fit_detector(predictor, training, held_out, progress=_progress)
    card = keep_detector(predictor, detector, held_out)
    print(
        f"{predictor.folder}: no digit above {card.verdict['unusual_above']:.2f}, which accepts "
        f"{percent(card.verdict['accepted'])} of {card.verdict['accepted_of']}"
    )
    return 0


def _measure(options: argparse.Namespace) -> int:
    from core.unusual_bench import main as measure

    measure(options.model, options.out)
    return 0


def _progress(stage: str, done: int, total: int) -> None:
    end = "\n" if done == total else ""
    print(f"\r{stage}: {done:,} of {total:,}", end=end, file=sys.stderr, flush=True)
