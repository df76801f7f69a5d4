"""What the visitors draw, and what the page has to say of it: worked out here, before anyone draws."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from HersheyFonts import HersheyFonts

from core.explanation import default_method, explain_batch
from core.overlay import heat
from core.predictor import Prediction, Predictor
from core.preprocess import prepare
from core.several import digits_in
from core.strokes import CANVAS_SIDE, Drawing, encode, render, stroke
from dashboard.parts import answered
from dashboard.parts.fabric import from_fabric, to_fabric
from dashboard.parts.pictures import image

FONTS = ("futural", "rowmans", "scripts", "cursive")  # digits of single lines, as a pen draws them
BRUSHES = (14, 18, 22)
OPACITY = 0.7  # the page's default


@dataclass(frozen=True)
class Expected:
    """One drawing: what the canvas sends after each stroke, and the page's parts that must come of it.

    Attributes:
        sent: the canvas's values, one a stroke.
        link: the drawing in the address.
        answers: the card's HTML after each stroke: digit, confidence, verdict, place among real digits.
        digit: the model's answer, or the first of several.
        confidence: how sure, in [0, 1].
        pixels: the picture that the model sees, as the page shows it.
        target: the digit whose evidence is asked for.
        evidence: the HTML with that evidence laid over the picture.
    """

    sent: tuple[dict[str, Any], ...]
    link: str
    answers: tuple[str, ...]
    digit: int
    confidence: float
    pixels: str
    target: int
    evidence: str

    @property
    def answer(self) -> str:
        """The card's HTML at the end."""
        return self.answers[-1]


def drawings(predictor: Predictor, visitors: int, each: int, *, seed: int = 0) -> list[list[Expected]]:
    """Different drawings for every visitor: digits of vector fonts, leant, squeezed and shaken.

    No two have the same answer, after whatever stroke, so that one seen by somebody else is known.
    """
    chance = np.random.default_rng(seed)
    glyphs = _glyphs()
    every: list[Expected] = []
    seen: set[str] = set()
    while len(every) < visitors * each:
        one = _expected(predictor, glyphs[chance.integers(len(glyphs))], chance)
        if seen.isdisjoint(one.answers):
            seen.update(one.answers)
            every.append(one)
    return [every[place * each : (place + 1) * each] for place in range(visitors)]


def _glyphs() -> list[list[np.ndarray]]:
    glyphs = []
    for name in FONTS:
        font = HersheyFonts()
        font.load_default_font(name)
        glyphs += [[np.array(line, float) for line in font.strokes_for_text(digit)] for digit in "0123456789"]
    return [lines for lines in glyphs if lines]


def _expected(predictor: Predictor, lines: list[np.ndarray], chance: np.random.Generator) -> Expected:
    objects = [to_fabric(line) for line in _drawn(lines, chance)]
    stages = [objects[: count + 1] for count in range(len(objects))]
    drawn = [tuple(from_fabric(item) for item in stage) for stage in stages]  # as the server reads them
    read = [_read(predictor, each) for each in drawn]
    pixels, first = read[-1][0], read[-1][1][0]
    target = int(chance.choice([digit for digit in predictor.classes if digit != first.digit]))
    return Expected(
        sent=tuple({"drawing": {"raw": {"objects": each, "background": "#000000"}}} for each in stages),
        link=encode(drawn[-1]),
        answers=tuple(
            answered.several(found, 0) if len(found) > 1 else answered.one(found[0], predictor)
            for _, found in read
        ),
        digit=first.digit,
        confidence=first.confidence,
        pixels=image(pixels, "").partition('src="')[2],
        target=target,
        evidence=_evidence(predictor, pixels, first.digit, target),
    )


def _read(predictor: Predictor, drawing: Drawing) -> tuple[np.ndarray, list[Prediction]]:
    """The picture of the first digit, and the answers to all."""
    digits = digits_in(predictor, prepare(render(drawing), name="drawing"))
    return digits[0].pixels, predictor.predict(list(digits))


def _drawn(lines: list[np.ndarray], chance: np.random.Generator) -> list[Any]:
    turn, lean = chance.normal(0, 0.08), chance.normal(0, 0.12)
    bend = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn) + lean, np.cos(turn)]])
    bent = [line @ bend * (chance.uniform(0.85, 1.15), 1.0) for line in lines]
    points = np.concatenate(bent)
    low, extent = points.min(axis=0), float(np.ptp(points, axis=0).max())
    size = chance.uniform(110, 220)
    corner = chance.uniform(20, CANVAS_SIDE - 20 - size, 2)
    brush = int(chance.choice(BRUSHES))
    placed = [(line - low) * (size / extent) + corner + chance.normal(0, 1.5, line.shape) for line in bent]
    return [stroke(line.tolist(), brush) for line in placed]


def _evidence(predictor: Predictor, pixels: np.ndarray, digit: int, target: int) -> str:
    targets = np.array(predictor.classes)
    copies = np.repeat(pixels[None], len(targets), axis=0)
    every = explain_batch(predictor, copies, method=default_method(predictor), targets=targets)
    found = next(each for each in every if each.target == target)
    layers = image(pixels, f"The digit as the model sees it, read as {digit}")
    if found.note is None:
        layers += image(heat(found), f"Evidence for {target}", style=f"opacity: {OPACITY}")
    return f'<div class="overlay">{layers}</div>'
