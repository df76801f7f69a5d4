"""The report's template, style and script, as they lie beside the code."""

from functools import cache
from pathlib import Path

TEMPLATES = Path(__file__).parent / "templates"
STYLE, SCRIPT = "report.css", "report.js"


@cache
def source(name: str) -> str:
    """The text of one of them."""
    return (TEMPLATES / name).read_text(encoding="utf-8")
