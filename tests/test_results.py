"""Recorded runs: kept by recipe and seed, summarised as statistics do, chosen by validation alone."""

import json
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import TrainingError
from core.paths import ROOT
from core.results import COLUMNS, Peeking, peeking, read_results, record, table


def run(recipe: str, seed: int, validation: float, test: float, ece: float = 0.002) -> dict:
    return {
        "recipe": recipe,
        "seed": seed,
        "flags": {"architecture": "DigitCNN", "epochs": 3},
        "seconds": 90.0 + seed,
        "hardware": "x86",
        "best_epoch": 2,
        "history": [{"validation_accuracy": share} for share in (0.9, validation, 1.0)],
        "chosen_on": "mnist-validation",
        "tested_on": "mnist-test",
        "metrics": {
            "mnist-validation": {"accuracy": validation, "ece": 0.0},
            "mnist-test": {"accuracy": test, "ece": ece},
        },
    }


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "results" / "training.json"


def test_recorded_runs_come_back_by_recipe_and_seed(path: Path):
    for recipe, seed in (("plain", 2), ("quick", 1), ("plain", 1)):
        record(run(recipe, seed, 0.99, 0.98), path)
    found = read_results(path)
    assert [(r.recipe, [x["seed"] for x in r.runs]) for r in found] == [("plain", [1, 2]), ("quick", [1])]


def test_the_same_run_again_takes_the_place_of_the_older(path: Path):
    record(run("plain", 1, 0.99, 0.98), path)
    record(run("plain", 1, 0.99, 0.97), path)
    assert [x["metrics"]["mnist-test"]["accuracy"] for x in read_results(path)[0].runs] == [0.97]


def test_the_spread_is_the_sample_standard_deviation(path: Path):
    shares = [0.9955, 0.9961, 0.9964, 0.9958]
    for seed, share in enumerate(shares):
        record(run("plain", seed, 0.99, share), path)
    spread = read_results(path)[0].spread("accuracy")
    assert spread.mean == pytest.approx(statistics.mean(shares))
    assert spread.deviation == pytest.approx(statistics.stdev(shares))
    assert spread.n == 4


def test_the_same_recipe_of_another_network_is_another_one(path: Path):
    linear = run("plain", 1, 0.98, 0.97) | {"flags": {"architecture": "ThreeSevenLinear", "epochs": 3}}
    for result in (run("plain", 1, 0.99, 0.98), linear):
        record(result, path)
    assert [(r.architecture, len(r.runs)) for r in read_results(path)] == [
        ("DigitCNN", 1),
        ("ThreeSevenLinear", 1),
    ]


def test_the_table_is_in_per_cent_with_the_deviation(path: Path):
    for seed, share in enumerate((0.9950, 0.9960), start=1):
        record(run("plain", seed, 0.99, share), path)
    (row,) = table(read_results(path))
    assert dict(zip(COLUMNS, row, strict=True)) == {
        "network": "DigitCNN",
        "recipe": "plain",
        "runs": "2",
        "test accuracy": "99.55 ± 0.071 %",
        "validation accuracy": "99.00 ± 0.000 %",
        "ECE": "0.20 ± 0.000 %",
        "epochs": "3",
        "time a run": "92 s",
        "trained on": "x86",
    }


def test_peeking_is_the_best_epoch_by_the_test_set_beside_the_chosen_one(path: Path):
    history = [{"test_accuracy": share} for share in (0.98, 0.997, 0.995)]
    record(run("reference", 1, 0.99, 0.995) | {"history": history}, path)
    record(run("plain", 1, 0.99, 0.98), path)
    assert peeking(read_results(path)) == [Peeking("reference", 1, honest=0.995, peeked=0.997)]


def test_one_run_has_no_deviation(path: Path):
    record(run("plain", 1, 0.99, 0.98), path)
    assert read_results(path)[0].spread("ece").deviation is None


def test_the_best_run_is_the_one_validation_likes_even_if_the_test_set_does_not(path: Path):
    record(run("plain", 1, 0.992, 0.999), path)
    record(run("plain", 2, 0.995, 0.990), path)
    record(run("plain", 3, 0.995, 0.998), path)
    assert read_results(path)[0].best["seed"] == 2, "of equal ones the first"


def test_runs_are_chosen_by_what_their_epochs_were_chosen_by(path: Path):
    drawn_worse = run("plain", 1, 0.994, 0.99)  # its epoch was chosen by drawn copies, too
    drawn_worse["metrics"]["mnist-validation"]["accuracy"] = 0.999
    record(drawn_worse, path)
    record(run("plain", 2, 0.995, 0.99), path)
    assert read_results(path)[0].best["seed"] == 2


def test_two_processes_that_record_at_once_lose_nothing(path: Path):
    code = (
        "import sys; from pathlib import Path; from core.results import record\n"
        "from tests.test_results import run\n"
        "for n in range(20): record(run('plain', int(sys.argv[2]) + n, .99, .98), Path(sys.argv[1]))"
    )
    children = [
        subprocess.Popen([sys.executable, "-c", code, str(path), str(first)], cwd=ROOT) for first in (0, 100)
    ]
    assert [child.wait() for child in children] == [0, 0]
    assert len(read_results(path)[0].runs) == 40


def test_no_file_means_no_results_and_a_damaged_one_is_named(path: Path):
    assert read_results(path) == []
    path.parent.mkdir()
    path.write_text("[{")
    with pytest.raises(TrainingError, match=r"training\.json can't be read .* Restore the file"):
        read_results(path)


def test_a_run_is_a_line_of_the_file(path: Path):
    record(run("plain", 1, 0.99, 0.98), path)
    record(run("plain", 2, 0.99, 0.98), path)
    lines = path.read_text().splitlines()
    assert (lines[0], lines[-1], len(lines)) == ("[", "]", 4)
    assert json.loads(lines[1].rstrip(","))["seed"] == 1
