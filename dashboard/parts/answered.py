"""The answer in the Draw page's card: the digit or the digits, how sure, and whether to believe it."""

import base64
from collections.abc import Sequence
from html import escape

import numpy as np

from core.predictor import Prediction, Predictor
from dashboard.parts.charts import QUIET
from dashboard.words import percent

BINS = 36
BEYOND = 2.0  # the strip ends at so many times the limit
WIDTH, HEIGHT = 240, 34  # px of the strip's own
MARK = "#d55e00"
ENDINGS = {1: "st", 2: "nd", 3: "rd"}


def nothing(heading: str, advice: str) -> str:
    """Where there is no digit yet."""
    return (
        f'<div class="answer" role="status"><div class="words"><strong>{escape(heading)}</strong>'
        f'<span class="quiet">{escape(advice)}</span></div></div>'
    )


def one(found: Prediction, predictor: Predictor) -> str:
    """One digit: what it is, how sure, what is next, and the verdict."""
    second = found.classes[found.probabilities.argsort()[-2]]
    return (
        f'<div class="answer" role="status"><div class="digit">{found.digit}</div><div class="words">'
        f'<span class="sure"><strong>{percent(found.confidence)}</strong> sure</span>'
        f'<span class="quiet">next: {second} at {percent(found.of(second))}</span>'
        f"{_verdict(found, predictor)}</div></div>"
    )


def several(found: Sequence[Prediction], chosen: int) -> str:
    """Digits beside each other, each with its own confidence; the chosen one is what the rest shows."""
    figures = "".join(_figure(each, place == chosen) for place, each in enumerate(found))
    read = " ".join(str(each.digit) for each in found)
    doubts = [
        f"the {place}{ENDINGS.get(place, 'th')}: {each.verdict.words}"
        for place, each in enumerate(found, start=1)
        if each.verdict and each.verdict.kind != "digit"
    ]
    words = "; ".join(doubts) if doubts else "each looks like a digit"
    return (
        f'<div class="answer several" role="status" aria-label="{len(found)} digits: {read}">'
        f'<div class="row">{figures}</div><div class="words"><strong>{len(found)} digits: {read}</strong>'
        f'<span class="quiet">{escape(words[0].upper() + words[1:])}.</span></div></div>'
    )


def _figure(found: Prediction, chosen: bool) -> str:
    kind, words = (found.verdict.kind, found.verdict.words) if found.verdict else ("digit", "")
    marks = f"each is-{kind}{' chosen' if chosen else ''}"
    return (
        f'<div class="{marks}" title="{escape(words)}"><div class="digit">{found.digit}</div>'
        f"{percent(found.confidence, 0 if found.confidence < 0.995 else 1)}</div>"
    )


def _verdict(found: Prediction, predictor: Predictor) -> str:
    if not (found.verdict and predictor.detector and found.unusualness is not None):
        return ""
    share = predictor.detector.share_below(found.unusualness)
    words = found.verdict.words
    than = percent(share, 0 if share < 0.99 else 1)
    return (
        f'<span class="verdict is-{found.verdict.kind}">{words[0].upper()}{words[1:]}.</span>'
        f'<span class="quiet">More unusual than {than} of real digits.</span>'
        + strip(predictor, found.unusualness)
    )


def strip(predictor: Predictor, score: float) -> str:
    """Where a score lies among those of real digits: their distribution, the limit, and a mark."""
    detector, limit = predictor.detector, predictor.card.verdict.get("unusual_above")
    if detector is None or limit is None:
        return ""
    edges = np.linspace(0, np.sqrt(BEYOND * limit), BINS + 1) ** 2  # scores grow with the square
    shares = detector.spread(edges)
    heights = (HEIGHT - 8) * np.sqrt(shares / shares.max())
    wide = WIDTH / BINS
    bars = "".join(
        f'<rect x="{place * wide:.1f}" y="{HEIGHT - 4 - high:.1f}" '
        f'width="{wide - 1:.1f}" height="{high:.1f}"/>'
        for place, high in enumerate(heights.tolist())
        if high
    )
    at, border = (WIDTH * float(np.sqrt(min(1.0, each / edges[-1]))) for each in (score, limit))
    words = f"Unusualness {score:.1f}; most real digits lie on the left, the limit is {limit:.1f}"
    drawing = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-6 0 {WIDTH + 12} {HEIGHT}">'
        f'<g fill="{QUIET}">{bars}</g>'
        f'<line x1="{border:.1f}" x2="{border:.1f}" y1="2" y2="{HEIGHT - 3}" stroke="{QUIET}" '
        'stroke-width="2" stroke-dasharray="2 3"/>'
        f'<path d="M {at - 6:.1f} {HEIGHT} L {at + 6:.1f} {HEIGHT} L {at:.1f} {HEIGHT - 11} Z" '
        f'fill="{MARK}"/></svg>'
    )
    source = base64.b64encode(drawing.encode()).decode()  # an <svg> itself would not pass Streamlit's filter
    return f'<img class="strip" alt="{words}" title="{words}" src="data:image/svg+xml;base64,{source}">'
