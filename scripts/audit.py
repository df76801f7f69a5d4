"""Asks the vulnerability databases about every installed package; fails on a known hole.

A database that can't be reached is no hole, but no clearance either: that is said, and passes.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

SERVICES = ("pypi", "osv")
COMMAND = ("-m", "pip_audit", "--local", "--skip-editable", "--format", "json", "--progress-spinner", "off")
NOT_AUDITED = "NOT AUDITED: no vulnerability database could be reached from here."


def asked(service: str, command: Sequence[str] = COMMAND) -> dict[str, Any] | None:
    """pip-audit's report; None if it could not make one."""
    done = subprocess.run(
        [sys.executable, *command, "--vulnerability-service", service], capture_output=True, text=True
    )
    try:
        return json.loads(done.stdout)
    except json.JSONDecodeError:
        return None


def judged(reports: Sequence[dict[str, Any] | None]) -> tuple[int, str]:
    """The exit status, and what to say.

    Args:
        reports: one a service; None for a service that can't be reached.
    """
    found, known, skipped = {}, set(), set()
    for dependency in (each for report in reports if report for each in report["dependencies"]):
        if "skip_reason" in dependency:
            skipped.add(dependency["name"])
            continue
        known.add(dependency["name"])
        for hole in dependency["vulns"]:
            fixed = ", ".join(hole["fix_versions"]) or "no release yet"
            key = dependency["name"], hole["id"]
            found[key] = f"{dependency['name']} {dependency['version']}: {hole['id']}, mended in {fixed}"
    if found:
        return 1, "\n".join(["Known vulnerabilities:", *found.values()])
    if not known:
        return 0, NOT_AUDITED
    left = sorted(skipped - known)
    said = f"Without a known vulnerability: {len(known)} packages."
    return 0, f"{said} Not in the database: {', '.join(left)}." if left else said


def main() -> int:
    """Asks the second service only where the first one knows nothing."""
    reports: list[dict[str, Any] | None] = []
    for service in SERVICES:
        reports.append(asked(service))
        status, said = judged(reports)
        if said != NOT_AUDITED:
            break
    print(said)
    return status


if __name__ == "__main__":
    sys.exit(main())
