"""Learn: how does a model learn? The 3-or-7 classifier, from nothing."""

import streamlit as st

from dashboard.learn_link import arrive, link, mirror
from dashboard.parts import live_run, many, one_digit, parabola, side_by_side, train_live

TABS = {
    "train": "Train",
    "digit": "Digit",
    "parabola": "Parabola",
    "torch": "PyTorch",
    "many": "Pictures",
}
QUESTIONS = {
    "train": "How does a model learn? 785 numbers, from noise to telling a 3 from a 7, epoch by epoch.",
    "digit": "What does the model do with a digit? Pixels × weights, summed up, squashed into a probability.",
    "parabola": "What is gradient descent? The way down a valley, with two numbers instead of 785.",
    "torch": "Does it take a framework? The same training twice: every step written out, and with PyTorch.",
    "many": "What does the model read in many pictures? A table of up to 200, yours or samples.",
}
SHOW = {
    "train": train_live.show,
    "digit": one_digit.show,
    "parabola": parabola.show,
    "torch": side_by_side.show,
    "many": many.show,
}


def show() -> None:
    arrive()
    live_run.follow_link()
    st.title("Learn", anchor=False)
    st.segmented_control(
        "What to look at",
        required=True,
        label_visibility="collapsed",
        **mirror("tab", TABS),
    )
    st.caption(QUESTIONS[link().tab])
    SHOW[link().tab]()


show()
