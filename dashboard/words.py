"""Figures in words, and texts that are shown as they are."""

import re

from core.words import duration as duration
from core.words import listed as listed
from core.words import percent as percent


def plain(text: str) -> str:
    """A text that is shown as it is where Markdown is expected: a file's name must not become
    emphasis, a formula or a picture from elsewhere."""
    return re.sub(r"([\\`*_{}\[\]()#+.!|~<>:$&-])", r"\\\1", text)
