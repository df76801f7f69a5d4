"""An explanation as the API sends it: a picture, or the map in JSON."""

import io
from dataclasses import dataclass
from typing import Any

from PIL.PngImagePlugin import PngInfo

from core.api_desk import Desk, File, prepared
from core.explanation import Explanation, default_method, explain
from core.overlay import overlay
from core.predictor import Prediction
from core.preprocess import PreparedDigit

SIDE = 280  # px of the picture


@dataclass(frozen=True)
class Question:
    """What is asked of an explanation; None for the usual.

    Attributes:
        model: a checkpoint's name.
        method: one of `core.methods.METHODS`.
        target, against: digits.
        layer: of the network.
    """

    model: str | None = None
    method: str | None = None
    target: int | None = None
    against: int | None = None
    layer: str | None = None


@dataclass(frozen=True, eq=False)
class Explained:
    """An explanation, and what it explains."""

    model: str
    digit: PreparedDigit
    prediction: Prediction
    explanation: Explanation

    def to_json(self) -> dict[str, Any]:
        """As `core.api_schema.Explained` describes it."""
        found = self.explanation
        names = ("method", "layer", "target", "against", "signed", "strength", "note")
        return {
            "model": self.model,
            "prediction": self.prediction.digit,
            "confidence": self.prediction.confidence,
            **{name: getattr(found, name) for name in names},
            "map": found.map.tolist(),
            "pixels": self.digit.pixels.tolist(),
        }

    def to_png(self) -> bytes:
        """The digit with the map over it, and in the file's `Description` what it shows."""
        found, about = self.explanation, PngInfo()
        scale = f"{'±' if found.signed else '0 to '}{found.strength:.3g}"
        words = found.note or f"Evidence for {found.question}, scale {scale} (logit)"
        about.add_itxt("Description", f"{words}, by {found.method} at {found.layer}, {self.model}")
        buffer = io.BytesIO()
        overlay(self.digit.pixels, found, side=SIDE).save(buffer, format="PNG", pnginfo=about)
        return buffer.getvalue()


def explained(desk: Desk, file: File, asked: Question) -> Explained:
    """Explains what a model says of a picture.

    Raises:
        DigitscopeError: a picture, a model, or something asked for, that can't be used.
    """
    predictor, digit = desk.served.get(asked.model), prepared(file)
    method = asked.method or default_method(predictor)
    found = explain(
        predictor, digit, method=method, target=asked.target, layer=asked.layer, against=asked.against
    )
    name = predictor.folder.name
    desk.metrics.explanations.labels(name, method).inc()
    return Explained(name, digit, predictor.predict(digit), found)
