"""The study of the methods: what it finds of noise and edges, and that it stays with its network."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core import faithfulness, study
from core.card import read_card, sha256, update_card
from core.cli import main
from core.errors import CheckpointError
from core.faithfulness import Measured, chosen, study_methods, summarised
from core.labelled import LabelledDigits
from core.paths import STUDY
from core.predictor import Predictor
from core.study import CONTROLS, FIGURES, Study, keep_study, read_study
from tests.test_methods import digit_like

SOME = ("gradcam", "saliency", "input-x-gradient")


@pytest.fixture(scope="module")
def digits() -> LabelledDigits:
    images = np.stack([digit_like(seed) for seed in range(12)])
    return LabelledDigits("made up", images, np.arange(12, dtype=np.int64) % 10, "a test")


@pytest.fixture(scope="module")
def folder(cnn_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shutil.copytree(cnn_folder, tmp_path_factory.mktemp("study") / "cnn")


@pytest.fixture(scope="module")
def found(folder: Path, digits: LabelledDigits, tmp_path_factory: pytest.TempPathFactory) -> Study:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DIGITSCOPE_DATA", str(tmp_path_factory.mktemp("data")))
        patch.setattr(faithfulness, "methods_of", lambda layers: SOME)
        stages: list[tuple[str, int, int]] = []
        made = study_methods(
            Predictor.load(folder), digits, few=6, progress=lambda *step: stages.append(step)
        )
        assert {stage for stage, *_ in stages} >= {"Grad-CAM", "Edge detector", "nearest boundary"}
        assert all(0 <= done <= total == 12 for _, done, total in stages)
        patch.setattr(faithfulness, "_measured", None)  # a second run goes on with what the first one kept
        patch.setattr(faithfulness, "turn_into", None)
        again = study_methods(Predictor.load(folder), digits, few=6, progress=lambda *step: None)
        assert again.methods == made.methods
        assert again.boundary == made.boundary
    return made


def test_the_edge_detector_fails_the_test_with_destroyed_weights_and_gradients_do_not(found: Study):
    assert set(found.methods) == {*SOME, *CONTROLS}
    assert found.stages[0] == "logits"
    for name in CONTROLS:
        assert [span.value for span in found.methods[name].likeness] == pytest.approx([1] * 6)
        assert not found.methods[name].passes
    assert found.methods["input-x-gradient"].passes
    assert all(len(one.likeness) == len(found.stages) for one in found.methods.values())


def test_every_figure_has_its_interval_around_it(found: Study):
    for one in found.methods.values():
        for figure in FIGURES:
            span = one.figures[figure]
            assert span.low <= span.value <= span.high
        assert 1 <= one.rank.low <= one.rank.value <= one.rank.high <= len(found.methods)
    assert (found.n, found.few, found.dataset) == (12, 6, "made up")
    assert {"seed", "hardware", "versions", "when", "seconds", "options"} <= set(found.about)
    assert len(found.boundary["size"]) == 12
    assert not found.outdated
    assert replace(found, about=found.about | {"measured_as": 0}).outdated
    assert all(size > 0 for size in found.boundary["size"])


def constant(value: float, n: int = 50) -> Measured:
    figures = {figure: np.full(n, value) for figure in FIGURES}
    figures["insertion"] = 1 - figures["insertion"]
    return Measured(figures, np.full((2, n), value))


def test_a_clear_winner_ranks_first_and_equals_are_not_told_apart():
    generator = np.random.default_rng(0)
    noisy = [constant(0.5), constant(0.5)]
    for one in noisy:
        for figure in FIGURES:
            one.figures[figure] += generator.normal(0, 0.1, 50)
    ranks = {
        name: one.rank
        for name, one in summarised({"best": constant(0.1), "a": noisy[0], "b": noisy[1]}).items()
    }
    assert (ranks["best"].low, ranks["best"].high) == (1, 1)
    for name in "ab":
        assert ranks[name].low < ranks[name].high


def test_the_bootstrap_interval_is_that_of_the_mean():
    values = np.random.default_rng(1).normal(3, 2, 400)
    measured = replace(constant(0.5, 400), figures=dict.fromkeys(FIGURES, values))
    span = summarised({"one": measured})["one"].figures["ink"]
    assert span.value == pytest.approx(values.mean())
    assert (span.high - span.low) / 2 == pytest.approx(1.96 * values.std() / 20, rel=0.1)


def test_the_same_digits_are_drawn_every_time(digits: LabelledDigits, linear: Predictor):
    one, two = (chosen(digits, linear, 2) for _ in range(2))
    assert one.digest == two.digest
    assert set(one.labels) <= {3, 7}


def test_a_study_lies_with_its_checkpoint_and_comes_back_whole(folder: Path, found: Study):
    assert read_study(folder) is None or (folder / STUDY).exists()
    keep_study(Predictor.load(folder), found)
    assert read_study(folder) == found
    assert read_card(folder).hashes[STUDY] == sha256(folder / STUDY)
    assert Predictor.load(folder).predict(digit_like(0)) is not None


def test_a_study_that_was_changed_or_is_of_other_weights_is_refused(
    folder: Path, found: Study, tmp_path: Path
):
    keep_study(Predictor.load(folder), found)
    copy = shutil.copytree(folder, tmp_path / "copy")
    (copy / STUDY).write_text((copy / STUDY).read_text().replace("made up", "made in"))
    with pytest.raises(CheckpointError, match=r"is not the file that card\.json was written with"):
        read_study(copy)
    for change, message in (
        ({"weights": "0" * 64}, "other weights"),
        ({"schema_version": 9}, "another version"),
    ):
        content = json.loads((folder / STUDY).read_text()) | change
        (copy / STUDY).write_text(json.dumps(content))
        new = sha256(copy / STUDY)
        key = Predictor.load(copy).key
        update_card(copy, lambda card, new=new: replace(card, hashes=card.hashes | {STUDY: new}), key=key)
        with pytest.raises(CheckpointError, match=rf"{message}.*python -m core faithfulness --model cnn"):
            read_study(copy)


def test_the_command_measures_keeps_and_tells(folder: Path, digits, found, monkeypatch, capsys):
    monkeypatch.setattr("core.datasets.load_dataset", lambda name, progress=None: digits)
    monkeypatch.setattr(faithfulness, "study_methods", lambda predictor, data, progress: found)
    assert main(["faithfulness", "--model", str(folder)]) == 0
    told = capsys.readouterr().out
    assert "12 digits of made up" in told
    assert "Edge detector" in told
    assert told.index("depends on the weights") > 0
    assert read_study(folder) == found
    assert study.FAITHFUL == ("deletion", "insertion", "infidelity")
