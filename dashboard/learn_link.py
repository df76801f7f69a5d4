"""What the Learn page shows, kept in its link."""

from dataclasses import dataclass, field
from typing import Any

from core.config import LOSSES, STARTS
from core.course import ALL
from dashboard.page_link import PageLink
from dashboard.pages import LEARN

TABS = ("train", "digit", "parabola", "torch", "many")
RATES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
BATCHES = (16, 64, 256, 1024, 4096)
COUNTS = (0, 1, 10, 100, 1000, ALL)
NEWEST = -1


@dataclass(frozen=True, kw_only=True)
class LearnLink:
    """Every control of the page.

    `run` is the course that the session's training follows (`core.course`), so that a link or a reload
    trains it again; `epoch` is the one that is looked at.
    """

    tab: str = field(default="train", metadata={"among": TABS})
    rate: float = field(default=0.1, metadata={"among": RATES})
    batch: int = field(default=64, metadata={"among": BATCHES})
    loss: str = field(default="cross-entropy", metadata={"among": LOSSES})
    start: str = field(default="faint", metadata={"among": STARTS})
    epochs: int = field(default=20, metadata={"among": (5, 10, 20, 50, 100)})
    seed: int = field(default=23, metadata={"most": 9999})
    threes: int = field(default=ALL, metadata={"among": COUNTS})
    sevens: int = field(default=ALL, metadata={"among": COUNTS})
    run: str = ""
    epoch: int = field(default=NEWEST, metadata={"most": 10**6})
    both: int = field(default=0, metadata={"among": (0, 1)})
    weights: str = field(default="shipped", metadata={"among": ("shipped", "mine")})
    example: int = field(default=0, metadata={"most": 10**6})
    prate: float = field(default=0.1, metadata={"among": (0.003, 0.01, 0.03, 0.1, 0.2, 0.25, 0.3, 0.4)})
    pstep: int = field(default=15, metadata={"most": 60})
    pictures: str = field(default="samples", metadata={"among": ("samples", "files")})
    first: int = field(default=0, metadata={"most": 10**6})


def _read(name: str, text: str) -> Any:
    usual = LearnLink.__dataclass_fields__[name]
    if isinstance(usual.default, str):
        return text
    try:
        value = type(usual.default)(text)
    except ValueError:
        return None
    most = usual.metadata.get("most")
    return value if most is None or usual.default == value or 0 <= value <= most else None


LINK = PageLink(LEARN.path, LearnLink, _read)
link, arrive, change, mirror = LINK.view, LINK.arrive, LINK.change, LINK.mirror
