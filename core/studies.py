"""The commands that study a checkpoint and tell of it: `python -m core faithfulness | channels | card`."""

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def add_commands(commands: Any, add_model: Callable[[argparse.ArgumentParser], None]) -> None:
    """Adds them to the command line.

    Args:
        commands: of the parser (`add_subparsers`).
        add_model: adds the flag that names the checkpoint.
    """
    faithfulness = commands.add_parser(
        "faithfulness",
        help="measure how far each attribution method can be believed, on MNIST's test digits (20 minutes)",
    )
    add_model(faithfulness)
    faithfulness.set_defaults(run=_faithfulness)
    channels = commands.add_parser(
        "channels", help="find the test digits' places that excite each channel of a CNN most"
    )
    add_model(channels)
    channels.set_defaults(run=_channels)
    card = commands.add_parser("card", help="write a checkpoint's model card for people, as Markdown")
    add_model(card)
    card.add_argument(
        "--out", type=Path, metavar="FILE", help="where to (default: MODEL_CARD.md in the checkpoint)"
    )
    card.set_defaults(run=_card)


def _faithfulness(options: argparse.Namespace) -> int:
    from core.datasets import load_dataset
    from core.faithfulness import chosen, study_methods
    from core.predictor import Predictor
    from core.study import CONTROLS, keep_study

    predictor = Predictor.load(options.model)
    digits = chosen(load_dataset("mnist-test"), predictor)
    with _bar("digit") as show:
        study = study_methods(predictor, digits, progress=show)
    keep_study(predictor, study)
    from core.methods import METHODS

    print(f"{predictor.folder}: {study.n} digits of {study.dataset}, {study.about['seconds']:.0f} s")
    for name, found in sorted(study.methods.items(), key=lambda item: item[1].rank.value):
        label = METHODS[name].label if name in METHODS else CONTROLS[name]
        rank = f"rank {found.rank.value:g} ({found.rank.low:g} to {found.rank.high:g})"
        verdict = "depends on the weights" if found.passes else "does not surely depend on the weights"
        print(f"  {label:<22}{rank:<24}{verdict}")
    return 0


def _channels(options: argparse.Namespace) -> int:
    from core.channels import keep_channels
    from core.datasets import load_dataset
    from core.excitation import find_patches
    from core.predictor import Predictor

    predictor = Predictor.load(options.model)
    digits = load_dataset("mnist-test")
    with _bar("digit") as show:
        found = find_patches(predictor, digits, progress=lambda done, total: show("channels", done, total))
    keep_channels(predictor, found)
    count = sum(len(patches) for patches in found.patches.values())
    print(f"{predictor.folder}: {count} channels on {found.n:,} digits of {found.dataset}")
    return 0


def _card(options: argparse.Namespace) -> int:
    from core.model_card import write_model_card

    print(write_model_card(options.model, options.out))
    return 0


@contextmanager
def _bar(unit: str) -> Iterator[Callable[[str, int, int], None]]:
    """A bar for work in named stages, on stderr and only for people."""
    from tqdm import tqdm

    with tqdm(unit=unit, disable=not sys.stderr.isatty()) as bar:

        def show(stage: str, done: int, total: int) -> None:
            if done < bar.n:
                bar.reset(total)
            bar.set_description(stage, refresh=False)
            bar.update(done - bar.n)

        yield show
