"""The forms of the API's answers, for its OpenAPI document."""

from typing import Any, Literal

from pydantic import BaseModel, Field

Kind = Literal["digit", "unsure", "not-a-digit"]
_CONFIDENCE = Field(ge=0, le=1, description="the probability of that digit")
_PROBABILITIES = Field(description="one a digit that the model knows; they sum to 1")
_VERDICT = Field(None, description="whether to believe the answer; null where no detector was fitted")
_UNUSUALNESS = Field(None, description="how unlike the training digits, higher = more unusual")
EXAMPLE: dict[str, Any] = {
    "prediction": 7,
    "confidence": 0.9993,
    "probabilities": {str(digit): 0.9993 if digit == 7 else 0.0000778 for digit in range(10)},
    "verdict": "digit",
    "unusualness": 1.87,
}


class Predicted(BaseModel):
    """What the model says of one picture."""

    prediction: int = Field(ge=0, le=9, description="the most probable digit")
    confidence: float = _CONFIDENCE
    probabilities: dict[str, float] = _PROBABILITIES
    verdict: Kind | None = _VERDICT
    unusualness: float | None = _UNUSUALNESS

    model_config = {"json_schema_extra": {"examples": [EXAMPLE]}}


class DigitFound(BaseModel):
    """One of several digits in a picture."""

    digit: int
    confidence: float = _CONFIDENCE


class Row(BaseModel):
    """One of many pictures: its answer, or an error that says why there is none."""

    file: str
    digit: int | None = None
    confidence: float | None = Field(None, ge=0, le=1)
    probabilities: dict[str, float] | None = None
    verdict: Kind | None = _VERDICT
    unusualness: float | None = _UNUSUALNESS
    digits: list[DigitFound] | None = Field(
        None, description="where the picture holds several, in reading order"
    )
    error: str | None = None


class ManyPredicted(BaseModel):
    """What the model says of many pictures, in their order."""

    model: str
    failed: int = Field(ge=0, description="how many could not be used")
    results: list[Row]


class Explained(BaseModel):
    """Where the model looked. Larger values are more evidence for `target`."""

    model: str
    prediction: int
    confidence: float = _CONFIDENCE
    method: str
    layer: str = Field(description="where the map was taken from, or `input`")
    target: int = Field(description="the digit that the evidence is for")
    against: int | None = Field(description="the digit that the target is held against")
    signed: bool = Field(description="whether values below 0 are evidence against the target")
    strength: float = Field(description="the largest absolute value of the map")
    note: str | None = Field(description="what to know where the map shows nothing")
    map: list[list[float]] = Field(description="28 rows of 28, in units of the logit")
    pixels: list[list[int]] = Field(description="what the model saw: 28 rows of 28, 0 to 255, ink is bright")


class Model(BaseModel):
    """A model card (`card.json`), and what can be asked of the model."""

    name: str
    architecture: str
    classes: list[int]
    parameters: int
    normalisation: dict[str, float]
    source: str
    split: dict[str, Any]
    hyperparameters: dict[str, Any]
    training: dict[str, Any]
    metrics: dict[str, Any]
    hashes: dict[str, str]
    calibration: dict[str, Any]
    verdict: dict[str, Any]
    offset: int = Field(description="rows at the top, and columns at the left, that the network is not shown")
    schema_version: int
    layers: list[str] = Field(description="that an explanation can be taken from")
    methods: list[str] = Field(description="of explanation that apply, the usual one first")
    models: list[str] = Field(description="all that can be named as `model`")


class Health(BaseModel):
    """The model answers."""

    status: Literal["ready"]
    model: str
    version: str = Field(description="of Digitscope")


class ProblemDocument(BaseModel):
    """What went wrong (RFC 9457)."""

    title: str
    status: int
    detail: str = Field(description="what was wrong and what to do")
