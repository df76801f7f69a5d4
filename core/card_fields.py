"""What the fields of a model card must be."""

import math
import re
from typing import Any

from core.config import MOST_OFFSET
from core.paths import CHANNELS, DETECTOR, GRAPH, HISTORY, STUDY, WEIGHTS

TEXTS = ("name", "architecture", "source")
TABLES = ("split", "hyperparameters", "training", "metrics", "calibration", "verdict")
BINARY = {WEIGHTS, GRAPH, DETECTOR}
HASHED = BINARY | {HISTORY, STUDY, CHANNELS}
MEASURED = {"accuracy", "errors", "n", "ece"}
LATER = ("calibration", "verdict")  # fitted after training, so absent until then


def problem(content: dict[str, Any]) -> str | None:
    """What is wrong with the fields of a card, in words; None if nothing is."""
    for names, kind, what in ((TEXTS, str, "text"), (TABLES, dict, "an object")):
        for name in names:
            if not isinstance(content[name], kind):
                return f"{name} is {_shown(content[name])}, not {what}"
    classes, parameters, hashes = content["classes"], content["parameters"], content["hashes"]
    if not _is_plain(content["name"]):
        return f"name is {_shown(content['name'])}, not that of a folder"
    if not _are_classes(classes):
        return f"classes are {_shown(classes)}, not two or more different digits in ascending order"
    if type(parameters) is not int or parameters < 1:
        return f"parameters is {_shown(parameters)}, not a whole number above 0"
    if not _is_normalisation(content["normalisation"]):
        return (
            f"normalisation is {_shown(content['normalisation'])}, not a finite mean and a finite std above 0"
        )
    offset = content["offset"]
    if type(offset) is not int or not 0 <= offset <= MOST_OFFSET:
        return f"offset is {_shown(offset)}, not a whole number from 0 to {MOST_OFFSET}"
    temperature = content["calibration"].get("temperature", 1.0)
    if type(temperature) not in (int, float) or not 0 < temperature < math.inf:
        return f"the temperature is {_shown(temperature)}, not a finite number above 0"
    threshold = content["verdict"].get("refuse_below", 0.0)
    if type(threshold) not in (int, float) or not 0 <= threshold <= 1:
        return f"the threshold refuse_below is {_shown(threshold)}, not a number from 0 to 1"
    most = content["verdict"].get("unusual_above", 0.0)
    if type(most) not in (int, float) or not abs(most) < math.inf:
        return f"the limit unusual_above is {_shown(most)}, not a finite number"
    if found := _of_metrics(content["metrics"]):
        return found
    if not isinstance(hashes, dict) or not {WEIGHTS, GRAPH, HISTORY} <= set(hashes):
        return "lacks a hash of every file"
    if not all(isinstance(value, str) for value in hashes.values()):
        return f"hashes are {_shown(hashes)}, not texts"
    if foreign := sorted(set(hashes) - HASHED):
        return f"has the hash of {_shown(foreign[0])}, which is no file of a checkpoint"
    return None


def _of_metrics(metrics: dict[str, Any]) -> str | None:
    for dataset, found in metrics.items():
        if not isinstance(found, dict):
            return f"the metrics of {_shown(dataset)} are {_shown(found)}, not an object"
        for name in MEASURED & set(found):
            if type(found[name]) not in (int, float) or not 0 <= found[name] < math.inf:
                return f"{name} of {_shown(dataset)} is {_shown(found[name])}, not a number from 0 on"
    return None


def _is_plain(name: str) -> bool:
    """Whether a name is one folder's: cards name files that are taken away."""
    return name not in ("", ".", "..") and not re.search(r"[/\x00-\x1f\x7f]", name)


def _shown(value: Any) -> str:
    return repr(value)[:80]


def _are_classes(value: Any) -> bool:
    if not isinstance(value, (list, tuple)) or any(type(digit) is not int for digit in value):
        return False
    return len(value) >= 2 and list(value) == sorted(set(value) & set(range(10)))


def _is_normalisation(value: Any) -> bool:
    if not isinstance(value, dict) or set(value) != {"mean", "std"}:
        return False
    numbers = all(type(n) in (int, float) and abs(n) < math.inf for n in value.values())
    return numbers and value["std"] > 0
