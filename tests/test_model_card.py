"""The model card for people: what it says, what a hub reads of it, and what training took."""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from huggingface_hub import ModelCard as HubCard
from PIL import Image

from core import checkpoint, cli
from core.card import ModelCard, read_card
from core.card_results import energy_words
from core.card_sections import code, table
from core.energy import Work, power_of, total_watt_hours, work_of
from core.errors import CheckpointError
from core.model_card import SECTIONS, model_card, write_model_card
from core.paths import CARD, MODEL_CARD, ROOT
from core.predictor import Predictor
from core.results import RecipeResults

SHIPPED = ["cnn", "linear"]


def run(recipe: str, seed: int, seconds: float, hardware: str = "NVIDIA H200") -> dict:
    flags = {"architecture": "DigitCNN"}
    finished = f"{recipe} {seed}"
    return {
        "recipe": recipe,
        "seed": seed,
        "seconds": seconds,
        "hardware": hardware,
        "finished": finished,
        "flags": flags,
    }


def trained(card: ModelCard, **training: object) -> ModelCard:
    usual = {"seed": 1, "finished": "distilled 1", "seconds": 36.0, "hardware": "NVIDIA H200"}
    return replace(card, training=usual | training)


@pytest.fixture
def card(cnn_folder: Path) -> ModelCard:
    return read_card(cnn_folder)


def test_energy_is_time_times_power() -> None:
    assert Work("x", 1, "NVIDIA H200", 36.0).watt_hours == pytest.approx(7.0)  # 36 s × 700 W = 25.2 kJ
    assert Work("x", 1, "x86_64 CPU, 2 cores", 3600.0).watt_hours == pytest.approx(24.0)  # 2 × 12 W
    assert Work("x", 1, "x86_64 CPU, 2 cores, 1 thread", 3600.0).watt_hours == pytest.approx(12.0)
    assert Work("x", 1, "NVIDIA H200", None).watt_hours is None
    assert power_of("a device nobody knows") is None
    assert (energy_words(0.005), energy_words(43.44), energy_words(None)) == (
        "18.0 J",
        "43.4 Wh",
        "not measured",
    )


def test_training_counts_its_teachers_and_the_seeds_that_it_was_chosen_from(card: ModelCard) -> None:
    results = [
        RecipeResults("DigitCNN", "distilled", tuple(run("distilled", seed, 36.0) for seed in (1, 2, 3))),
        RecipeResults("DigitCNN", "teacher", (run("teacher", 1, 18.0), run("teacher", 2, 18.0))),
        RecipeResults("ThreeSevenLinear", "distilled", (run("distilled", 1, 9999.0),)),
    ]
    teachers = [f"runs/cnn-teacher-seed{seed}/checkpoint" for seed in (1, 2)]
    work = work_of(replace(trained(card), hyperparameters={"teachers": teachers}), results)
    assert [(part.runs, part.seconds) for part in work] == [(1, 36.0), (2, 36.0), (2, 72.0)]
    assert total_watt_hours(work) == pytest.approx((36 + 36 + 72) * 700 / 3600)


def test_what_was_not_recorded_is_not_guessed(card: ModelCard) -> None:
    assert work_of(card, []) == ()  # not trained here
    assert total_watt_hours(()) is None
    lost = replace(trained(card), hyperparameters={"teachers": ["runs/cnn-teacher-seed1/checkpoint"]})
    work = work_of(lost, [])
    assert [part.seconds for part in work] == [36.0, None]
    assert total_watt_hours(work) is None  # a part of it would look like all of it


def test_a_path_of_the_visitor_s_breaks_no_table() -> None:
    assert table(("flag",), [(code("a|`b\nc"),)]) == "| flag |\n|---|\n| `a\\|'b c` |"


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_files_are_what_the_program_writes_now(name: str) -> None:
    file = ROOT / "checkpoints" / name / MODEL_CARD
    assert file.read_text(encoding="utf-8") == model_card(file.parent).to_markdown(), (
        f"out of date: run `python -m core card --model {name}`"
    )


@pytest.mark.parametrize("name", SHIPPED)
def test_the_hub_reads_the_figures_of_the_card(name: str) -> None:
    file = ROOT / "checkpoints" / name / MODEL_CARD
    data, card = HubCard.load(file).data, read_card(file.parent)
    assert (data.license, data.datasets, data.pipeline_tag) == (
        "mit",
        ["ylecun/mnist"],
        "image-classification",
    )
    values = {(r.dataset_type, r.metric_type): r.metric_value for r in data.eval_results}
    assert values["ylecun/mnist", "accuracy"] == card.metrics["mnist-test"]["accuracy"]
    assert values["uci-optdigits", "ece"] == card.metrics["optdigits"]["ece"]
    headings = re.findall(r"^## (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    assert headings == list(SECTIONS)


@pytest.mark.parametrize("name", SHIPPED)
def test_its_code_runs_and_gives_the_model_s_answer(name: str, tmp_path: Path, optdigits) -> None:
    folder = ROOT / "checkpoints" / name
    index = int(np.flatnonzero(optdigits.labels == 7)[0])
    Image.fromarray(optdigits.images[index]).save(tmp_path / "digit.png")
    source = re.search(r"```python\n(.*?)```", model_card(folder).to_markdown(), re.DOTALL)
    (tmp_path / "model.onnx").write_bytes((folder / "model.onnx").read_bytes())
    done = subprocess.run(
        [sys.executable, "-c", source[1]], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    digit, confidence = done.stdout.split()
    expected = Predictor.load(folder).predict(optdigits.images[index])
    assert int(digit) == expected.digit
    assert float(confidence) == pytest.approx(expected.confidence, abs=1e-4)


@pytest.fixture
def copy(cnn_folder: Path, tmp_path: Path) -> Path:
    """A checkpoint of weights that were not trained here and that nobody measured."""
    folder = tmp_path / "mine"
    shutil.copytree(cnn_folder, folder)
    content = json.loads((folder / CARD).read_text()) | {"source": "imported from a`b|c.pt"}
    (folder / CARD).write_text(json.dumps(content))
    return folder


def test_weights_from_elsewhere_claim_nothing(copy: Path) -> None:
    text = model_card(copy)
    assert text.header["license"] == "unknown"
    assert not {"model-index", "datasets"} & set(text.header)
    assert "Training time and energy: not measured" in text.sections["Environmental Impact"]
    assert "How it was trained: not recorded" in text.sections["Training Details"]
    assert "`imported from a'b|c.pt`" in text.sections["Model Details"]
    assert "MNIST was written by" not in text.sections["Bias, Risks, and Limitations"]
    assert "not measured" in text.sections["Evaluation"]


def test_it_lies_in_the_checkpoint_and_does_not_get_in_the_way(copy: Path, tmp_path: Path) -> None:
    assert cli.main(["card", "--model", str(copy)]) == 0
    assert (copy / MODEL_CARD).read_text().startswith("---\nlicense: unknown")
    checkpoint.check_target(copy)  # a new checkpoint may take the place of all of it
    checkpoint.publish(copy, tmp_path / "two")
    assert not (tmp_path / "two" / MODEL_CARD).exists()  # it would speak of the other name
    assert write_model_card(copy, tmp_path / "elsewhere.md") == tmp_path / "elsewhere.md"
    with pytest.raises(CheckpointError, match=r"no/such\.md can't be written \(No such file"):
        write_model_card(copy, tmp_path / "no" / "such.md")
