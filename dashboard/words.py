"""Figures in words, and texts of others as they are."""

import re

from core.wording import duration, listed, percent

__all__ = ["duration", "listed", "percent", "plain"]


def plain(text: str) -> str:
    """A text that is shown as it is where Markdown is expected: a file's name must not become
    emphasis, a formula or a picture from elsewhere."""
    return re.sub(r"([\\`*_{}\[\]()#+.!|~<>:$&-])", r"\\\1", text)
