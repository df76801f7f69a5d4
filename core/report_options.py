"""What a report is asked for: its sections, its title, a comment."""

from dataclasses import dataclass

from core.errors import ReportError

# In the order of the report.
SECTIONS = {
    "claim": "The claim",
    "classes": "Digit by digit",
    "errors": "The worst errors",
    "reliability": "Is its confidence right?",
    "refusing": "The price of refusing",
    "unusual": "Unusual inputs",
    "faithfulness": "Can the explanations be believed?",
    "limits": "Limits",
    "provenance": "Where this comes from",
}
MOST_TITLE, MOST_COMMENT = 120, 2000  # characters


@dataclass(frozen=True)
class ReportOptions:
    """The choices that a reader of the report sees.

    Attributes:
        title: the heading; empty for one that names the model.
        comment: what the author wants to say, in plain text; line breaks stay.
        sections: keys of `SECTIONS`; they come in its order.

    Raises:
        ReportError: no section, an unknown one, or a text that is too long.
    """

    title: str = ""
    comment: str = ""
    sections: tuple[str, ...] = tuple(SECTIONS)

    def __post_init__(self) -> None:
        if unknown := [name for name in self.sections if name not in SECTIONS]:
            raise ReportError(f"No section {unknown[0]!r}. Choose among {', '.join(SECTIONS)}.")
        if not self.sections:
            raise ReportError(f"The report has no section. Choose at least one of {', '.join(SECTIONS)}.")
        for what, text, most in (("title", self.title, MOST_TITLE), ("comment", self.comment, MOST_COMMENT)):
            if len(text) > most:
                raise ReportError(f"The {what} has {len(text):,} characters. Shorten it to {most:,}.")

    def has(self, section: str) -> bool:
        """Whether a section was chosen."""
        return section in self.sections

    @property
    def ordered(self) -> tuple[str, ...]:
        """The sections in the report's order, each once."""
        return tuple(name for name in SECTIONS if name in self.sections)
