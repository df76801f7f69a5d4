"""What the Confidence page shows, kept in its link."""

from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from core.abstention import Costs
from core.evaluation import RELIABILITY_BINS
from dashboard.page_link import PageLink

LOOKS = ("calibration", "refusing", "smoothing")
MOST_COST = 1e6
LARGEST = 10**9  # pages


@dataclass(frozen=True, kw_only=True)
class ConfidenceLink:
    """Every control of the page.

    `below` is in per cent; None is the threshold that is saved with the checkpoint.
    """

    data: str = ""
    look: str = field(default="calibration", metadata={"among": LOOKS})
    stage: str = field(default="after", metadata={"among": ("before", "after")})
    bin: int = field(default=RELIABILITY_BINS - 1, metadata={"among": tuple(range(RELIABILITY_BINS))})
    page: int = 1
    below: float | None = None
    error: float = Costs().error
    refusal: float = Costs().refusal


def _read(name: str, text: str) -> Any:
    try:
        if name in ("bin", "page"):
            return int(text) if (name == "bin" or 1 <= int(text) <= LARGEST) else None
        if name in ("below", "error", "refusal"):
            least, most = (0.0, 100.0) if name == "below" else (1 / MOST_COST, MOST_COST)
            value = float(text)
            return value if isfinite(value) and least <= value <= most else None
    except ValueError:
        return None
    return text


CONFIDENCE = PageLink("confidence", ConfidenceLink, _read)
