"""The flags of `train.py`: every field of the configuration, and what fits together."""

import re
import subprocess
import sys
from dataclasses import fields, replace

import pytest

import train
from core.config import RECIPES, TrainConfig
from core.errors import TrainingError
from core.paths import ROOT


def test_training_documents_every_field_of_its_config(capsys):
    with pytest.raises(SystemExit) as ended:
        train.parse(["--help"])
    assert ended.value.code == 0
    shown = " ".join(capsys.readouterr().out.split())
    for field in fields(TrainConfig):
        if field.name != "architecture":
            assert re.search(rf"--{field.name.replace('_', '-')}[ ,]", shown)
            assert field.metadata["help"] in shown


def test_a_flag_overrides_its_field_alone():
    config = train.config_from(train.parse(["cnn", "--epochs", "3", "--weight-decay", "0"]))
    assert config == replace(RECIPES["cnn"]["plain"], epochs=3, weight_decay=0.0)
    assert train.config_from(train.parse(["linear"])) == RECIPES["linear"]["plain"]


def test_a_recipe_is_the_base_of_the_flags():
    options = train.parse(["cnn", "--recipe", "reference", "--no-channels-last", "--teachers", "a", "b"])
    config = train.config_from(options)
    assert config == replace(RECIPES["cnn"]["reference"], channels_last=False, teachers=("a", "b"))


@pytest.mark.parametrize(
    "changes",
    [["--epochs", "1"], ["--frozen"], ["--data", "optdigits", "--out", "x"], ["--label-smoothing", "0.1"]],
)
def test_a_run_that_is_not_the_recipe_is_not_recorded_as_one(changes: list[str]):
    name = changes[0].removeprefix("--").replace("-", "_")
    with pytest.raises(
        TrainingError, match=f"--record keeps runs of the recipe plain as it is; here .*{name}"
    ):
        train.config_from(train.parse(["cnn", "--record", *changes]))


def test_seeds_teachers_and_starts_are_no_change_of_the_recipe():
    options = [
        "cnn",
        "--record",
        "--seed",
        "7",
        "--precision",
        "float32",
        "--init-from",
        "cnn",
        "--teachers",
        "a",
    ]
    assert train.config_from(train.parse(options)).seed == 7


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["linear", "--recipe", "quick"], "--recipe quick: linear has plain, reference"),
        (["cnn", "--seeds", "0"], "--seeds 0: give a whole number of at least 1"),
        (["cnn", "--data", "optdigits"], "--data: name the new checkpoint's folder with --out"),
        (["linear", "--benchmark"], "--benchmark measures cnn"),
        (["cnn", "--precision", "float16"], "invalid choice: 'float16'"),
    ],
)
def test_flags_that_do_not_fit_each_other_are_refused(capsys, arguments: list[str], message: str):
    with pytest.raises(SystemExit) as ended:
        train.parse(arguments)
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["linear", "--rotation", "5", "--ema", "0.9"], "linear has no use for ema, rotation"),
        (["cnn", "--start", "normal"], "cnn has no use for start"),
    ],
)
def test_flags_that_a_model_has_no_use_for_are_refused(arguments: list[str], names: str):
    with pytest.raises(TrainingError, match=names):
        train.config_from(train.parse(arguments))


def test_the_flags_are_shown_without_torch():
    code = "import sys, train\ntry: train.parse(['--help'])\nfinally: print('torch' in sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert result.stdout.endswith("False\n")
