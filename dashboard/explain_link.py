"""What the Explain page shows, kept in its link."""

from dataclasses import dataclass, field
from typing import Any

from core.methods import BASELINES, DEFAULT_LAYER, DEFAULTS, METHODS, Options
from dashboard.page_link import PageLink

LOOKS = ("methods", "believe", "whatif", "turn", "inside")
SOURCES = ("data", "draw", "file", "camera")
LAYERS = ("block1", "block2", "block3", "block4")
STEPS, WINDOWS, STRIDES = (8, 16, 32, 64, 128, 256), (2, 3, 4, 5, 7, 9), (1, 2, 4)
LARGEST = 10**12
SIGNED = ("turn", "right", "down")
COUNTS = ("steps", "window", "stride", "thicker", "size", "channel", "page")
WHOLE = ("index", "target", "against", "into", *COUNTS, *SIGNED)


@dataclass(frozen=True, kw_only=True)
class ExplainLink:
    """Every control of the page; None and "" choose nothing.

    `of` names the digit that the edit (`gone` to `down`) is of: to another digit it does not apply. Of what
    is drawn, `kinds` says what is ink (`i`) and what is paper (`p`).
    """

    look: str = field(default="methods", metadata={"among": LOOKS})
    source: str = field(default="data", metadata={"among": SOURCES})
    data: str = ""
    index: int = 0
    target: int | None = field(default=None, metadata={"among": tuple(range(10))})
    against: int | None = field(default=None, metadata={"among": tuple(range(10))})
    layer: str = field(default=DEFAULT_LAYER, metadata={"among": LAYERS})
    steps: int = field(default=DEFAULTS.steps, metadata={"among": STEPS})
    baseline: str = field(default=DEFAULTS.baseline, metadata={"among": tuple(BASELINES)})
    window: int = field(default=DEFAULTS.window, metadata={"among": WINDOWS})
    stride: int = field(default=DEFAULTS.stride, metadata={"among": STRIDES})
    scale: str = field(default="shared", metadata={"among": ("shared", "own")})
    of: str = ""
    gone: str = ""
    drawn: str = ""
    kinds: str = ""
    tool: str = field(default="paint", metadata={"among": ("paint", "erase")})
    thicker: int = field(default=0, metadata={"among": tuple(range(9))})
    turn: int = field(default=0, metadata={"among": tuple(range(-180, 181))})
    size: int = field(default=100, metadata={"among": tuple(range(50, 141))})
    right: int = field(default=0, metadata={"among": tuple(range(-10, 11))})
    down: int = field(default=0, metadata={"among": tuple(range(-10, 11))})
    into: int | None = field(default=None, metadata={"among": tuple(range(10))})
    block: str = field(default="block1", metadata={"among": LAYERS})
    channel: int | None = None
    method: str = field(default="", metadata={"among": ("", *METHODS)})
    page: int = 1

    @property
    def options(self) -> Options:
        """What the methods are told."""
        return Options(self.steps, self.baseline, self.window, min(self.stride, self.window))


def _read(name: str, text: str) -> Any:
    if name not in WHOLE:
        return text
    try:
        least = {"page": 1} | dict.fromkeys(SIGNED, -LARGEST)
        return int(text) if least.get(name, 0) <= int(text) <= LARGEST else None
    except ValueError:
        return None


EXPLAIN = PageLink("explain", ExplainLink, _read, of_data={"index": 0, "target": None, "against": None})
link, arrive, change, mirror = EXPLAIN.view, EXPLAIN.arrive, EXPLAIN.change, EXPLAIN.mirror
