"""What `make hostile` found: figures by door and kind, in JSON and for people."""

import json
import os
import platform
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

from scripts.hostile_case import Case

SEED = 23
SECONDS, MEMORY = 2.0, 300 * 2**20  # of a processor's work, and bytes more than before, that a file may take
COUNTS = ("files", "refused", "answered", "unsent", "faults")


class Found(Protocol):
    """One file through one door (`scripts.hostile.Result`)."""

    @property
    def case(self) -> Case:
        """The file."""

    @property
    def outcome(self) -> dict[str, Any]:
        """What became of it."""

    @property
    def fault(self) -> str | None:
        """What is wrong with that."""


def keep(path: Path, route: str, results: Sequence[Found]) -> None:
    """Writes one door's figures into the file; those of other doors stay as they are."""
    content = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    content["limits"] = {"seconds": SECONDS, "memory_mb": MEMORY // 2**20}
    content["measured"] = (
        "Work: processor seconds of the process that reads the file, all threads together, the least of up "
        "to three tries; memory: what it holds at most beyond what it held before; slowest: by the clock, on "
        "a machine that may be busy with other work."
    )
    content["seed"] = SEED
    content.setdefault("doors", {})[route] = {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "hardware": f"{platform.machine()} CPU, {os.cpu_count()} cores",
        "versions": {name: version(name) for name in ("pillow", "numpy", "onnxruntime", "streamlit")},
        **_figures(results),
        "most_work": _most(results, lambda found: found.outcome["worked"]),
        "most_memory": _most(results, lambda found: found.outcome["memory"] / 2**20),
        "slowest": _most(results, lambda found: found.outcome["seconds"]),
        "kinds": summary(results),
        "faulty": [f"{found.case.kind}/{found.case.name}: {found.fault}" for found in results if found.fault],
    }
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _most(results: Sequence[Found], figure: Callable[[Found], float]) -> dict[str, Any]:
    """The file that a figure is greatest of."""
    found = max(results, key=figure)
    return {"kind": found.case.kind, "file": found.case.name, "value": round(figure(found), 2)}


def summary(results: Sequence[Found]) -> list[dict[str, Any]]:
    """A row a kind: how many files, errors and answers, the slowest, the most work and memory."""
    kinds = dict.fromkeys(found.case.kind for found in results)
    return [{"kind": kind, **_figures([f for f in results if f.case.kind == kind])} for kind in kinds]


def _figures(results: Sequence[Found]) -> dict[str, Any]:
    said = [found.outcome for found in results]
    unsent, refused = (sum(name in outcome for outcome in said) for name in ("unsent", "error"))
    crashed = sum("crash" in outcome for outcome in said)
    return {
        "files": len(results),
        "refused": refused,
        "answered": len(said) - unsent - refused - crashed,
        "unsent": unsent,
        "faults": sum(found.fault is not None for found in results),
        "slowest_s": round(max(outcome["seconds"] for outcome in said), 2),
        "most_work_s": round(max(outcome["worked"] for outcome in said), 2),
        "memory_mb": round(max(outcome["memory"] for outcome in said) / 2**20),
    }


def table(route: str, rows: list[dict[str, Any]]) -> str:
    """One door's figures for people."""
    names = (*COUNTS, "slowest", "work", "memory")
    lines = [f"{route:26}" + "".join(f"{name:>9}" for name in names)]
    for row in rows:
        counts = "".join(f"{row[name]:>9}" for name in COUNTS)
        took = f"{row['slowest_s']:>7.2f} s{row['most_work_s']:>7.2f} s{row['memory_mb']:>6} MB"
        lines.append(f"  {row['kind']:24}{counts}{took}")
    return "\n".join(lines)
