"""The session's training: started, stopped, gone back and looked at, wherever on the page."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.runtime import Runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core.course import Course, course_from, follow
from core.errors import DigitscopeError
from core.live_training import LiveRun, Look
from core.scratch import EpochState, ScratchConfig
from dashboard import resources
from dashboard.learn_link import NEWEST, change, link

RUN, COURSE, BOTH, REFUSED = "learn-run", "learn-course", "learn-both", "learn-refused"
ASKED = "learn-asked"  # the course of the link that RUN and REFUSED answer
LOOK_AGAIN = 0.7  # s, where one trains
PACE = 0.2  # s an epoch, at least: slow enough to watch
NOTHING: Look[EpochState] = Look((), False, None)


@dataclass(frozen=True, eq=False)
class Mine:
    """The session's training as it is now.

    Attributes:
        course: what it follows; None before the first training.
        states: epoch by epoch, the start included.
        running: whether it goes on.
        error: what went wrong, in words.
    """

    course: Course | None
    states: tuple[EpochState, ...]
    running: bool
    error: str | None

    @property
    def newest(self) -> int:
        """The last epoch there is."""
        return self.states[-1].epoch if self.states else 0

    @property
    def shown(self) -> EpochState | None:
        """The epoch that the link names, or the newest."""
        if not self.states:
            return None
        wanted = link().epoch
        return self.states[-1] if wanted == NEWEST else self.states[min(wanted, self.newest)]


def settings() -> ScratchConfig:
    """What the widgets say now."""
    view = link()
    return ScratchConfig(
        loss=view.loss,
        start=view.start,
        rate=view.rate,
        batch=view.batch,
        epochs=view.epochs,
        seed=view.seed,
    )


def follow_link() -> None:
    """Trains what the link names where that is another course than the session's: the link may be somebody
    else's, or Back has led to it. Only for runs of the whole page: a fragment that looks again by itself
    may still bring the address of before.
    """
    text = link().run
    if text == st.session_state.get(ASKED, ""):
        return
    _end_others()
    for key in (RUN, COURSE, REFUSED):
        st.session_state.pop(key, None)
    st.session_state[ASKED] = text
    if text:
        try:
            _start(course_from(text), pace=0.0)
        except DigitscopeError as error:
            st.session_state[REFUSED] = str(error)


def mine() -> Mine:
    """The session's training."""
    run: LiveRun[EpochState] | None = st.session_state.get(RUN)
    look = run.look() if run else NOTHING
    refused: str | None = st.session_state.get(REFUSED)
    return Mine(st.session_state.get(COURSE), look.states, look.running, refused or look.error)


def train() -> None:
    """From the start, with the settings of now."""
    view = link()
    _begin(Course(view.threes, view.sevens, (settings(),)), ())


def resume() -> None:
    """Goes on from the epoch that is looked at, with the settings of now; later ones are forgotten."""
    now = mine()
    if now.shown is None or now.course is None:
        return
    kept = now.states[: now.shown.epoch + 1]
    config = settings()
    end = config.epochs if config.epochs > now.shown.epoch else now.shown.epoch + config.epochs
    last = ScratchConfig(**(vars(config) | {"epochs": end}))
    _begin(now.course.then(last, after=now.shown.epoch), kept)


def stop() -> None:
    """Where it is."""
    run: LiveRun[EpochState] | None = st.session_state.get(RUN)
    if run is None:
        return
    run.stop()
    now = mine()
    if now.course is not None:
        st.session_state[COURSE] = now.course.until(now.newest)
        _name(st.session_state[COURSE])


def _begin(course: Course, before: Sequence[EpochState]) -> None:
    try:
        course.check()
        _start(course, before=before, pace=PACE)
    except DigitscopeError as error:
        st.session_state[REFUSED] = str(error)
        return
    _name(course, epoch=NEWEST)


def _name(course: Course, **values: int) -> None:
    """Puts a course into the link."""
    st.session_state[ASKED] = course.to_text()
    change(run=course.to_text(), **values)


def _start(course: Course, *, before: Sequence[EpochState] = (), pace: float) -> None:
    _end_others()
    training, validation = resources.learning_digits(
        resources.learning_source(), course.threes, course.sevens
    )
    last = before[-1] if before else None
    st.session_state[RUN] = launch(follow, course, training, validation, last, before=before, pace=pace)
    st.session_state[COURSE] = course
    st.session_state.pop(REFUSED, None)


def launch(
    epochs: Callable[..., Any], *arguments: object, before: Sequence[Any] = (), pace: float = 0.0
) -> LiveRun[Any]:
    """A training of this session's in the background; it ends when the visitor leaves.

    Raises:
        TrainingError: too many train at the moment.
    """
    _end_others()
    session = _session()
    return resources.training_pool().start(
        session, epochs, arguments, before=before, pace=pace, alive=lambda: _is_here(session)
    )


def look_again() -> float:
    """Seconds between two looks at a training. The more people train, the seldomer each looks: drawing the
    curves is what costs the server most."""
    return LOOK_AGAIN * max(1, resources.training_pool().running())


def _end_others() -> None:
    """A session trains one thing at a time: the new one."""
    for key in (RUN, BOTH):
        run: LiveRun[Any] | None = st.session_state.get(key)
        if run is not None:
            run.stop()


def _session() -> str:
    context = get_script_run_ctx()
    return context.session_id if context else "nobody"


def _is_here(session: str) -> bool:
    """Whether a browser is still connected; a page under test has no server to ask."""
    return not Runtime.exists() or Runtime.instance().is_active_session(session)
