"""Gradient descent with two numbers: a curve through points, and the valley of its loss."""

import streamlit as st

from core.parabola import Descent, Heights, Surface, descend, surface, thrown
from dashboard.learn_link import LearnLink, link, mirror
from dashboard.parts import learn_charts

SEED, STEPS = 7, 60
RATES = LearnLink.__dataclass_fields__["prate"].metadata["among"]


@st.fragment
def show() -> None:
    """The tab."""
    heights, ground = _measured()
    way = descend(heights, rate=link().prate, steps=STEPS)
    step = min(link().pstep, len(way.path) - 1)
    left, right = st.columns(2, gap="medium")  # both sliders first: on a phone, too, what they do is below
    with left:
        names = {rate: f"{rate:g}" for rate in RATES}
        st.select_slider("Learning rate", **mirror("prate", names))
    with right:
        st.slider("Steps", 0, STEPS, **mirror("pstep"))
    with st.container(key="learn-parabola-said"):
        _say(way, step)
    v, a = way.path[step]
    left, right = st.columns(2, gap="small")
    with left.container(border=True):
        st.markdown("**A thrown ball: height = v·t − a·t²**")
        learn_charts.thrown(heights, float(v), float(a))
    with right.container(border=True):
        st.markdown("**The loss of every v and a**, dark where it is low")
        learn_charts.valley(ground, way, step)


@st.cache_resource(show_spinner=False, max_entries=1)
def _measured() -> tuple[Heights, Surface]:
    heights = thrown(SEED)
    return heights, surface(heights)


def _say(way: Descent, step: int) -> None:
    v, a = way.path[step]
    where = f"Step {step}: v = {v:.2f}, a = {a:.2f}, loss {way.losses[step]:.3g} m². "
    if way.diverged:
        st.warning(
            where
            + f"This rate diverges: above {way.limit:.3f} every step leaps further over the valley than "
            "it was away from it.",
            icon=":material/trending_up:",
        )
        return
    best = f"The lowest place, marked ×, is v = {way.best[0]:.2f}, a = {way.best[1]:.2f}."
    st.info(where + best, icon=":material/south_east:")
