"""What the Story page shows, kept in its link."""

from dataclasses import dataclass
from typing import Any

from core.story import MOST_STEPS
from dashboard.page_link import PageLink


@dataclass(frozen=True, kw_only=True)
class StoryLink:
    """Which story ("" is the built-in one), and which step is presented, from 1; 0 is the page itself.

    Attributes:
        true, read: the cell of the confusion matrix whose digits are shown, None for any.
    """

    story: str = ""
    step: int = 0
    true: int | None = None
    read: int | None = None
    page: int = 1


def _read(name: str, text: str) -> Any:
    if name == "story":
        return text
    try:
        return int(text) if 0 <= int(text) <= (9 if name in ("true", "read") else MOST_STEPS) else None
    except ValueError:
        return None


STORY = PageLink("story", StoryLink, _read, of_data={"step": 0})
