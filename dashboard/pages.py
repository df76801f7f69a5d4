"""Which pages there are, in the order a visitor meets them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Page:
    """A page: `views/<path>.py`, shown at `/<path>` (the first one at `/`)."""

    path: str
    title: str
    icon: str


LEARN = Page("learn", "Learn", ":material/school:")
PAGES = (
    Page("overview", "Overview", ":material/home:"),
    Page("draw", "Draw", ":material/draw:"),
    Page("errors", "Errors", ":material/grid_on:"),
    Page("confidence", "Confidence", ":material/verified:"),
    Page("unusual", "Unusual inputs", ":material/question_mark:"),
    Page("explain", "Explain", ":material/lightbulb:"),
    LEARN,
    Page("report", "Report", ":material/description:"),
    Page("story", "Story", ":material/co_present:"),
    Page("card", "Model card", ":material/badge:"),
)
