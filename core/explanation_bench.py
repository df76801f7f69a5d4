"""How long explanations take: all methods for one digit, and for another class of it."""

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np
from jaxtyping import UInt8

from core.attribution import maps_of, task_of
from core.explanation import explain, methods_for, private_network
from core.figures import Row
from core.models import Network, class_logits
from core.predictor import Predictor

DIGITS = 20  # different ones
_say = partial(print, "measuring:", file=sys.stderr, flush=True)


def explanation_rows(
    predictor: Predictor, model: Network, images: UInt8[np.ndarray, "n 28 28"]
) -> Iterator[Row]:
    """All methods one after the other, beside the same with a plain module throughout.

    Args:
        predictor: of a convolutional network.
        model: the same network, for the baseline.
        images: at least `DIGITS`.
    """
    methods = methods_for(predictor)
    answers = np.array(predictor.classes)[predictor.run(images[:DIGITS]).logits.argmax(axis=1)]
    model.requires_grad_(False)

    def ours(number: int, shift: int) -> None:
        target = (int(answers[number]) + shift) % 10
        for method in methods:
            explain(predictor, images[number], method=method, target=target)

    def plainly(number: int) -> None:
        with private_network(predictor):  # on one thread, as ours
            task = task_of(predictor, model, images[[number]], answers[[number]])
            task = replace(task, logits=lambda inputs: class_logits(model(inputs)))
            for method in methods:
                maps_of(method, task)

    figure = f"all {len(methods)} attribution methods for one digit, p50"
    _say(figure)
    # The class is switched as on the page, right after the digit was explained.
    first, switched, plain = _medians(partial(ours, shift=0), partial(ours, shift=1), plainly)
    yield Row(figure, first, "s", plain, "a plain PyTorch module for every method", limit=2, n=DIGITS - 1)
    yield Row("the same for another class of it, p50", switched, "s", limit=0.5, n=DIGITS - 1)


def _medians(*calls: Callable[[int], None]) -> list[float]:
    """The calls take turns on every digit but the first, which warms them up."""
    seconds = np.empty((len(calls), DIGITS))
    for number in range(DIGITS):
        for row, call in enumerate(calls):
            started = time.perf_counter()
            call(number)
            seconds[row, number] = time.perf_counter() - started
    return [float(value) for value in np.median(seconds[:, 1:], axis=1)]
