"""What the documents say is what the program does."""

import json
import re

import train
from core.card import read_card
from core.cli import _parser
from core.paths import ROOT
from core.predictor import Predictor
from core.results import read_results
from scripts.readme import README, filled

TEXT = README.read_text(encoding="utf-8")


def test_the_generated_tables_are_those_of_the_cards_and_results() -> None:
    assert filled(TEXT) == TEXT, "run `make readme`"


def test_every_command_of_the_readme_exists_and_every_command_is_in_the_readme() -> None:
    commands = set(_parser()._subparsers._group_actions[0].choices)
    named = set(re.findall(r"python -m core ([a-z-]+)", TEXT))
    assert named <= commands
    assert commands - named == {"bench"}, "`bench` is reached by `make bench`"


def test_every_training_command_of_the_readme_is_understood() -> None:
    commands = re.findall(r"^(?:python|torchrun .*?) ?train\.py ([^#\n]+)", TEXT, re.MULTILINE)
    assert len(commands) >= 6
    for command in commands:
        train.config_from(train.parse(command.split()))


def test_the_shipped_network_is_the_best_recorded_run_by_validation() -> None:
    (distilled,) = (found for found in read_results() if found.recipe == "distilled")
    card = read_card(ROOT / "checkpoints" / "cnn")
    assert card.training["seed"] == distilled.best["seed"]
    for name in ("mnist-validation", "mnist-test"):
        assert card.metrics[name]["errors"] == distilled.best["metrics"][name]["errors"]


def test_the_detector_was_measured_as_it_is_shipped() -> None:
    measured = json.loads((ROOT / "docs" / "results" / "unusual.json").read_text(encoding="utf-8"))
    shipped = Predictor.load(ROOT / "checkpoints" / "cnn")
    wanted = {"name": "cnn", "sha256": shipped.key, "fitted": shipped.fitted}
    assert measured["checkpoint"] == wanted, (
        "run `python -m core measure-detector --out docs/results/unusual.json`"
    )


def test_every_make_target_of_the_readme_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):.*##", makefile, re.MULTILINE))
    assert set(re.findall(r"`?make ([a-z]+)", TEXT)) <= targets | {"s"}


def test_every_picture_and_path_of_the_readme_is_there() -> None:
    for path in re.findall(r"\]\(([^)#:]+)\)", TEXT):
        assert (ROOT / path).exists(), path


def test_every_dependency_has_its_reason() -> None:
    decisions = (ROOT / "docs" / "decisions.md").read_text(encoding="utf-8")
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    for name in (line.split("==")[0] for line in lines if "==" in line):
        assert re.search(rf"\| .*\b{re.escape(name)}\b.*\|", decisions), f"{name}: no line in decisions.md"


def test_requirements_are_pinned() -> None:
    for name in ("requirements.txt", "requirements-scale.txt", "requirements-dev.txt"):
        for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
            assert (
                not line or line.startswith(("#", "-r ")) or re.fullmatch(r"[\w.-]+(\[\w+\])?==[\w.]+", line)
            ), line
