"""Figures in words, and texts of others as they are."""

import re

from core.paths import without_folders
from core.wording import duration, listed, percent

__all__ = ["duration", "listed", "percent", "plain"]


def plain(text: str) -> str:
    """A text that is shown as it is where Markdown is expected: a file's name must not become
    emphasis, a formula or a picture from elsewhere. Nor are the server's folders a visitor's business."""
    text = without_folders(text)
    return re.sub(r"([\\`*_{}\[\]()#+.!|~<>:$&-])", r"\\\1", text)
