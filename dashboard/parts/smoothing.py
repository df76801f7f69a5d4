"""The lesson of label smoothing: a network that was taught never to be sure, beside the shipped one."""

import streamlit as st

from core.errors import TrainingError
from core.smoothing import Lesson
from core.table import EvaluationTable
from dashboard import answers, resources
from dashboard.parts import pick
from dashboard.parts.reliability import KEY, bins_data, figures
from dashboard.words import percent, plain


def show(table: EvaluationTable) -> None:
    """The same diagram for the network with label smoothing and for this one, and what it says."""
    try:
        lesson = answers.lesson()
    except TrainingError as error:
        st.error(plain(str(error)), icon=":material/menu_book:")
        return
    st.markdown(sentence(lesson))
    model = st.session_state.model
    found = answers.answers(model, table)
    own = "before" if "before" in found.confidence else "after"
    shown = (
        (f"Label smoothing {lesson.label_smoothing:g}", lesson.bins["before"]),
        (f"The same with T = {lesson.temperature:.3f}", lesson.bins["after"]),
        (f"{model}, as it was trained", found.reliability(own)),
    )
    for column, (heading, bins) in zip(st.columns(3, gap="medium"), shown, strict=True):
        with column:
            pick.bins(bins_data(bins, heading, still=True), key=f"smoothing-{heading}", pick=lambda _: None)
    st.caption(KEY)
    calibrations = answers.calibrations(model, table)
    names = (shown[0][0], shown[1][0], shown[2][0])
    measured = (lesson.calibration["before"], lesson.calibration["after"], calibrations[own])
    st.html(figures(dict(zip(names, measured, strict=True))))
    st.caption(provenance(lesson, table.about.dataset, calibrations[own].n))


def sentence(lesson: Lesson) -> str:
    """What label smoothing did, in a line of Markdown."""
    short = 100 * (lesson.accuracy - lesson.confidence)
    return (
        "Label smoothing teaches a network never to be sure: this one is right "
        f"**{percent(lesson.accuracy)}** "
        f"of the time and only **{percent(lesson.confidence)}** sure on average, "
        f"**{short:.1f} points under** "
        f"what it could promise (ECE {percent(lesson.calibration['before'].ece.value, 2)}). One number mends "
        f"it: a temperature of {lesson.temperature:.3f} brings the error to "
        f"{percent(lesson.calibration['after'].ece.value, 2)}."
    )


def provenance(lesson: Lesson, dataset: str, n: int) -> str:
    """Which networks these are, and on which digits."""
    text = (
        f"The network with label smoothing: recipe {lesson.recipe}, seed {lesson.seed}, "
        f"{lesson.epochs} epochs, "
        f"on the {lesson.calibration['before'].n:,} digits of {lesson.dataset}, its temperature fitted on "
        f"mnist-validation. The model beside it: on {n:,} digits of {plain(dataset)}."
    )
    full = [run for kind in resources.training_results() for run in kind.runs if kind.recipe == lesson.recipe]
    for run in full:
        if run["flags"].get("label_smoothing") == lesson.label_smoothing:
            ece = run["metrics"]["mnist-test"]["ece"]
            text += (
                f" The recorded run of all {run['flags']['epochs']} epochs has an ECE of {percent(ece, 2)}."
            )
    return text
