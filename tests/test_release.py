"""From a recipe to a published checkpoint: split, seeds, results, fine-tuning, teachers."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core import checkpoint, release
from core.card import read_card
from core.checkpoint import load_model
from core.config import RECIPES, TrainConfig
from core.datasets import load_dataset
from core.distillation import Ensemble, teachers_of
from core.errors import CheckpointError, DigitscopeError, TrainingError
from core.learner import logits_of
from core.parts import parts_of
from core.paths import ROOT, checkpoint_folder
from core.release import measured_on, release_best
from tests.stripes import digits

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def stripes(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A data set of the user's own, as a file."""
    data = digits(400, 0)
    path = tmp_path_factory.mktemp("data") / "stripes.npz"
    np.savez(path, images=data.images, labels=data.labels)
    return str(path)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module", autouse=True)
def folders(home: Path):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DIGITSCOPE_RUNS", str(home / "runs"))
        patch.setenv("DIGITSCOPE_CHECKPOINTS", str(home / "checkpoints"))
        patch.setattr(release, "ELSEWHERE", ())
        yield


@pytest.fixture(scope="module")
def quick(stripes: str) -> TrainConfig:
    small = {"epochs": 2, "batch_size": 32, "drawn": 0.0, "precision": "float32"}
    return replace(RECIPES["cnn"]["plain"], data=stripes, **small)


@pytest.fixture(scope="module")
def published(home: Path, quick: TrainConfig, folders: None) -> list[dict]:
    return release_best(quick, home / "checkpoints" / "mine", recipe="plain", seeds=2)


def test_a_data_set_in_one_piece_is_cut_in_three_without_overlap(stripes: str):
    parts = parts_of(stripes)
    assert [len(part) for part in (parts.training, parts.validation, parts.test)] == [280, 60, 60]
    seen = [
        image.tobytes() for part in (parts.training, parts.validation, parts.test) for image in part.images
    ]
    assert sorted(seen) == sorted(image.tobytes() for image in load_dataset(stripes).images)
    assert parts.split() == {"seed": 23, "train": 280, "validation": 60, "test": 60}
    again = parts_of(stripes)
    np.testing.assert_array_equal(parts.test.labels, again.test.labels)


def test_too_few_digits_to_cut_are_refused(tmp_path: Path):
    few = digits(30, 0)
    np.savez(tmp_path / "few.npz", images=few.images, labels=few.labels)
    with pytest.raises(TrainingError, match=r"few\.npz has 30 digits; give at least 40"):
        parts_of(str(tmp_path / "few.npz"))


def test_the_best_run_by_validation_is_published_under_its_own_name(home: Path, published: list[dict]):
    card = read_card(home / "checkpoints" / "mine")
    best = max(published, key=lambda result: result["metrics"][result["chosen_on"]]["accuracy"])
    assert card.name == "mine"
    assert card.training["seed"] == best["seed"]
    model, _ = load_model(home / "checkpoints" / "mine")
    kept, _ = load_model(home / "runs" / f"mine-plain-seed{best['seed']}" / "checkpoint")
    for name, value in model.state_dict().items():
        assert torch.equal(value, kept.state_dict()[name]), name


def test_results_say_what_was_measured_and_how(published: list[dict], stripes: str):
    first, second = published
    assert (first["seed"], second["seed"]) == (23, 24)
    assert first["tested_on"] == f"{stripes}-test"
    assert first["flags"]["epochs"] == 2
    assert [row["epoch"] for row in first["history"]] == [1, 2]
    assert first["images_per_second"] == pytest.approx(2 * 280 / first["seconds"], rel=0.2, abs=60)
    model, _ = load_model(checkpoint_folder("mine"))
    parts = parts_of(stripes)
    best = max(published, key=lambda result: result["metrics"][result["chosen_on"]]["accuracy"])
    assert measured_on(model, parts.test).errors == best["metrics"][f"{stripes}-test"]["errors"]
    json.dumps(published)


def test_finished_runs_are_not_trained_again(
    home: Path, published: list[dict], quick: TrainConfig, monkeypatch
):
    monkeypatch.setattr(release, "train", None)  # whoever calls it fails
    target = home / "checkpoints" / "mine"
    again = release_best(quick, target, recipe="plain", seeds=2, resume=True)
    assert again == json.loads(json.dumps(published))


def test_peeking_is_written_down_and_chooses_nothing(home: Path, quick: TrainConfig, published: list[dict]):
    target = home / "checkpoints" / "peeked"
    (result,) = release_best(quick, target, recipe="plain", peek=True)
    assert all(0 <= row["test_accuracy"] <= 1 for row in result["history"])
    honest = published[0]
    assert result["best_epoch"] == honest["best_epoch"]
    assert result["metrics"] == honest["metrics"]
    chosen = next(row for row in result["history"] if row["epoch"] == result["best_epoch"])
    assert chosen["test_accuracy"] == result["metrics"][result["tested_on"]]["accuracy"]


@pytest.mark.parametrize("frozen", [False, True])
def test_fine_tuning_begins_with_the_checkpoints_weights(
    home: Path, quick: TrainConfig, published: list[dict], frozen: bool
):
    config = replace(quick, init_from="mine", frozen=frozen, epochs=1, learning_rate=1e-9, ema=0.0, offset=0)
    name = f"tuned-{frozen}"
    release_best(config, home / "checkpoints" / name, recipe="plain")
    before, _ = load_model(home / "checkpoints" / "mine")
    after, card = load_model(home / "checkpoints" / name)
    for key, value in before.state_dict().items():
        if "running" not in key and "tracked" not in key:
            torch.testing.assert_close(after.state_dict()[key], value, rtol=0, atol=1e-5)
    moved = not torch.equal(
        before.state_dict()["conv_layers.1.running_mean"], after.state_dict()["conv_layers.1.running_mean"]
    )
    assert moved is not frozen
    assert card.source.endswith("from the weights of mine")
    assert (after.offset, card.offset, card.hyperparameters["offset"]) == (3, 3, 3), "as it was learned"


def test_a_start_of_another_width_is_refused(home: Path, quick: TrainConfig, published: list[dict]):
    config = replace(quick, init_from="mine", width=2)
    with pytest.raises(TrainingError, match=r"mine has width 1, and --width is 2\. Give --width 1"):
        release_best(config, home / "checkpoints" / "wide", recipe="plain")


@pytest.mark.parametrize("frozen", [False, True])
def test_fine_tuning_on_other_writers_helps_there(home: Path, frozen: bool):
    """The shipped network on scikit-learn's 8×8 digits, wholly and in its last layers alone."""
    config = replace(
        RECIPES["cnn"]["plain"],
        data="optdigits",
        init_from=str(ROOT / "checkpoints" / "cnn"),
        frozen=frozen,
        epochs=5,
        batch_size=64,
        learning_rate=1e-3,
        ema=0.0,
        drawn=0.0,
        precision="float32",
    )
    parts = parts_of("optdigits")
    before, _ = load_model(ROOT / "checkpoints" / "cnn")
    (result,) = release_best(config, home / "checkpoints" / f"opt-{frozen}", recipe="tuned")
    errors = result["metrics"]["optdigits-test"]["errors"]
    assert errors < measured_on(before, parts.test).errors


def test_another_architecture_cannot_be_tuned(home: Path, stripes: str, published: list[dict]):
    config = replace(RECIPES["linear"]["reference"], data=stripes, init_from="mine", epochs=1)
    with pytest.raises(CheckpointError, match="mine is a DigitCNN, not a ThreeSevenLinear"):
        release_best(config, home / "checkpoints" / "odd", recipe="plain")


def test_a_folder_that_cannot_be_published_is_found_before_the_work(
    home: Path, quick: TrainConfig, monkeypatch
):
    target = home / "checkpoints" / "full"
    target.mkdir(parents=True)
    (target / "notes.txt").write_text("mine")
    monkeypatch.setattr(release, "parts_of", None)
    with pytest.raises(CheckpointError, match=r"notes\.txt"):
        release_best(quick, target, recipe="plain")


def test_an_ensemble_answers_with_the_mean_of_its_logits_and_remembers(
    home: Path, quick: TrainConfig, published: list[dict]
):
    names = tuple(str(home / "runs" / f"mine-plain-seed{seed}" / "checkpoint") for seed in (23, 24))
    config = replace(quick, teachers=names, distillation=0.5)
    teach = teachers_of(config, CPU)
    images = torch.from_numpy(digits(50, 3).images)
    told = teach(0, images)
    models = [load_model(Path(name))[0] for name in names]
    expected = sum(logits_of(model, images) for model in models) / 2
    torch.testing.assert_close(told.float(), expected, rtol=2e-3, atol=5e-3)
    teach.models = []  # nobody is left to ask
    assert torch.equal(teach(0, images), told)


def test_a_student_of_teachers_learns_and_is_the_same_again(
    home: Path, quick: TrainConfig, published: list[dict]
):
    names = tuple(str(home / "runs" / f"mine-plain-seed{seed}" / "checkpoint") for seed in (23, 24))
    config = replace(quick, teachers=names, distillation=0.8, views=2)
    results = [
        release_best(config, home / "checkpoints" / f"student{turn}", recipe="distilled")[0]
        for turn in range(2)
    ]
    losses = [[row["loss"] for row in result["history"]] for result in results]
    assert losses[0] == losses[1]
    assert losses[0][1] < losses[0][0]


@pytest.mark.parametrize(("teachers", "share"), [(("mine",), 0.0), ((), 0.5)])
def test_teachers_without_a_share_and_a_share_without_teachers_are_refused(
    quick: TrainConfig, teachers: tuple[str, ...], share: float
):
    config = replace(quick, teachers=teachers, distillation=share)
    with pytest.raises(TrainingError, match="Give both, or neither"):
        teachers_of(config, CPU)


def test_a_teacher_of_another_architecture_is_refused(quick: TrainConfig, published: list[dict]):
    config = replace(quick, architecture="ThreeSevenLinear", teachers=("mine",), distillation=0.5)
    with pytest.raises(CheckpointError, match="mine is a DigitCNN, not a ThreeSevenLinear"):
        teachers_of(config, CPU)


def test_weights_of_another_normalisation_neither_start_nor_teach(home: Path, published: list[dict]):
    model, card = load_model(home / "checkpoints" / "mine")
    other = replace(card, normalisation={"mean": 0.5, "std": 0.5})
    checkpoint.save(home / "checkpoints" / "foreign", model, other, [])
    with pytest.raises(CheckpointError, match=r"foreign was trained with pixels normalised by .*0\.5"):
        checkpoint.load_for_training("foreign", "DigitCNN")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"init_from": "runs/none-{seed}"}, "No checkpoint 'runs/none-24'"),
        ({"init_from": "mine", "teachers": ("gone",), "distillation": 0.5}, "No checkpoint 'gone'"),
        ({"frozen": True}, "--frozen trains the last layers of a convolutional checkpoint"),
        ({"architecture": "ThreeSevenLinear"}, "has no digit of the classes"),
    ],
)
def test_what_cannot_end_well_is_refused_before_an_older_run_is_cleared(
    home: Path, quick: TrainConfig, published: list[dict], tmp_path: Path, changes: dict, message: str
):
    if "architecture" in changes:  # a data set without 3 and 7
        data = digits(600, 0).only((0, 1))
        np.savez(tmp_path / "few.npz", images=data.images, labels=data.labels)
        changes = changes | {"data": str(tmp_path / "few.npz")}
    older = (home / "runs" / "mine-plain-seed24" / "result.json").read_bytes()
    config = replace(quick, seed=24, **changes)
    with pytest.raises(DigitscopeError, match=message):
        release_best(config, home / "checkpoints" / "mine", recipe="plain")
    assert (home / "runs" / "mine-plain-seed24" / "result.json").read_bytes() == older


def test_a_start_can_follow_the_seed(home: Path, quick: TrainConfig, published: list[dict]):
    start = str(home / "runs" / "mine-plain-seed{seed}" / "checkpoint")
    config = replace(quick, seed=24, init_from=start, epochs=1)
    (result,) = release_best(config, home / "checkpoints" / "followed", recipe="distilled")
    assert result["flags"]["init_from"] == start.replace("{seed}", "24")
    assert read_card(home / "checkpoints" / "followed").source.endswith("mine-plain-seed24/checkpoint")


def test_damaged_memories_of_teachers_are_asked_for_anew(tmp_path: Path, published: list[dict]):
    model, _ = load_model(checkpoint_folder("mine"))
    ensemble = Ensemble([model], tmp_path / "memory", "float32")
    images = torch.from_numpy(digits(20, 3).images)
    told = ensemble(4, images)
    (file,) = (tmp_path / "memory").iterdir()
    for kept in (50, 0):
        file.write_bytes(file.read_bytes()[:kept])
        assert torch.equal(ensemble(4, images), told)
