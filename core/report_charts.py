"""A report's figures as inline SVG: shapes and words alone, no library to load and no address to ask.

Colours come from the page's style sheet by class, so that they follow light, dark and print. What a mark says
stands in its `<title>`, which browsers show without any script.
"""

import math
from collections.abc import Iterable

import numpy as np
from markupsafe import Markup

from core.abstention import OperatingPoint, RiskCoverage
from core.evaluation import RELIABILITY_BINS, Reliability
from core.wording import percent

LEFT, TOP, SIDE, BELOW = 58, 10, 240, 34  # of a reliability diagram: its corner, its square, the counts
MOST_POINTS = 300  # of a curve
SUREST = 0.999  # the curve ends where only these are answered, or at the marked threshold


def interval_mark(value: float, low: float, high: float, axis: tuple[float, float], words: str) -> Markup:
    """A dot with its interval on a common axis.

    Args:
        value, low, high: of the figure.
        axis: where the picture begins and ends, in the same unit.
        words: what it says.
    """
    start, end = axis
    x, left, right = (
        4 + 132 * _within((each - start) / ((end - start) or 1.0)) for each in (value, low, high)
    )
    return Markup(
        '<svg class="mark" viewBox="0 0 140 16" role="img" aria-label="{words}"><title>{words}</title>'
        '<line class="track" x1="4" x2="136" y1="8" y2="8"/>'
        '<line class="span" x1="{left:.1f}" x2="{right:.1f}" y1="8" y2="8"/>'
        '<circle class="dot" cx="{x:.1f}" cy="8" r="4"/></svg>'
    ).format(words=words, left=left, right=right, x=x)


def share_bar(share: float, words: str, *, loud: bool = True) -> Markup:
    """A share in [0, 1] as a bar."""
    return Markup(
        '<svg class="mark" viewBox="0 0 100 12" preserveAspectRatio="none" role="img" aria-label="{words}">'
        '<title>{words}</title><rect class="track" width="100" height="12" rx="2"/>'
        '<rect class="{kind}" width="{width:.1f}" height="12" rx="2"/></svg>'
    ).format(words=words, kind="loud" if loud else "quiet", width=100 * _within(share))


def reliability_chart(bins: Reliability, title: str, key: str) -> Markup:
    """Confidence against accuracy: bars of what was right, a line at how sure it was, and how many below.

    Args:
        bins: what is shown.
        title: of the picture.
        key: that no other picture of the page has.
    """
    each = zip(bins.counts.tolist(), bins.accuracy.tolist(), bins.confidence.tolist(), strict=True)
    most = max(1, int(bins.counts.max()))
    marks = [_bin(place, *values, most=most, key=key) for place, values in enumerate(each) if values[0]]
    filled = ", ".join(f"{n:,}" for n in bins.counts.tolist())
    quarters = [(share, _plain(share)) for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    return Markup(
        '<svg class="chart" viewBox="0 0 322 332" role="img" aria-label="{label}"><defs>'
        '<pattern id="{key}-stripes" width="5" height="5" patternUnits="userSpaceOnUse" '
        'patternTransform="rotate(45)"><line class="stripe" x1="0" x2="0" y1="0" y2="5"/></pattern></defs>'
        '{frame}<line class="even" x1="{left}" x2="{right}" y1="{bottom}" y2="{top}"/>{marks}'
        '<text class="name" x="{middle}" y="327" text-anchor="middle">how sure it was</text>'
        '<text class="name" transform="translate(13 {half}) rotate(-90)" text-anchor="middle">'
        "of these right</text></svg>"
    ).format(
        label=f"Reliability diagram, {title}. Digits in 15 bins from 0 to 100 % sure: {filled}.",
        frame=_frame(LEFT, TOP, SIDE, SIDE, quarters, quarters),
        key=key,
        left=LEFT,
        right=LEFT + SIDE,
        bottom=TOP + SIDE,
        top=TOP,
        marks=Markup("").join(marks),
        middle=LEFT + SIDE / 2,
        half=TOP + SIDE / 2,
    )


def _bin(place: int, n: int, right: float, sure: float, *, most: int, key: str) -> Markup:
    """One bin: its accuracy, the gap to its confidence, and how many it holds, as a logarithm."""
    width, count = SIDE / RELIABILITY_BINS, BELOW * math.log1p(n) / math.log1p(most)
    x, bottom = LEFT + place * width, TOP + SIDE
    low, high = (100 * edge / RELIABILITY_BINS for edge in (place, place + 1))
    words = (
        f"{low:.0f} to {high:.0f} % sure: {n:,} digit{'' if n == 1 else 's'}, {percent(right)} right, "
        f"{percent(sure)} sure on average"
    )
    return Markup(
        '<g><title>{words}</title><rect class="hit" x="{x:.1f}" y="{top}" width="{whole:.1f}" '
        'height="{side}"/>'
        '<rect class="bar" x="{at:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"/>'
        '<rect class="gap" fill="url(#{key}-stripes)" x="{at:.1f}" y="{gap_y:.1f}" width="{width:.1f}" '
        'height="{gap:.1f}"/><line class="sure" x1="{at:.1f}" x2="{end:.1f}" y1="{level:.1f}" '
        'y2="{level:.1f}"/>'
        '<rect class="count" x="{at:.1f}" y="{count_y:.1f}" width="{width:.1f}" height="{count:.1f}"/></g>'
    ).format(
        words=words,
        x=x,
        top=TOP,
        whole=width,
        side=SIDE,
        at=x + 1,
        width=width - 2,
        y=bottom - SIDE * right,
        height=SIDE * right,
        key=key,
        gap_y=bottom - SIDE * max(right, sure),
        gap=SIDE * abs(right - sure),
        end=x + width - 1,
        level=bottom - SIDE * sure,
        count_y=bottom + BELOW + 24 - count,
        count=count,
    )


class RefusingChart:
    """What refusing buys: the share of right answers against the share that is refused.

    Args:
        curve: every threshold.
        marked: thresholds that must lie in the picture.
    """

    LEFT, TOP, WIDTH, HEIGHT = 74, 12, 380, 230

    def __init__(self, curve: RiskCoverage, marked: Iterable[OperatingPoint]):
        self._curve = curve
        last = curve.at(min(SUREST, float(curve.thresholds[-1])))
        most = max(1 - point.coverage for point in (last, *marked))
        self._refused = max(most, 1e-4) * 1.04
        inside = 1 - curve.coverage <= self._refused
        self._risk = max(1e-4, float(curve.risk[inside].max(initial=0))) * 1.12

    def place(self, point: OperatingPoint) -> tuple[float, float]:
        """Where a threshold lies in the picture; at the right edge or above it where it is beyond."""
        risk = point.errors / point.answered if point.answered else 0.0
        x = self.LEFT + self.WIDTH * _within((1 - point.coverage) / self._refused)
        return x, self.TOP + self.HEIGHT * _within(risk / self._risk)

    def draw(self, saved: OperatingPoint | None) -> Markup:
        """The picture, with the saved threshold and a mark that the page's slider moves."""
        shown = np.unique(np.linspace(0, len(self._curve.thresholds) - 1, MOST_POINTS).round().astype(int))
        points = [self._curve.at(float(self._curve.thresholds[place])) for place in shown]
        inside = [point for point in points if 1 - point.coverage <= self._refused]
        # The curve is a staircase of thresholds: between two of them there is none.
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(self.place, inside))
        here = saved or self._curve.at(0.0)
        x, y = self.place(here)
        xs = [(t / self._refused, _plain(t)) for t in _ticks(self._refused)]
        ys = [(1 - t / self._risk, _plain(1 - t)) for t in _ticks(self._risk)]
        label = f"Right answers against refused digits. {here.words} {self._curve.at(0.0).words}"
        ring = Markup('<circle class="ring" cx="{:.1f}" cy="{:.1f}" r="11"/>').format(x, y)
        return Markup(
            '<svg class="chart wide" id="refusing-chart" viewBox="0 0 470 292" role="img" '
            'aria-label="{label}">{frame}<polyline class="curve" points="{path}"/>{ring}'
            '<circle class="dot" id="refusing-dot" cx="{x:.1f}" cy="{y:.1f}" r="6"><title>{words}</title>'
            '</circle><text class="name" x="264" y="286" text-anchor="middle">refused</text>'
            '<text class="name" transform="translate(13 127) rotate(-90)" text-anchor="middle">'
            "of the answers right</text></svg>"
        ).format(
            label=label,
            path=path,
            x=x,
            y=y,
            words=here.words,
            frame=_frame(self.LEFT, self.TOP, self.WIDTH, self.HEIGHT, xs, ys),
            ring=ring if saved else "",
        )


def _frame(
    left: float,
    top: float,
    width: float,
    height: float,
    xs: list[tuple[float, str]],
    ys: list[tuple[float, str]],
) -> Markup:
    """Grid lines with their numbers; places as shares of the picture, from the left and from below."""
    right, bottom = left + width, top + height
    lines = [(left + width * at, left + width * at, top, bottom) for at, _ in xs]
    lines += [(left, right, bottom - height * at, bottom - height * at) for at, _ in ys]
    texts = [(left + width * at, bottom + 17, "middle", words) for at, words in xs]
    texts += [(left - 6, bottom - height * at + 4, "end", words) for at, words in ys]
    line = Markup('<line class="grid" x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}"/>')
    text = Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>')
    return Markup("").join([*(line.format(*each) for each in lines), *(text.format(*each) for each in texts)])


def _ticks(end: float, wanted: int = 5) -> list[float]:
    """Round numbers from 0 to an end."""
    rough = end / wanted
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * each for each in (1, 2, 5, 10) if power * each >= rough)
    return [step * place for place in range(int(end / step + 1e-9) + 1)]


def _plain(share: float) -> str:
    """A percentage with as many decimals as it needs."""
    return f"{100 * share:.6f}".rstrip("0").rstrip(".") + "\u00a0%"


def _within(share: float) -> float:
    return min(1.0, max(0.0, share))
