"""The training as it goes on: settings, weights forming from noise, curves, and the way back."""

import numpy as np
import streamlit as st

from core.course import ALL
from core.divergence import Trouble, trouble
from core.scratch import EpochState
from dashboard import resources
from dashboard.learn_link import BATCHES, COUNTS, NEWEST, RATES, change, link, mirror
from dashboard.parts import data_picker, learn_charts, live_run, weights
from dashboard.words import percent, plain

LOSSES = {"cross-entropy": "Cross-entropy", "distance": "Distance"}
STARTS = {"faint": "Faint noise", "normal": "Noise N(0, 1)", "zero": "All zero"}
EPOCHS = {n: str(n) for n in (5, 10, 20, 50, 100)}


def show() -> None:
    """The tab. It looks again by itself only while something trains."""
    running = live_run.mine().running
    st.fragment(_live, run_every=live_run.look_again() if running else None)(running)


def _live(running: bool) -> None:
    now = live_run.mine()
    if now.running != running:
        st.rerun()  # the whole page: it begins, or ceases, to look again by itself
    controls, picture, curves = st.container(key="learn-live").columns(3, gap="small")
    with controls.container(border=True, height="stretch", key="learn-controls"):
        _settings()
        with st.container(key="learn-buttons", horizontal=True):
            _buttons(now)
        with st.container(key="learn-said"):
            _said(now)
    with picture.container(border=True, height="stretch"):
        _scrubber(now)
        _weights(now)
    with curves.container(border=True, height="stretch"):
        learn_charts.curves(now.states, now.shown.epoch if now.shown else 0, _planned(now))


def _planned(now: live_run.Mine) -> int:
    return now.course.epochs if now.course else link().epochs


def _settings() -> None:
    st.select_slider(
        "Learning rate",
        help="How far a step goes. Too small: it takes for ever. Too large: it leaps over the valley.",
        **mirror("rate", {rate: f"{rate:g}" for rate in RATES}),
    )
    with st.container(horizontal=True):
        st.selectbox("Loss", width=140, **mirror("loss", LOSSES))
        st.selectbox("Start", width=140, **mirror("start", STARTS))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox("Digits a step", width=140, **mirror("batch", {n: f"{n:,}" for n in BATCHES}))
        with st.popover("More", icon=":material/tune:", width=140):
            names = {n: "all" if n == ALL else f"{n:,}" for n in COUNTS}
            st.selectbox("Epochs", **mirror("epochs", EPOCHS))
            st.selectbox("How many 3s to learn from", **mirror("threes", names))
            st.selectbox("How many 7s to learn from", **mirror("sevens", names))
            st.number_input("Seed", 0, 9999, **mirror("seed"))


def _buttons(now: live_run.Mine) -> None:
    shown = now.shown
    if now.running:
        st.button("Stop", icon=":material/stop:", type="primary", key="learn-stop", on_click=live_run.stop)
    else:
        st.button(
            "Train", icon=":material/play_arrow:", type="primary", key="learn-train", on_click=live_run.train
        )
    back = shown is not None and shown.epoch < now.newest
    st.button(
        f"Go on from epoch {shown.epoch}" if shown and back else "Resume",
        icon=":material/resume:",
        key="learn-resume",
        disabled=now.running or shown is None,
        on_click=live_run.resume,
        help="Goes on from the epoch shown, with the settings of now. Later epochs are forgotten.",
    )


def _said(now: live_run.Mine) -> None:
    """Where it stands, in a sentence or two."""
    if now.error:
        st.error(plain(now.error), icon=":material/error:")
        return
    found = _trouble(now)
    if found:
        st.warning(plain(found.words), icon=":material/trending_up:")
        return
    if now.running and not now.states:
        st.markdown("Starting …")
        return
    if not now.states:
        source = "MNIST's" if resources.mnist_at_hand() else "the bundled"
        st.markdown(f"Press **Train**: 784 weights and a bias learn to tell {source} 3s from 7s.")
        if not resources.mnist_at_hand():
            data_picker.offer_mnist()
        return
    last = now.states[-1]
    reads = f"**{percent(last.validation_accuracy, 2)}** of the validation digits are read rightly"
    if now.running:
        st.markdown(f"Epoch {last.epoch} of {_planned(now)}: {reads}.")
    elif last.epoch < _planned(now):
        st.markdown(f"Stopped after epoch {last.epoch}: {reads}.")
    else:
        st.markdown(f"Done after {last.epoch} epochs: {reads}. Slide back to see the weights form.")


def _trouble(now: live_run.Mine) -> Trouble | None:
    """Of the settings that it went on with last, since then: earlier ones are not their fault."""
    if now.course is None:
        return None
    legs = now.course.legs
    begin = legs[-2].epochs if len(legs) > 1 else 0
    return trouble(now.states[begin:], legs[-1])


def _scrubber(now: live_run.Mine) -> None:
    # Its right end is the newest epoch, whichever that is: a slider that moved along by itself would send
    # back places where nobody has put it.
    last = _planned(now)
    names = {epoch: str(epoch) for epoch in range(last)} | {NEWEST: "newest"}
    if link().epoch >= last:
        change(epoch=NEWEST)
    shown = f"{now.shown.epoch} of {last}" if now.shown else "none yet"
    st.select_slider(f"Epoch shown: {shown}", **mirror("epoch", names, suffix=str(last)))


def _weights(now: live_run.Mine) -> None:
    if now.shown is None:
        weights.none("The 784 weights appear here.")
        return
    top = _top(now.states)
    epoch = now.shown.epoch
    words = "Purple pixels speak for a 3, orange ones for a 7. One scale for all epochs."
    alt = f"The 784 weights after epoch {epoch}, as 28 by 28 squares; the largest of all epochs is {top:.2g}"
    weights.show(now.shown.weights.w, top=top, alt=alt, words=words)


def _top(states: tuple[EpochState, ...]) -> float:
    """The largest weight of all epochs, so that pictures can be compared."""
    found = [float(np.abs(state.weights.w).max()) for state in states]
    return max([one for one in found if np.isfinite(one)], default=1.0) or 1.0
