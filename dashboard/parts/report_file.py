"""A report before and after it is made: what will be in it, and the file to take away."""

from typing import TYPE_CHECKING

import streamlit as st

from core.report_options import SECTIONS, ReportOptions
from dashboard import reports

if TYPE_CHECKING:
    from core.report import Report

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


def download(report: "Report") -> None:
    """The button that hands it over."""
    st.download_button(
        f"Download ({report.size / 1e6:.2f} MB)",
        report.html,
        report.name,
        "text/html",
        icon=":material/download:",
        type="primary",
        on_click="ignore",
        width="stretch",
    )
    st.caption("One HTML file that asks no address for anything. For a PDF, open it and print.")


def outline(options: ReportOptions) -> None:
    """What will be in it, and what of that was not measured for the model."""
    missing = reports.not_measured(st.session_state.model)
    lines = [
        f"1. **{SECTIONS[section]}** {ABOUT[section]}"
        + (f". *Not measured for this model: {missing[section]}.*" if section in missing else "")
        for section in options.sections
    ]
    st.markdown("**What will be in it**\n\n" + "\n".join(lines))
