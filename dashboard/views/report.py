"""Report: everything that is known of the model, as one file for people who won't open a dashboard."""

import streamlit as st

from core.errors import DigitscopeError
from core.report_options import MOST_COMMENT, MOST_TITLE, SECTIONS, ReportOptions
from dashboard import reports
from dashboard.report_link import REPORT, choose
from dashboard.words import plain

QUESTION = "What would you hand to somebody who decides about this model? One file, to read, to print, to send."
ABOUT = {
    "claim": "how good it is, in one sentence with its interval",
    "classes": "every digit’s figures, and which is taken for which",
    "errors": "the digits that it misreads most surely, with where it looked",
    "reliability": "confidence against accuracy, before and after the temperature",
    "refusing": "how many errors a threshold avoids, and how many answers it costs",
    "unusual": "how sure it is where no digit is, and whether the verdict notices",
    "faithfulness": "how far each attribution method can be believed",
    "limits": "where the model and the report end, in plain words",
    "provenance": "checkpoint, data split, seeds, versions, date",
}
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
        actions = st.container()
    with right:
        _preview(options, actions)


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
    st.text_input("Title", max_chars=MOST_TITLE, placeholder="By the model", **REPORT.mirror("title", empty=""))
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


def _preview(options: ReportOptions | None, actions) -> None:  # type: ignore[no-untyped-def]
    if options is None:
        st.info("Choose at least one section.", icon=":material/checklist:")
        return
    report = reports.finished(st.session_state.model, options)
    if report is None and actions.button(
        "Make the report", icon=":material/description:", type="primary", width="stretch"
    ):
        report = _made(options)
    if report is None:
        _outline(options)
        return
    actions.download_button(
        f"Download ({report.size / 1e6:.2f} MB)",
        report.html,
        report.name,
        "text/html",
        icon=":material/download:",
        type="primary",
        on_click="ignore",
        width="stretch",
    )
    actions.caption("One HTML file that asks no address for anything. For a PDF, open it and print.")
    st.iframe(report.html, height=HEIGHT, alt="Preview of the report")


def _made(options: ReportOptions):  # type: ignore[no-untyped-def]
    model, bar = st.session_state.model, st.empty()
    bar.progress(0.0, "Loading what explains and measures …")
    try:
        reports.gather(model, options.sections, lambda share, words: bar.progress(min(1.0, share), plain(words)))
        return reports.finished(model, options)
    except DigitscopeError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return None
    finally:
        bar.empty()


def _outline(options: ReportOptions) -> None:
    """What will be in it."""
    missing = reports.not_measured(st.session_state.model)
    with st.container(border=True):
        st.markdown("**What will be in it**")
        for section in options.sections:
            words = f"{SECTIONS[section]}: {ABOUT[section]}"
            words += f" (**not measured** for this model: {missing[section]})" if section in missing else ""
            st.markdown(f"1. {words}")


show()
