"""The command line: one row a file in the order given, errors as rows, exit statuses 0, 1 and 2."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from core import checkpoint, cli, datasets
from core.card import read_card
from core.cli import main
from core.evaluation import wilson_interval
from core.paths import ROOT
from core.predictor import Predictor
from core.wording import percent
from tests.conftest import random_cnn
from tests.zips import packed, png


@pytest.fixture(autouse=True)
def _own_checkpoints(cnn_folder: Path, linear_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGITSCOPE_CHECKPOINTS", str(cnn_folder.parent))


@pytest.fixture
def files(tmp_path: Path, seven: np.ndarray) -> list[str]:
    """A good picture, a broken one, a blank one, a missing one, a good one again."""
    names = ["a.png", "b.png", "c.png", "d.png", "e.jpg"]
    Image.fromarray(seven).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"no picture")
    Image.new("L", (30, 30)).save(tmp_path / "c.png")
    Image.fromarray(255 - seven).save(tmp_path / "e.jpg")
    return [str(tmp_path / name) for name in names]


@pytest.fixture
def own_set(tmp_path: Path, random_pictures: np.ndarray) -> Path:
    """Sixty pictures, six a digit."""
    path = tmp_path / "own.npz"
    np.savez(path, images=random_pictures[:60], labels=np.arange(60) % 10)
    return path


def json_rows(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_predict_prints_a_json_row_a_file_in_their_order(files, cnn: Predictor, capsys):
    assert main(["predict", *files, "--json"]) == 1
    rows = json_rows(capsys.readouterr().out)
    assert [row["file"] for row in rows] == files
    for number in (0, 4):
        expected = cnn.predict(files[number])
        assert list(rows[number]) == ["file", "digit", "confidence", "probabilities"]
        assert rows[number]["digit"] == expected.digit
        assert rows[number]["confidence"] == pytest.approx(expected.confidence)
        assert list(rows[number]["probabilities"]) == [str(digit) for digit in range(10)]
        assert list(rows[number]["probabilities"].values()) == pytest.approx(expected.probabilities.tolist())
    for number, reason in ((1, "not an image"), (2, "Nothing drawn"), (3, "can't be read")):
        assert list(rows[number]) == ["file", "error"]
        assert rows[number]["error"].startswith(f"{files[number]}: ")
        assert reason in rows[number]["error"]


def test_predict_without_json_is_for_people(files: list[str], cnn: Predictor, capsys):
    assert main(["predict", files[0], files[1]]) == 1
    expected = cnn.predict(files[0])
    first, second = capsys.readouterr().out.splitlines()
    assert first == f"{files[0]}: {expected.digit} ({percent(expected.confidence)})"
    assert second.startswith(f"{files[1]}: error: ")


def test_predict_ends_with_0_when_every_file_was_usable(files: list[str], capsys):
    assert main(["predict", files[0], files[4]]) == 0


def test_another_model_has_its_own_classes(files: list[str], linear: Predictor, linear_folder: Path, capsys):
    for model in ("linear", str(linear_folder)):
        assert main(["predict", files[0], "--model", model, "--json"]) == 0
        (row,) = json_rows(capsys.readouterr().out)
        assert list(row["probabilities"]) == ["3", "7"]
        assert row["digit"] == linear.predict(files[0]).digit


def test_an_unknown_model_is_an_error_on_stderr(files: list[str], capsys):
    assert main(["predict", files[0], "--model", "cm", "--json"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: No checkpoint 'cm'")


@pytest.mark.parametrize(
    "arguments", [[], ["predict"], ["paint"], ["predict", "--hue", "x"], ["import-weights", "x.pt"]]
)
def test_wrong_usage_ends_with_2(arguments: list[str], capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: python -m core" in capsys.readouterr().err


def test_evaluate_prints_the_figures_of_the_contract(own_set, cnn: Predictor, random_pictures, capsys):
    assert main(["evaluate", "--data", str(own_set), "--json"]) == 0
    (row,) = json_rows(capsys.readouterr().out)
    assert {"dataset", "n", "accuracy", "per_class", "errors", "ece"} <= set(row)
    found = cnn.run(random_pictures[:60]).logits.argmax(axis=1)
    wrong = found != np.arange(60) % 10
    assert (row["dataset"], row["n"], row["errors"]) == (str(own_set), 60, int(wrong.sum()))
    assert row["accuracy"] == pytest.approx(1 - wrong.mean())
    assert row["interval_95"] == pytest.approx(list(wilson_interval(60 - int(wrong.sum()), 60)))
    assert row["per_class"] == {
        str(digit): {"n": 6, "errors": int(wrong[digit::10].sum())} for digit in range(10)
    }
    assert 0 <= row["ece"] <= 1


def test_a_model_with_fewer_classes_is_evaluated_on_its_digits(own_set: Path, capsys):
    assert main(["evaluate", "--data", str(own_set), "--model", "linear", "--json"]) == 0
    (row,) = json_rows(capsys.readouterr().out)
    assert row["n"] == 12
    assert list(row["per_class"]) == ["3", "7"]


def test_evaluate_for_people_names_what_was_skipped(tmp_path: Path, seven: np.ndarray, capsys):
    (tmp_path / "set" / "7").mkdir(parents=True)
    Image.fromarray(seven).save(tmp_path / "set" / "7" / "a.png")
    (tmp_path / "set" / "7" / "b.png").write_bytes(b"?")
    assert main(["evaluate", "--data", str(tmp_path / "set")]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith(f"{tmp_path / 'set'}: 1 digits, ")
    assert "95 % interval" in captured.out
    assert captured.err.startswith("skipped: ")
    assert "b.png: not an image" in captured.err
    assert captured.out.splitlines()[-1] == "1 skipped, named above"


def test_a_zip_with_a_csv_is_evaluated_and_counts_what_was_skipped(tmp_path: Path, seven: np.ndarray, capsys):
    listing = b"file;label\na.png;7\nb.png;7\nc.png;3\n"
    files = {"a.png": png(seven), "b.png": b"?", "labels.csv": listing}
    (tmp_path / "set.zip").write_bytes(packed(files))
    assert main(["evaluate", "--data", str(tmp_path / "set.zip"), "--json"]) == 0
    captured = capsys.readouterr()
    (row,) = json_rows(captured.out)
    assert (row["n"], row["skipped"]) == (1, 2)
    assert f"skipped: {tmp_path}/set.zip/labels.csv, line 4: c.png: there is no such file." in captured.err
    assert f"skipped: {tmp_path}/set.zip/b.png: not an image" in captured.err


def test_a_hostile_zip_is_one_clear_line(tmp_path: Path, capsys):
    (tmp_path / "set.zip").write_bytes(packed({"../7/a.png": b""}))
    assert main(["evaluate", "--data", str(tmp_path / "set.zip")]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(
        f"error: {tmp_path}/set.zip: refused, as '../7/a.png' points out of the arch"
    )


def test_recorded_figures_land_in_the_card_and_nothing_else_changes(
    random_pictures, cnn_folder, tmp_path, capsys, monkeypatch
):
    few = datasets.LabelledDigits("optdigits", random_pictures[:60], np.arange(60) % 10, "made for a test")
    monkeypatch.setattr(datasets, "_optdigits", lambda _progress: few)
    folder = shutil.copytree(cnn_folder, tmp_path / "cnn")
    before = read_card(folder)
    assert main(["evaluate", "--data", "optdigits", "--model", str(folder), "--record", "--json"]) == 0
    (row,) = json_rows(capsys.readouterr().out)
    after = read_card(folder)
    assert after.metrics["optdigits"]["errors"] == row["errors"]
    assert np.sum(after.metrics["optdigits"]["confusion"]) == 60
    assert replace(after, metrics={}) == replace(before, metrics={})
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        path.name for path in cnn_folder.iterdir()
    )
    Predictor.load(folder)


def test_figures_on_ones_own_data_are_not_recorded(own_set, cnn_folder, monkeypatch, capsys):
    before = (cnn_folder / "card.json").read_bytes()
    monkeypatch.chdir(own_set.parent)
    own_set.rename("optdigits")
    for data in ("./optdigits", "elsewhere.npz"):
        assert main(["evaluate", "--data", data, "--record"]) == 1
        assert f"--record: {data!r} is none of mnist-train, mnist-val" in capsys.readouterr().err
    assert (cnn_folder / "card.json").read_bytes() == before


def test_a_download_counts_its_files_for_people(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    told = cli._progress("mnist-test")
    for done in range(3):
        told(done, 2)
    assert capsys.readouterr().err == "fetching MNIST, file 1 of 2\nfetching MNIST, file 2 of 2\n"


def test_a_name_that_is_not_utf_8_and_a_reader_that_leaves_do_no_harm(files: list[str], tmp_path: Path):
    odd = os.fsencode(tmp_path) + b"/\xff.png"
    command = [sys.executable, "-m", "core", "predict", odd]
    environment = os.environ | {"PYTHONIOENCODING": "utf-8"}
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, env=environment)
    assert (result.returncode, result.stderr) == (1, "")
    assert "udcff.png: error: " in result.stdout
    for chosen, status in (([odd, files[0]], 1), ([files[0]], 0)):
        reading, writing = os.pipe()
        os.close(reading)
        program = [*command[:4], *chosen]
        left = subprocess.run(program, cwd=ROOT, stdout=writing, stderr=subprocess.PIPE, timeout=60)
        os.close(writing)
        assert (left.returncode, left.stderr) == (status, b"")


def test_explain_writes_a_png_beside_the_picture(files: list[str], capsys):
    assert main(["explain", files[0]]) == 0
    with Image.open(files[0] + ".explained.png") as picture:
        assert (picture.format, picture.size, picture.mode) == ("PNG", (280, 280), "RGB")
        assert len(picture.getcolors(100_000)) > 10
    assert "by gradcam at block3" in capsys.readouterr().out


def test_explain_follows_its_flags(files: list[str], tmp_path: Path, capsys):
    out = tmp_path / "map.png"
    flags = ["--target", "9", "--layer", "block2", "--out", str(out)]
    assert main(["explain", files[0], *flags]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"{out}: ")
    assert "for 9" in said
    assert "by gradcam at block2" in said
    assert main(["explain", files[0], "--model", "linear", "--out", str(out)]) == 0
    assert "by input-x-gradient at input" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("flags", "message"),
    [(["--target", "12"], "does not know the digit 12"), (["--layer", "block9"], "No layer 'block9'"),
     (["--out", "/nowhere/at/all.png"], "/nowhere/at/all.png can't be written")],
)  # fmt: skip
def test_explain_says_what_cannot_be_done(files: list[str], flags: list[str], message: str, capsys):
    assert main(["explain", files[0], *flags]) == 1
    assert message in capsys.readouterr().err


def test_import_weights_makes_a_checkpoint(tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(checkpoint, "_export", lambda _model, path: path.write_bytes(b""))
    torch.save(random_cnn().state_dict(), tmp_path / "model.pt")
    out = tmp_path / "imported"
    arguments = ["import-weights", str(tmp_path / "model.pt"), "--out", str(out), "--mean", "0.5"]
    assert main(arguments) == 0
    assert capsys.readouterr().out == f"{out}: DigitCNN, 160,842 parameters\n"
    assert read_card(out).normalisation == {"mean": 0.5, "std": 0.3081}
    assert main(["import-weights", str(tmp_path / "gone.pt"), "--out", str(out)]) == 1
    assert "gone.pt: no such file" in capsys.readouterr().err


def test_the_module_runs_as_a_program(files: list[str]):
    command = [sys.executable, "-m", "core", "predict", *files, "--json"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert result.returncode == 1
    assert [row["file"] for row in json_rows(result.stdout)] == files
    assert result.stderr == ""


def test_calibrate_takes_costs_or_a_threshold_but_not_both(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["calibrate", "--cost-of-error", "5", "--threshold", "0.5"])
    assert "give the costs or --threshold, not both" in capsys.readouterr().err
    assert main(["calibrate", "--cost-of-error", "0"]) == 1
    assert "give two numbers above 0" in capsys.readouterr().err
    assert main(["calibrate", "--cost-of-refusal", "-1"]) == 1


def test_calibrate_says_what_it_fitted_and_writes_it(mnist_files, tmp_path: Path, monkeypatch, capsys):
    shutil.copytree(ROOT / "checkpoints" / "linear", tmp_path / "linear")
    monkeypatch.setenv("DIGITSCOPE_CHECKPOINTS", str(tmp_path))
    assert main(["calibrate", "--model", "linear", "--cost-of-error", "3"]) == 0
    card, words = read_card(tmp_path / "linear"), capsys.readouterr().out
    assert card.verdict["chosen_by"] == {"error": 3.0, "refusal": 1.0}
    assert f"temperature {card.temperature:.3f}, fitted on 1,038 digits of mnist-validation" in words
    assert f"mnist-validation: ECE {card.calibration['before']['ece']['value']:.2%} before" in words
    assert f"refuses answers less sure than {card.verdict['refuse_below']:.4g}" in words
    assert main(["calibrate", "--model", "linear", "--threshold", "2"]) == 1
    assert "give a number from 0 to 1" in capsys.readouterr().err


def test_predict_reads_several_digits_of_one_drawing_in_order(tmp_path: Path, cnn: Predictor, capsys):
    drawing = np.zeros((120, 280), np.uint8)
    drawing[20:100, 40:52] = 255  # a 1, and a box with a hole
    drawing[20:100, 120:180] = 255
    drawing[34:86, 134:166] = 0
    Image.fromarray(drawing).save(tmp_path / "two.png")
    assert main(["predict", str(tmp_path / "two.png"), "--json"]) == 0
    (row,) = json_rows(capsys.readouterr().out)
    alone = [cnn.predict(np.pad(drawing[:, part], 8)) for part in (np.s_[:90], np.s_[90:])]
    assert [each["digit"] for each in row["digits"]] == [found.digit for found in alone]
    assert [each["confidence"] for each in row["digits"]] == pytest.approx(
        [found.confidence for found in alone], abs=1e-3
    )
    assert main(["predict", str(tmp_path / "two.png")]) == 0
    assert "; 2 digits: " in capsys.readouterr().out
