"""From scratch against PyTorch: the same curves, and the code of both."""

from typing import TYPE_CHECKING, Any

import streamlit as st

from core.errors import DigitscopeError
from core.live_training import LiveRun, Look
from dashboard import resources
from dashboard.learn_link import change, link
from dashboard.parts import learn_charts, live_run
from dashboard.parts.train_live import LOSSES, STARTS
from dashboard.words import plain

if TYPE_CHECKING:
    from core.side_by_side import Both

REFUSED, OF = "learn-both-refused", "learn-both-of"
ROUNDING = 1e-6  # of weights around 1, in float64, after thousands of steps
NOTHING: "Look[Both]" = Look((), False, None)


def show() -> None:
    """The tab. It looks again by itself only while something trains."""
    running = _look().running
    st.fragment(_live, run_every=live_run.look_again() if running else None)(running)
    ours, theirs = _sources()
    left, right = st.columns(2, gap="small")
    with left.container(border=True):
        st.markdown("**From scratch**, `core/scratch.py`")
        st.code(ours, language="python", wrap_lines=True)
    with right.container(border=True):
        st.markdown("**With PyTorch**, `core/scratch_torch.py`")
        st.code(theirs, language="python", wrap_lines=True)


@st.cache_data(show_spinner="Loading PyTorch …")
def _sources() -> tuple[str, str]:
    from core.side_by_side import sources  # torch: seconds to import

    return sources()


def _look() -> "Look[Both]":
    if link().both and live_run.BOTH not in st.session_state and REFUSED not in st.session_state:
        _start()
    run: LiveRun[Any] | None = st.session_state.get(live_run.BOTH)
    return run.look() if run else NOTHING


def _live(running: bool) -> None:
    now = _look()
    if now.running != running:
        st.rerun()
    config = st.session_state.get(OF, live_run.settings())
    left, right = st.columns([4, 8], gap="small")
    with left.container(border=True, height="stretch"):
        now_set = live_run.settings()
        st.markdown(
            f"Rate {now_set.rate:g}, {now_set.batch:,} digits a step, loss: {LOSSES[now_set.loss].lower()}, "
            f"start: {STARTS[now_set.start]}, {now_set.epochs} epochs, seed {now_set.seed}: the settings of "
            "the first tab. Both see the same batches."
        )
        if now.running:
            st.button("Stop", icon=":material/stop:", type="primary", key="learn-both-stop", on_click=_stop)
        else:
            st.button(
                "Train both",
                icon=":material/compare_arrows:",
                type="primary",
                key="learn-both-train",
                on_click=_press,
            )
        with st.container(key="learn-both-said"):
            _said(now)
    with right.container(border=True, height="stretch"):
        learn_charts.both(now.states, config.epochs)


def _press() -> None:
    st.session_state.pop(REFUSED, None)
    _start()
    change(both=1)


def _stop() -> None:
    run: LiveRun[Any] | None = st.session_state.get(live_run.BOTH)
    if run is not None:
        run.stop()


def _start() -> None:
    from core.side_by_side import train_both  # torch: seconds to import

    view, config = link(), live_run.settings()
    try:
        digits = resources.learning_digits(resources.learning_source(), view.threes, view.sevens)
        st.session_state[live_run.BOTH] = live_run.launch(train_both, config, *digits)
        st.session_state[OF] = config
    except DigitscopeError as error:
        st.session_state[REFUSED] = str(error)


def _said(now: "Look[Both]") -> None:
    error = now.error or st.session_state.get(REFUSED)
    if error:
        st.error(plain(error), icon=":material/error:")
    elif now.states:
        last = now.states[-1]
        differ = f"differ by **{last.difference:.1e}** at most"
        if not last.difference:
            differ = "are **the same** in both"
        elif last.difference < ROUNDING:
            differ += ": rounding, no more"
        st.markdown(f"After epoch {last.epoch} the 785 weights {differ}.")
    elif now.running:
        st.markdown("Starting …")
    else:
        st.markdown("Press **Train both**: two trainings, one curve.")
