"""Where the figures of a report come from: checkpoint, data split, seeds, versions, date."""

import platform
from collections.abc import Iterator
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from core.card import ModelCard
from core.paths import WEIGHTS
from core.report_findings import Findings
from core.wording import NOT_MEASURED, duration

NOT_RECORDED = "not recorded"
PACKAGES = ("torch", "onnxruntime", "captum", "numpy", "scipy", "scikit-learn", "duckdb", "jinja2")


def provenance(found: Findings, when: datetime) -> Iterator[tuple[str, str]]:
    """A name and a value each; `not measured` or `not recorded` where there is none."""
    card, about = found.card, found.about
    training, split = card.training, card.split
    yield "Checkpoint", f"{card.name}, SHA-256 of the weights {card.hashes[WEIGHTS]}"
    yield "Architecture", f"{card.architecture}, {card.parameters:,} parameters"
    yield "Weights from", card.source
    yield "Training", _trained(training)
    yield "Seeds", _seeds(card, found)
    yield "Data split", _split(split)
    yield "Measured on", f"{about.dataset}, {about.n:,} digits, SHA-256 {about.digest}; {about.source}"
    fitted = card.calibration.get("fitted_on")
    yield "Temperature", f"{card.temperature:.6g}, fitted on {fitted}" if fitted else NOT_MEASURED
    threshold = card.verdict.get("refuse_below")
    yield (
        "Threshold",
        NOT_MEASURED if threshold is None else f"{threshold:g}, chosen on {card.verdict.get('chosen_on')}",
    )
    accepted = card.verdict.get("accepted_of")
    limit = card.verdict.get("unusual_above")
    yield (
        "Detector",
        NOT_MEASURED if limit is None else f"no digit above {limit:.4g}, which was set on {accepted}",
    )
    yield "Explanations", _studied(found)
    yield "Versions, training", _versions(training.get("versions", {})) or NOT_RECORDED
    yield "Versions, this report", _versions(_installed())
    yield "Made", f"{when:%Y-%m-%d %H:%M} UTC"


def _trained(training: dict[str, Any]) -> str:
    if not training:
        return NOT_RECORDED
    return (
        f"epoch {training['best_epoch']} of {training['epochs']}, chosen by "
        f"{training.get('chosen_by', NOT_RECORDED)}; "
        f"{duration(training['seconds'])} on {training['hardware']}; {training['finished'][:10]}"
    )


def _seeds(card: ModelCard, found: Findings) -> str:
    study = found.faithfulness.study if found.faithfulness else None
    parts = {
        "training": card.training.get("seed"),
        "split": card.split.get("seed"),
        "explanations": study.about.get("seed") if study else None,
    }
    known = [f"{name} {seed}" for name, seed in parts.items() if seed is not None]
    return ", ".join([*known, "bootstrap and samples of unusual inputs 0"])


def _split(split: dict[str, Any]) -> str:
    if not split:
        return NOT_RECORDED
    return (
        f"{split['train']:,} digits to learn from, {split['validation']:,} to choose with, "
        f"{split['test']:,} to test; the test digits chose nothing"
    )


def _studied(found: Findings) -> str:
    study = found.faithfulness.study if found.faithfulness else None
    if found.faithfulness is None:
        return "not part of this report"
    if study is None:
        return NOT_MEASURED
    about = study.about
    made = f"{about['when'][:10]}, {about['hardware']}, {_versions(about['versions'])}"
    return f"{study.n:,} digits of {study.dataset}, {made}"


def _installed() -> dict[str, str]:
    found = {"digitscope": "", **dict.fromkeys(PACKAGES, "")}
    for name in found:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found | {"python": platform.python_version()}


def _versions(versions: dict[str, str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in versions.items())
