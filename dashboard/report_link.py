"""What the Report page is asked for, kept in its link."""

from dataclasses import dataclass
from typing import Any

from core.report_options import MOST_COMMENT, MOST_TITLE, SECTIONS
from dashboard.page_link import PageLink

NONE = "none"


@dataclass(frozen=True, kw_only=True)
class ReportLink:
    """Every control of the page. `sections` are joined by dots; empty means all."""

    title: str = ""
    comment: str = ""
    sections: str = ""

    @property
    def chosen(self) -> tuple[str, ...]:
        """The sections in the report's order."""
        names = self.sections.split(".") if self.sections else SECTIONS
        return tuple(name for name in SECTIONS if name in names)


def _read(name: str, text: str) -> Any:
    if name == "sections":
        known = [part for part in text.split(".") if part in SECTIONS]
        return ".".join(known) if known or text != NONE else NONE
    return text[: {"title": MOST_TITLE, "comment": MOST_COMMENT}[name]]


REPORT = PageLink("report", ReportLink, _read)


def choose(sections: list[str]) -> None:
    """Puts a choice of sections into the link."""
    whole = set(sections) == set(SECTIONS)
    REPORT.change(sections="" if whole else ".".join(sections) or NONE)
