"""The course of a run: with which settings it went how far. Everything in it follows from that."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from core.errors import TrainingError
from core.labelled import LabelledDigits
from core.scratch import CLASSES, EpochState, ScratchConfig, ScratchDigits, scratch_digits, train

ALL = -1
LEGS, EPOCHS = 20, 1000  # the most that a link may ask for


@dataclass(frozen=True)
class Course:
    """Settings one after the other, of one start.

    Attributes:
        threes: how many 3s it learns from, the first ones; `ALL` for all.
        sevens: likewise.
        legs: each goes on from the one before to its own `epochs`; start and seed are the first one's.
    """

    threes: int
    sevens: int
    legs: tuple[ScratchConfig, ...]

    @property
    def epochs(self) -> int:
        """Where it ends."""
        return self.legs[-1].epochs

    def until(self, epoch: int) -> "Course":
        """As much of it as lies before the end of an epoch."""
        legs: list[ScratchConfig] = []
        for leg in self.legs:
            if not legs or legs[-1].epochs < epoch:
                legs.append(replace(leg, epochs=max(1, min(leg.epochs, epoch))))
        return replace(self, legs=tuple(legs))

    def then(self, config: ScratchConfig, *, after: int) -> "Course":
        """Goes on from an epoch with other settings."""
        last = replace(config, start=self.legs[0].start, seed=self.legs[0].seed)
        if after < 1:
            return replace(self, legs=(last,))
        *earlier, latest = self.until(after).legs
        same = replace(latest, epochs=last.epochs) == last
        return replace(self, legs=(*earlier, last) if same else (*earlier, latest, last))

    def check(self) -> None:
        """Whether a link could carry it.

        Raises:
            TrainingError: it has more than `LEGS` settings or `EPOCHS` epochs.
        """
        if len(self.legs) > LEGS or self.epochs > EPOCHS:
            raise TrainingError(
                f"A training goes through at most {LEGS} settings and {EPOCHS:,} epochs; this one would go "
                f"through {len(self.legs)} and {self.epochs:,}. Go back to an earlier epoch, or train anew."
            )

    def to_text(self) -> str:
        """A few words for a link."""
        first = self.legs[0]
        head = f"{first.start},{first.seed},{self.threes},{self.sevens}"
        legs = (f"{leg.epochs},{leg.rate:g},{leg.batch},{leg.loss}" for leg in self.legs)
        return "_".join((head, *legs))


def course_from(text: str) -> Course:
    """Reads `Course.to_text`.

    Raises:
        TrainingError: it is no such text, or asks for more than `LEGS` or `EPOCHS`.
    """
    try:
        head, *legs = text.split("_")
        start, seed, threes, sevens = head.split(",")
        configs = []
        for leg in legs:
            epochs, rate, batch, loss = leg.split(",")
            configs.append(
                ScratchConfig(
                    loss=loss,
                    start=start,
                    rate=float(rate),
                    batch=int(batch),
                    epochs=int(epochs),
                    seed=int(seed),
                )
            )
        course = Course(int(threes), int(sevens), tuple(configs))
    except ValueError as error:
        raise TrainingError(f"{text[:80]!r} is no course of a training. Train anew.") from error
    ends = [leg.epochs for leg in course.legs]
    sound = min(course.threes, course.sevens) >= ALL and ends == sorted(set(ends))
    if not 1 <= len(ends) <= LEGS or ends[-1] > EPOCHS or not sound:
        raise TrainingError(
            f"{text[:80]!r} is no course of a training of at most {LEGS} settings and {EPOCHS} epochs. "
            "Train anew."
        )
    return course


def few(data: LabelledDigits, *, threes: int = ALL, sevens: int = ALL) -> ScratchDigits:
    """The first so many 3s and 7s of a data set, in its order.

    Raises:
        TrainingError: none of one of the two.
    """
    chosen = [
        np.flatnonzero(data.labels == digit)[: None if number == ALL else number]
        for digit, number in zip(CLASSES, (threes, sevens), strict=True)
    ]
    return scratch_digits(data.take(np.sort(np.concatenate(chosen))))


def follow(
    course: Course, training: ScratchDigits, validation: ScratchDigits, after: EpochState | None = None
) -> Iterator[EpochState]:
    """Trains the whole course, epoch by epoch, or what is left of it after a state."""
    last = after
    for leg in course.legs:
        if last and leg.epochs <= last.epoch:
            continue
        for state in train(leg, training, validation, after=last):
            last = state
            yield state
        if not last or last.epoch < leg.epochs:  # its weights are no longer finite
            return
