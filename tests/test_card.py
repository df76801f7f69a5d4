"""The model card, and where checkpoints are looked for."""

import hashlib
import json
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from core.card import attach, read_card, read_history, read_verified, record_metrics, update_card
from core.card_fields import TABLES
from core.errors import CheckpointError
from core.paths import (
    CARD,
    CHANNELS,
    GRAPH,
    HISTORY,
    WEIGHTS,
    checkpoint_folder,
    checkpoint_names,
    checkpoints_folder,
    data_folder,
    locked,
)
from tests.conftest import HISTORY as EPOCHS


@pytest.fixture
def folder(cnn_folder: Path, tmp_path: Path) -> Path:
    """A card alone: reading it looks at no other file."""
    (tmp_path / CARD).write_text((cnn_folder / CARD).read_text())
    return tmp_path


def change(folder: Path, **fields: object) -> None:
    content = json.loads((folder / CARD).read_text())
    for name, value in fields.items():
        if value is None:
            del content[name]
        else:
            content[name] = value
    (folder / CARD).write_text(json.dumps(content))


def test_a_card_says_what_it_was_written_with(cnn_folder: Path):
    card = read_card(cnn_folder)
    assert (card.name, card.architecture, card.parameters) == ("cnn", "DigitCNN", 160_842)
    assert card.classes == tuple(range(10))
    assert card.normalisation == {"mean": 0.1307, "std": 0.3081}
    assert card.schema_version == 1


def test_its_hashes_are_those_of_the_files(cnn_folder: Path):
    by_hand = {
        name: hashlib.sha256((cnn_folder / name).read_bytes()).hexdigest()
        for name in (WEIGHTS, GRAPH, HISTORY)
    }
    assert read_card(cnn_folder).hashes == by_hand


def test_the_history_comes_back(cnn_folder: Path, linear_folder: Path):
    assert read_history(cnn_folder) == EPOCHS
    assert read_history(linear_folder) == []


@pytest.mark.parametrize("version", [2, "1", 0])
def test_another_schema_version_is_refused(folder: Path, version: object):
    change(folder, schema_version=version)
    with pytest.raises(CheckpointError, match=rf"schema version {version!r}; this program reads 1"):
        read_card(folder)


@pytest.mark.parametrize("field", ["normalisation", "classes", "metrics", "hashes"])
def test_a_missing_field_is_named(folder: Path, field: str):
    change(folder, **{field: None})
    with pytest.raises(CheckpointError, match=rf"missing or unknown fields: {field}\. Restore"):
        read_card(folder)


def test_a_card_from_before_offsets_has_none(folder: Path):
    change(folder, offset=None)
    assert read_card(folder).offset == 0


def test_an_unknown_field_is_named(folder: Path):
    change(folder, temperature=1.5)
    with pytest.raises(CheckpointError, match=r"missing or unknown fields: temperature"):
        read_card(folder)


@pytest.mark.parametrize("hashes", [{}, {WEIGHTS: "0"}, [WEIGHTS, GRAPH, HISTORY], "none"])
def test_a_card_must_hash_every_file(folder: Path, hashes: object):
    change(folder, hashes=hashes)
    with pytest.raises(CheckpointError, match="lacks a hash of every file"):
        read_card(folder)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("name", 3, "name is 3, not text"),
        ("architecture", ["DigitCNN"], "architecture is .*not text"),
        ("source", {}, "source is {}, not text"),
        *[(name, [], rf"{name} is \[\], not an object") for name in TABLES],
        *[("classes", value, "classes are .*not two or more diff")
          for value in ("37", 10, [3], [], [7, 3], [3, 3, 7], [3, 10], [-1, 3], [3.0, 7.0], [True, 7])],
        *[("parameters", value, "parameters is .*not a whole number") for value in (0, -5, 1.5, True, "785")],
        *[("normalisation", value, "normalisation is .*not a finite mean and a finite std above 0")
          for value in ([0.1, 0.3], {}, {"mean": 0.1}, {"mean": 0.1, "std": 0}, {"mean": 0.1, "std": -1},
                        {"mean": "0.1", "std": 0.3}, {"mean": True, "std": 1})],
        ("hashes", {WEIGHTS: 1, GRAPH: "a", HISTORY: "b"}, "hashes are .*not texts"),
        ("hashes", {WEIGHTS: "", GRAPH: "", HISTORY: "", "../../etc/passwd": ""}, "has the hash.*passwd"),
        *[("name", name, "name is .*not that of a folder") for name in ("../up", "/etc", "..", "", "a\0b")],
        *[("offset", value, "offset is .*not a whole number from 0 to 4") for value in (-1, 5, 1.0, True)],
        ("verdict", {"unusual_above": "3"}, "the limit unusual_above is '3', not a finite number"),
        ("metrics", {"mnist-test": 3}, "the metrics of 'mnist-test' are 3, not an object"),
        ("metrics", {"a": {"n": "3"}}, "n of 'a' is '3', not a number from 0 on"),
        ("metrics", {"a": {"accuracy": -1}}, "accuracy of 'a' is -1, not a number from 0 on"),
    ],
)  # fmt: skip
def test_a_field_of_the_wrong_kind_is_named(folder: Path, field: str, value: object, message: str):
    change(folder, **{field: value})
    with pytest.raises(CheckpointError, match=rf"card\.json: {message}.*\. Restore the checkpoint"):
        read_card(folder)


def test_figures_are_recorded_only_for_the_weights_that_were_measured(folder: Path):
    key = read_card(folder).hashes[WEIGHTS]
    assert record_metrics(folder, "optdigits", {"n": 3}, key=key) == read_card(folder)
    assert read_card(folder).metrics == {"optdigits": {"n": 3}}
    with pytest.raises(CheckpointError, match=r"was replaced while its old weights were measured"):
        record_metrics(folder, "mnist-test", {"n": 4}, key="0" * 64)
    assert read_card(folder).metrics == {"optdigits": {"n": 3}}
    assert [path.name for path in folder.iterdir()] == [CARD]


def test_a_file_is_attached_with_its_hash_and_what_else_changes_or_not_at_all(folder: Path):
    before = read_card(folder)
    key = before.hashes[WEIGHTS]
    card = attach(folder, CHANNELS, b"{}", key=key, change=lambda card: replace(card, name="new"))
    assert card == read_card(folder)
    assert (card.name, read_verified(folder, CHANNELS)[1]) == ("new", b"{}")
    assert card.hashes.items() > before.hashes.items()
    with pytest.raises(CheckpointError, match=r"was replaced while its old weights were measured"):
        attach(folder, CHANNELS, b"[]", key="0" * 64)
    assert read_verified(folder, CHANNELS) == (card, b"{}")
    assert sorted(path.name for path in folder.iterdir()) == [CARD, CHANNELS]


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_what_is_no_number_in_json_is_refused(folder: Path, number: float):
    change(folder, normalisation={"mean": number, "std": 1})
    with pytest.raises(
        CheckpointError, match=r"card\.json can't be read \(-?(NaN|Infinity) is no number in JSON"
    ):
        read_card(folder)


@pytest.mark.parametrize("threshold", [-0.1, 1.01, "0.5", True, None])
def test_a_threshold_outside_0_to_1_is_refused(folder: Path, threshold: object):
    change(folder, verdict={"refuse_below": threshold})
    with pytest.raises(CheckpointError, match=r"the threshold refuse_below is .*not a number from 0 to 1"):
        read_card(folder)


def test_a_change_that_fails_leaves_the_card_as_it_was(folder: Path):
    before = (folder / CARD).read_text()

    def fail(card):
        raise CheckpointError("no")

    key = read_card(folder).hashes[WEIGHTS]
    with pytest.raises(CheckpointError, match="no"):
        update_card(folder, fail, key=key)
    assert (folder / CARD).read_text() == before
    changed = update_card(folder, lambda card: replace(card, verdict={"refuse_below": 0.5}), key=key)
    assert read_card(folder) == changed
    assert read_card(folder).verdict == {"refuse_below": 0.5}


def test_recording_waits_for_a_save_and_two_records_lose_nothing(folder: Path):
    key = read_card(folder).hashes[WEIGHTS]

    def record(number: int) -> None:
        record_metrics(folder, f"set {number}", {"n": number}, key=key)

    with ThreadPoolExecutor(8) as pool:
        with locked(folder):
            waiting = [pool.submit(record, number) for number in range(8)]
            time.sleep(0.05)
            assert not any(one.done() for one in waiting)
        assert [one.result() for one in waiting] == [None] * 8
    assert len(read_card(folder).metrics) == 8


def test_a_card_and_a_file_that_were_read_across_a_save_are_read_again(cnn_folder, tmp_path, monkeypatch):
    folder = shutil.copytree(cnn_folder, tmp_path / "cnn")
    old = (folder / CARD).read_text()
    (folder / HISTORY).write_bytes(b"new")
    change(folder, hashes=read_card(folder).hashes | {HISTORY: hashlib.sha256(b"new").hexdigest()})
    with locked(folder):
        pass  # somebody has saved here
    texts = iter([old])
    real = Path.read_text
    monkeypatch.setattr(Path, "read_text", lambda path, **how: next(texts, None) or real(path, **how))
    found, content = read_verified(folder, HISTORY)
    assert content == b"new"
    assert found.hashes[HISTORY] == hashlib.sha256(b"new").hexdigest()


@pytest.mark.parametrize("content", ["", "{", "\x00", "[" * 100_000])
def test_a_card_that_is_no_json_is_refused(folder: Path, content: str):
    (folder / CARD).write_text(content)
    with pytest.raises(CheckpointError, match=r"card\.json can't be read .*Restore the checkpoint"):
        read_card(folder)


@pytest.mark.parametrize("content", ["[]", "3", "null"])
def test_json_that_is_no_card_is_refused(folder: Path, content: str):
    (folder / CARD).write_text(content)
    with pytest.raises(CheckpointError, match=r"schema version None; this program reads 1"):
        read_card(folder)


def test_a_folder_without_a_card_is_no_checkpoint(tmp_path: Path):
    with pytest.raises(CheckpointError, match=r"is no checkpoint: it has no card\.json\. Train one with"):
        read_card(tmp_path)


def test_checkpoints_are_found_by_name_and_by_folder(cnn_folder: Path, linear_folder: Path, monkeypatch):
    monkeypatch.setenv("DIGITSCOPE_CHECKPOINTS", str(cnn_folder.parent))
    assert checkpoint_names() == ["cnn", "linear"]
    assert checkpoint_folder("linear") == linear_folder
    monkeypatch.setenv("DIGITSCOPE_CHECKPOINTS", str(cnn_folder / "nowhere"))
    assert checkpoint_folder(cnn_folder) == cnn_folder
    assert checkpoint_names() == []


def test_an_unknown_checkpoint_names_the_known_ones(cnn_folder: Path, linear_folder: Path, monkeypatch):
    monkeypatch.setenv("DIGITSCOPE_CHECKPOINTS", str(linear_folder.parent))
    with pytest.raises(CheckpointError, match=r"No checkpoint 'cm': .* holds cnn, linear\. Name one"):
        checkpoint_folder("cm")
    monkeypatch.setenv("DIGITSCOPE_CHECKPOINTS", str(cnn_folder / "nowhere"))
    with pytest.raises(CheckpointError, match=r"holds none\..*train one with `python train\.py cnn`"):
        checkpoint_folder("cm")


def test_a_half_written_checkpoint_is_not_offered(cnn_folder: Path, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("DIGITSCOPE_CHECKPOINTS", str(tmp_path))
    hidden = tmp_path / ".cnn-abc" / "cnn"
    hidden.mkdir(parents=True)
    (hidden.parent / CARD).write_text((cnn_folder / CARD).read_text())
    assert checkpoint_names() == []


def test_without_variables_the_folders_lie_beside_the_code(monkeypatch: pytest.MonkeyPatch):
    for variable in ("DIGITSCOPE_DATA", "DIGITSCOPE_CHECKPOINTS"):
        monkeypatch.setenv(variable, "")
    root = Path(__file__).resolve().parent.parent
    assert (data_folder(), checkpoints_folder()) == (root / "data", root / "checkpoints")
