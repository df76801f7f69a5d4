"""A model card in words: what it claims, its figures, and where it ends."""

import shlex
from collections.abc import Sequence
from html import escape
from typing import Any

from core.card import ModelCard
from dashboard.words import duration, listed, percent

KINDS = {
    "DigitCNN": "A convolutional network that reads one handwritten digit",
    "ThreeSevenLinear": "A linear model, one weight a pixel, that tells a handwritten 3 from a 7",
}


def claim(card: ModelCard) -> str:
    """What the model is and how good, in a line of Markdown."""
    what = KINDS.get(card.architecture, card.architecture)
    test = card.metrics.get("mnist-test")
    if test is None:
        return f"{what}. How good it is on MNIST's test set: not measured."
    # Of imported weights nobody here knows what they were chosen on.
    unseen = "digits that it has never seen" if card.training else "test digits"
    return (
        f"{what}. Of {test['n']:,} {unseen} it reads "
        f"**{percent(test['accuracy'], 2)}** rightly and {test['errors']:,} wrongly."
    )


def figures(card: ModelCard) -> str:
    """The four figures that people ask for first, as HTML."""
    test = card.metrics.get("mnist-test")
    interval = " to ".join(percent(end, 2) for end in test["interval_95"]) if test else ""
    chosen = "on the digits that chose the epoch" if card.training else "on 5,000 of the training digits"
    made = card.source
    if card.training:
        made = f"trained in {duration(card.training['seconds'])} on {card.training['hardware']}"
    rows = (
        ("Test accuracy", _accuracy(card, "mnist-test"), f"95 % interval {interval}" if test else ""),
        ("Validation accuracy", _accuracy(card, "mnist-validation"), chosen),
        ("Other writers", _accuracy(card, "optdigits"), "on the 8×8 digits that scikit-learn bundles"),
        ("Parameters", f"{card.parameters:,}", made),
    )
    return cells(rows)


def cells(rows: Sequence[tuple[str, str, str]]) -> str:
    """Figures beside each other: a label, the figure and a note each, as HTML."""
    inside = "".join(
        f'<div>{label}<div class="value">{value}</div><div class="quiet">{escape(note)}</div></div>'
        for label, value, note in rows
    )
    return f'<div class="figures">{inside}</div>'


def limits(card: ModelCard) -> tuple[str, str]:
    """Where the model ends, as two lists in Markdown: what it can't do, and how far to trust it."""
    told = "; whether it is any of them, the verdict says" if "unusual_above" in card.verdict else ""
    scope = (
        f"- **It knows {listed(card.classes)} and nothing else**: shown anything, it names one of them"
        f"{told}.\n"
        "- **Digits that touch are one to it**: several in one drawing are read one by one where their "
        "strokes lie apart."
    )
    trained = "- **It learnt from MNIST**, written by Americans around 1990" if card.training else ""
    others = "; other writers are read less well, see above." if _reads_others_worse(card) else "."
    return scope, _calibration(card.metrics.get("mnist-test")) + (trained + others if trained else "")


def provenance(card: ModelCard, key: str) -> str:
    """Which weights these are and how they came about, in a line."""
    parts = [f"Checkpoint {key}"]
    if card.training:
        parts += [
            f"seed {card.training['seed']}",
            f"epoch {card.training['best_epoch']} of {card.training['epochs']}",
            card.training["finished"][:10],
            *(f"{name} {version}" for name, version in card.training["versions"].items()),
        ]
    else:
        parts.append(card.source)
    return " · ".join(parts)


def remedy(checkpoint: str) -> str:
    """The command that measures what is not measured."""
    return f"python -m core evaluate --model {shlex.quote(checkpoint)} --record"


def _accuracy(card: ModelCard, dataset: str) -> str:
    metrics = card.metrics.get(dataset)
    return percent(metrics["accuracy"], 2) if metrics else "not measured"


def _reads_others_worse(card: ModelCard) -> bool:
    test, others = card.metrics.get("mnist-test"), card.metrics.get("optdigits")
    return bool(test and others and others["interval_95"][1] < test["interval_95"][0])


def _calibration(test: dict[str, Any] | None) -> str:
    if test is None:
        return ""
    bins = test["reliability"]
    mean = sum(n * c for n, c in zip(bins["counts"], bins["confidence"], strict=True)) / test["n"]
    sure, right = percent(mean), percent(test["accuracy"])
    lies = "agrees with" if sure == right else "lies below" if mean < test["accuracy"] else "lies above"
    return (
        f"- **Its confidence {lies} its accuracy**: {sure} sure on average "
        f"where {right} are right (expected calibration error {percent(test['ece'])}).\n"
    )
