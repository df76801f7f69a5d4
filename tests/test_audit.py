"""The audit of dependencies: what fails, what passes, and what is said when nobody answers."""

from scripts.audit import NOT_AUDITED, asked, judged

CLEAN = {"name": "numpy", "version": "2.4.6", "vulns": []}
HOLE = {"id": "PYSEC-2026-1", "fix_versions": ["13.0.1"], "aliases": [], "description": "…"}
HURT = {"name": "pillow", "version": "13.0.0", "vulns": [HOLE]}
UNKNOWN = {"name": "captum", "skip_reason": "Dependency not found on PyPI and could not be audited"}


def report(*dependencies: dict) -> dict:
    return {"dependencies": list(dependencies), "fixes": []}


def test_a_known_vulnerability_fails_and_is_named_with_its_remedy() -> None:
    status, said = judged([report(CLEAN, HURT, UNKNOWN)])
    assert status == 1
    assert said.splitlines()[1:] == ["pillow 13.0.0: PYSEC-2026-1, mended in 13.0.1"]


def test_clean_packages_pass_and_those_unknown_are_named() -> None:
    assert judged([report(CLEAN)]) == (0, "Without a known vulnerability: 1 packages.")
    status, said = judged([report(CLEAN, UNKNOWN)])
    assert status == 0
    assert said.endswith("Not in the database: captum.")


def test_a_database_that_knows_no_package_or_does_not_answer_is_no_clearance() -> None:
    assert judged([None, report(UNKNOWN)]) == (0, NOT_AUDITED)
    assert judged([]) == (0, NOT_AUDITED)


def test_what_the_second_database_finds_counts() -> None:
    assert judged([report(UNKNOWN), report(HURT)])[0] == 1


def test_an_audit_that_breaks_off_is_no_report() -> None:
    assert asked("pypi", ("-c", "raise SystemExit('no network')")) is None
