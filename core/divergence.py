"""When gradient descent goes wrong: what happened, and what to do, in a sentence."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.scratch import KNOWING_NOTHING, EpochState, ScratchConfig

STUCK = 2 / 3  # share of the misread digits on the sigmoid's flat ends that is worth a word
WORSE = 2.0  # times the loss of the start, or of knowing nothing: diverged


@dataclass(frozen=True)
class Trouble:
    """What is wrong with a run.

    Attributes:
        kind: `broken` (not finite), `diverged`, `overshoots` or `flat`.
        words: a sentence or two for people.
    """

    kind: str
    words: str


def trouble(states: Sequence[EpochState], config: ScratchConfig) -> Trouble | None:
    """What is wrong with a run as far as it has come; None where nothing is.

    Args:
        states: from the start on.
        config: of the newest ones.
    """
    if len(states) < 2:
        return None
    first, last, remedy = states[0], states[-1], f"The rate of {config.rate:g} is too high: lower it."
    if not (np.isfinite(last.loss) and np.isfinite(last.validation_loss)):
        return Trouble("broken", f"In epoch {last.epoch} the weights are no longer numbers. {remedy}")
    nothing = KNOWING_NOTHING[config.loss]
    worst = max(last.loss, last.validation_loss)
    if worst > WORSE * max(first.validation_loss, nothing):
        return Trouble(
            "diverged",
            f"Training has diverged: every step leaps over the valley. The loss is {worst:.3g}, the "
            f"start had {first.validation_loss:.3g} and knowing nothing costs {nothing:.2g}. {remedy}",
        )
    best = min(state.loss for state in states)
    if last.loss > nothing and best < nothing / 2:
        return Trouble(
            "overshoots",
            f"The steps overshoot: the loss was down to {best:.2g} and is {last.loss:.2g} again. {remedy}",
        )
    if last.stuck > STUCK >= first.stuck and config.loss == "distance":
        return Trouble(
            "flat",
            f"The steps went so far that {last.stuck:.0%} of the misread digits lie on the flat ends of the "
            f"sigmoid. There this loss has next to no gradient: they can't teach any more. {remedy}",
        )
    return None
