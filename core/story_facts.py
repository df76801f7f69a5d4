"""The figures that a story's captions can name, from a model card."""

from collections.abc import Callable
from typing import Any

import numpy as np

from core.card import ModelCard
from core.wording import duration, listed, percent

Fact = Callable[[ModelCard], str | None]


def facts_of(card: ModelCard) -> dict[str, str | None]:
    """Every figure in words by its placeholder; None for one that was not measured."""
    return {name: find(card) for name, (_, find) in FACTS.items()}


def _measured(find: Callable[[dict[str, Any]], str | None], dataset: str = "mnist-test") -> Fact:
    """A figure of an evaluation."""
    return lambda card: find(card.metrics[dataset]) if dataset in card.metrics else None


def _verdict(name: str, digits: int) -> Fact:
    """A share that stands in the card's verdict."""
    return lambda card: percent(card.verdict[name], digits) if card.verdict.get(name) is not None else None


def _one_in(test: dict[str, Any]) -> str | None:
    return f"{test['n'] / test['errors']:,.0f}" if test["errors"] else None


def _confidence(test: dict[str, Any]) -> str:
    bins = test["reliability"]
    return percent(float(np.dot(bins["counts"], bins["confidence"])) / test["n"], 2)


def _confused(part: str) -> Callable[[dict[str, Any]], str | None]:
    """Of the most frequent confusion: the true digit, the read one, or how often."""

    def find(test: dict[str, Any]) -> str | None:
        errors, names = np.array(test["confusion"]), list(test["per_class"])
        np.fill_diagonal(errors, 0)
        row, column = np.unravel_index(int(errors.argmax()), errors.shape)
        count = int(errors[row, column])
        times = {1: "once", 2: "twice"}.get(count, f"{count:,} times")
        return {"true": names[row], "read": names[column], "times": times}[part] if count else None

    return find


def _worst(test: dict[str, Any]) -> tuple[str, float]:
    rates = {digit: each["errors"] / each["n"] for digit, each in test["per_class"].items() if each["n"]}
    digit = max(rates, key=rates.__getitem__)
    return digit, 1 - rates[digit]


def _took(card: ModelCard) -> str | None:
    seconds = card.training.get("seconds")
    return None if seconds is None else duration(seconds)


# What a figure is, for who edits a story, and how it is found.
FACTS: dict[str, tuple[str, Fact]] = {
    "model": ("the model's name", lambda card: card.name),
    "knows": ("the digits that it knows", lambda card: listed(card.classes)),
    "parameters": ("how many numbers were learnt", lambda card: f"{card.parameters:,}"),
    "training_time": ("how long training took", _took),
    "hardware": ("what it was trained on", lambda card: card.training.get("hardware")),
    "accuracy": ("share of MNIST's test digits read rightly", _measured(lambda m: percent(m["accuracy"], 2))),
    "low": ("the lower end of its 95 % interval", _measured(lambda m: percent(m["interval_95"][0], 2))),
    "high": ("the upper end", _measured(lambda m: percent(m["interval_95"][1], 2))),
    "errors": ("how many are read wrongly", _measured(lambda m: f"{m['errors']:,}")),
    "n": ("how many test digits there are", _measured(lambda m: f"{m['n']:,}")),
    "one_in": ("one in so many is read wrongly", _measured(_one_in)),
    "worst_digit": ("the digit that is read least well", _measured(lambda m: _worst(m)[0])),
    "worst_accuracy": ("how well that is", _measured(lambda m: percent(_worst(m)[1], 2))),
    "confused_true": ("the true digit of the most frequent confusion", _measured(_confused("true"))),
    "confused_read": ("what it is read as", _measured(_confused("read"))),
    "confused_times": ("how often", _measured(_confused("times"))),
    "confidence": ("how sure it is on average", _measured(_confidence)),
    "ece": ("expected calibration error", _measured(lambda m: percent(m["ece"], 2))),
    "others_accuracy": (
        "share of other writers' digits read rightly",
        _measured(lambda m: percent(m["accuracy"], 2), "optdigits"),
    ),
    "refuse_below": ("it refuses answers less sure than this", _verdict("refuse_below", 1)),
    "answered": ("share of the validation digits then answered", _verdict("coverage", 2)),
    "answered_right": ("share of these read rightly", _verdict("accuracy", 2)),
    "accepted": ("share of real digits that pass as digits", _verdict("accepted", 1)),
}
