"""The README's dozen figures, and what one machine holds: picked from cards and benchmarks."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.card import read_card
from core.paths import ROOT
from core.results import read_results
from core.study import CONTROLS, read_study
from core.wording import NOT_MEASURED

RESULTS = ROOT / "docs" / "results"
# What is picked from a benchmark's rows: its file, the beginning of the row's name, what the README calls it.
PICKED = (
    ("unusual", "AUROC, notMNIST against", "told from digits: notMNIST's letters, AUROC"),
    ("unusual", "AUROC, pen-drawn letters", "told from digits: pen-drawn letters, AUROC"),
    (
        "bench-core",
        "accuracy, pen trajectories, mean",
        "digits that 30 people drew with a pen, at three sizes",
    ),
    ("bench-core", "evaluation of 10,000", "reading"),
    ("bench-dashboard", "end of stroke → new answer", "end of a stroke → answer on screen, p50"),
    ("bench-core", "all 9 attribution methods", "nine explanations of one digit, p50"),
)
FIRST = {
    "bench-api": "HTTP API",
    "soak": "Visitors at once",
    "bench-dashboard": "One visitor",
    "bench-core": "Core",
}
HOLDS = {  # which rows of a file say what one machine holds; None for all
    "bench-api": None,
    "soak": None,
    "bench-dashboard": ("server start", "page switch", "end of stroke", "growth of the server"),
    "bench-core": ("evaluation of", "model alone", "Grad-CAM", "a table of 1,000,000", "memory for"),
}


def summary() -> str:
    """The README's table."""
    rows = [*_of_the_card(), *(_picked(*pick) for pick in PICKED), *_of_the_soak(), _of_the_hostile()]
    lines = ["| | measured | beside it |", "|---|---|---|"]
    return "\n".join(lines + [f"| {' | '.join(row)} |" for row in rows])


def _of_the_card() -> Iterator[tuple[str, str, str]]:
    card = read_card(ROOT / "checkpoints" / "cnn")
    test = card.metrics["mnist-test"]
    (kind,) = (recipe for recipe in read_results() if recipe.holds(card.training))
    low, high = test["interval_95"]
    spread = kind.spread("accuracy")
    yield (
        "MNIST's test digits",
        f"**{test['accuracy']:.2%}** [{100 * low:.2f}, {100 * high:.2f}], "
        f"{test['errors']} errors in {test['n']:,}",
        f"{spread.mean:.2%} ± {100 * (spread.deviation or 0):.3f} over {len(kind.runs)} runs",
    )
    verdict = card.verdict
    yield (
        "how sure it is against how right (ECE)",
        f"{test['ece']:.2%}",
        f"temperature {card.temperature:.3f}, from the validation digits",
    )
    yield (
        "where it may refuse to answer",
        f"{verdict['accuracy']:.2%} right",
        f"{verdict['coverage']:.2%} of the {verdict['n']:,} validation digits answered",
    )
    study = read_study(ROOT / "checkpoints" / "cnn")
    if study:
        passed = [one.passes for name, one in study.methods.items() if name not in CONTROLS]
        failed = ", ".join(CONTROLS[name].lower() for name, one in study.methods.items() if not one.passes)
        yield (
            "explanations that change with the weights",
            f"{sum(passed)} of {len(passed)} methods",
            (f"as they should; not: {failed}"),
        )


def _picked(file: str, begins: str, label: str) -> tuple[str, str, str]:
    row = next((row for row in rows(file) if row["figure"].startswith(begins)), None)
    if row is None or row["value"] is None:
        return label, NOT_MEASURED, ""
    against = (
        f"{shown(row['baseline'], row['unit'])}: {row['against']}" if row.get("baseline") else target(row)
    )
    return label, shown(row["value"], row["unit"]), against


def _of_the_soak() -> Iterator[tuple[str, str, str]]:
    """Requests and visitors, where they were measured."""
    for file, label in (("bench-api", "HTTP API"), ("soak", "visitors at once")):
        first = next((row for row in rows(file) if row["value"] is not None), None)
        if first is None:
            yield label, NOT_MEASURED, ""
        elif file == "soak":
            report = read(file)
            wrong = next((r for r in report["rows"] if r["figure"].startswith("wrong")), None)
            said = f"{shown(wrong['value'], '')} wrong or somebody else's answers" if wrong else ""
            yield label, f"{report['visitors']:,} for {report['minutes']:g} minutes", said
        else:
            yield label, shown(first["value"], first["unit"]), first["figure"]


def _of_the_hostile() -> tuple[str, str, str]:
    """Files that are broken or hostile, through every door."""
    label, doors = "broken and hostile files", read("hostile").get("doors", {})
    if not doors:
        return label, NOT_MEASURED, ""
    every = [kind for door in doors.values() for kind in door["kinds"]]
    tried, faults = sum(kind["files"] for kind in every), sum(kind["faults"] for kind in every)
    work, memory = (max(kind[name] for kind in every) for name in ("most_work_s", "memory_mb"))
    met = f"{faults:,} of {tried:,} crashed, misread or over a limit, {len(doors)} doors"
    return label, met, f"at most {work:g} s of work and {memory:,} MB for one"


def capacity() -> str:
    """What one machine holds: a row a figure, by the file that measured it."""
    parts = []
    for file, title in FIRST.items():
        wanted = HOLDS[file]
        found = [row for row in rows(file) if wanted is None or row["figure"].startswith(wanted)]
        if not found:
            parts.append(f"**{title}**: {NOT_MEASURED} (`docs/results/{file}.json` is not there).")
            continue
        lines = [f"| {title} | measured | target |", "|---|---|---|"]
        lines += [
            f"| {row['figure']} | {shown(row['value'], row['unit'])} | {target(row)} |" for row in found
        ]
        report = read(file)
        parts.append("\n".join(lines) + f"\n\n{report['when'][:10]}, {report['hardware']}.")
    return "\n\n".join(parts)


def target(row: dict[str, Any]) -> str:
    """A row's target and whether it was reached; empty without one."""
    wanted = row.get("target")
    if wanted is None:
        return ""
    sign = "≥" if row["unit"].endswith("/s") else "≤"
    text = wanted if isinstance(wanted, str) else f"{sign} {wanted:g} {row['unit']}".rstrip()
    return f"{text}, {'reached' if row['reached'] else 'missed'}"


def shown(value: float | None, unit: str) -> str:
    """A measured number with its unit."""
    if value is None:
        return NOT_MEASURED
    if unit in ("auroc", "fpr"):
        return f"{value:.4f}"
    if unit == "share":
        return f"{value:.2%}"
    number = f"{value:,.0f}" if value >= 1000 or float(value).is_integer() else f"{value:.3g}"
    return f"{number} {unit}".rstrip()


def rows(file: str) -> list[dict[str, Any]]:
    return read(file)["rows"]


def read(file: str) -> dict[str, Any]:
    """A result of `docs/results/`; without rows where it is not there."""
    path: Path = RESULTS / f"{file}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"rows": []}
