"""What a model says of one picture file, for programs and for people."""

from dataclasses import dataclass
from typing import Any

from core.predictor import Prediction, Predictor
from core.preprocess import PreparedDigit
from core.several import digits_in
from core.wording import percent


@dataclass(frozen=True, eq=False)
class Answer:
    """One picture file's answer.

    Attributes:
        file: the picture's name.
        prediction: of the whole picture as one digit.
        digits: of its digits in reading order, where there are several; else none.
    """

    file: str
    prediction: Prediction
    digits: tuple[Prediction, ...]

    def to_json(self) -> dict[str, Any]:
        """`file`, `digit`, `confidence`, `probabilities`; `verdict` and `unusualness` where a detector was
        fitted; `digits`, each with its confidence, where there are several."""
        found = self.prediction
        row: dict[str, Any] = {
            "file": self.file,
            "digit": found.digit,
            "confidence": found.confidence,
            "probabilities": shares_of(found),
        }
        if found.verdict:
            row |= {"verdict": found.verdict.kind, "unusualness": found.unusualness}
        if self.digits:
            row["digits"] = [{"digit": each.digit, "confidence": each.confidence} for each in self.digits]
        return row

    @property
    def words(self) -> str:
        """The same in a line."""
        text = f"{self.file}: {_sure(self.prediction)}"
        if self.prediction.verdict:
            text += f", {self.prediction.verdict.words}"
        if self.digits:
            text += f"; {len(self.digits)} digits: " + ", ".join(map(_sure, self.digits))
        return text


def answer_of(file: str, predictor: Predictor, prepared: PreparedDigit) -> Answer:
    """Reads a prepared picture."""
    parts = digits_in(predictor, prepared)
    digits = predictor.predict(list(parts)) if len(parts) > 1 else []
    return Answer(file, predictor.predict(prepared), tuple(digits))


def shares_of(prediction: Prediction) -> dict[str, float]:
    """The probabilities by digit: `{"0": p, …}`, in the order of the classes."""
    return dict(zip(map(str, prediction.classes), prediction.probabilities.tolist(), strict=True))


def _sure(prediction: Prediction) -> str:
    return f"{prediction.digit} ({percent(prediction.confidence)})"
