"""Report: everything that is known of the model, as one file for people who won't open a dashboard."""

from typing import TYPE_CHECKING

import streamlit as st

from core.errors import DigitscopeError
from core.report_options import MOST_COMMENT, MOST_TITLE, SECTIONS, ReportOptions
from dashboard import reports, resources
from dashboard.parts import data_picker, report_file
from dashboard.report_link import REPORT, choose
from dashboard.words import plain

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from core.report import Report
    from dashboard.background import Job

QUESTION = (
    "What would you hand to somebody who decides about this model? One file, to read, to print, to send."
)
HEIGHT = 720  # px, of the preview


def show() -> None:
    REPORT.arrive()
    st.title("Report", anchor=False)
    st.caption(QUESTION)
    _workspace()


@st.fragment
def _workspace() -> None:
    left, right = st.columns([4, 9], gap="medium")
    with left:
        options = _choices()
        if not resources.mnist_at_hand():
            st.caption("MNIST is not here: the report will rest on the digits that scikit-learn bundles.")
            data_picker.offer_mnist()
        action = st.empty()
    with right:
        bar, body = st.empty(), st.empty()
        if options is None:
            body.info("Choose at least one section.", icon=":material/checklist:")
            return
        # Asked first: what ends in between is finished then.
        job = reports.under_way(st.session_state.model, options.sections)
        report = reports.finished(st.session_state.model, options)
        if report is None:
            with body.container(border=True):
                report_file.outline(options)
            report = _asked(options, job, action, bar)
        if report is not None:
            with action.container():
                report_file.download(report)
            body.iframe(report.html, height=HEIGHT, alt="Preview of the report")


def _choices() -> ReportOptions | None:
    """What the report is asked for; None while no section is chosen."""
    st.session_state["report-sections"] = list(REPORT.view().chosen)
    st.pills(
        "Sections",
        list(SECTIONS),
        selection_mode="multi",
        format_func=SECTIONS.__getitem__,
        key="report-sections",
        on_change=_changed,
        wrap=True,
    )
    st.text_input(
        "Title", max_chars=MOST_TITLE, placeholder="By the model", **REPORT.mirror("title", empty="")
    )
    st.text_area(
        "Comment",
        max_chars=MOST_COMMENT,
        height=110,
        placeholder="Stands below the title",
        **REPORT.mirror("comment", empty=""),
    )
    view = REPORT.view()
    return ReportOptions(view.title, view.comment, view.chosen) if view.chosen else None


def _changed() -> None:
    choose(st.session_state["report-sections"])


def _asked(
    options: ReportOptions, job: "Job | None", action: "DeltaGenerator", bar: "DeltaGenerator"
) -> "Report | None":
    """The report where it is asked for, or is under way already: after a reload, on coming back."""
    if not job and not _button(action):
        return None
    report = _made(options, job, bar)
    if report is None and job:
        _button(action)
    return report


def _button(action: "DeltaGenerator") -> bool:
    return action.button(
        "Make the report", key="report-make", icon=":material/description:", type="primary", width="stretch"
    )


def _made(options: ReportOptions, job: "Job | None", bar: "DeltaGenerator") -> "Report | None":
    """Has it made, or follows how it is made; says what is wrong where it can't be made."""
    model = st.session_state.model
    try:
        job = job or reports.begin(model, options.sections)
        with bar.container():  # a promise to make when it has begun
            step = st.empty()
            st.caption("It goes on when you leave this page or load it anew.")
        reports.follow(job, lambda share, words: step.progress(min(1.0, share), plain(words)))
        report = reports.finished(model, options)
    except DigitscopeError as error:
        bar.error(plain(str(error)), icon=":material/error:")
        return None
    bar.empty()
    return report


show()
