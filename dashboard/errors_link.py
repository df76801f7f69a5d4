"""What the Errors page shows, kept in its link."""

from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from core.selection import ORDERS
from dashboard.page_link import PageLink

LENSES = ("matrix", "confusions", "digits", "map", "compare")
PER_PAGE = (24, 48, 96, 200)
CONDITIONS = ("true", "read", "low", "high", "labels", "note", "area", "change")
LARGEST = 10**12  # no data set has as many digits
Area = tuple[tuple[float, float], ...]


@dataclass(frozen=True, kw_only=True)
class ErrorsLink:
    """Every control of the page; None and "" choose nothing."""

    data: str = ""
    lens: str = field(default="matrix", metadata={"among": LENSES})
    true: int | None = None
    read: int | None = None
    shown: str = field(default="wrong", metadata={"among": ("wrong", "right", "all")})
    low: int = 0
    high: int = 100
    order: str = field(default="loss", metadata={"among": tuple(ORDERS)})
    page: int = 1
    per: int = field(default=48, metadata={"among": PER_PAGE})
    cam: bool = False
    labels: str = field(default="all", metadata={"among": ("all", "doubtful", "certain")})
    note: str = ""
    area: Area = ()
    scale: str = field(default="log", metadata={"among": ("log", "share")})
    hits: bool = False
    other: str = ""
    change: str = field(default="", metadata={"among": ("", "fixed", "newly_wrong", "both_wrong")})
    digit: int | None = None

    @property
    def filtered(self) -> bool:
        """Whether anything narrows the gallery beyond right or wrong."""
        usual = ErrorsLink()
        return any(getattr(self, name) != getattr(usual, name) for name in CONDITIONS)


def _read(name: str, text: str) -> Any:
    try:
        if name == "area":
            pairs = tuple(tuple(map(float, pair.split(","))) for pair in text.split("_"))
            sound = len(pairs) > 2 and all(len(pair) == 2 and all(map(isfinite, pair)) for pair in pairs)
            return pairs if sound else None
        if name in ("cam", "hits"):
            return {"1": True, "0": False}.get(text)
        if name in ("low", "high"):
            return min(100, max(0, int(text)))
        if name in ("true", "read", "digit", "page", "per"):
            return int(text) if (1 if name == "page" else 0) <= int(text) <= LARGEST else None
    except ValueError:
        return None
    return text


ERRORS = PageLink(
    "errors",
    ErrorsLink,
    _read,
    of_data={"digit": None, "area": (), "note": "", "change": ""},
    of_new_data={"true": None, "read": None},
)
link, arrive, change, mirror = ERRORS.view, ERRORS.arrive, ERRORS.change, ERRORS.mirror
