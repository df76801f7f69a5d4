"""The model card, and where checkpoints are looked for."""

import hashlib
import json
from pathlib import Path

import pytest

from core.card import CARD, GRAPH, HISTORY, WEIGHTS, read_card, read_history
from core.errors import CheckpointError
from core.paths import checkpoint_folder, checkpoint_names, checkpoints_folder, data_folder
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


def test_an_unknown_field_is_named(folder: Path):
    change(folder, temperature=1.5)
    with pytest.raises(CheckpointError, match=r"missing or unknown fields: temperature"):
        read_card(folder)


@pytest.mark.parametrize("hashes", [{}, {WEIGHTS: "0"}, [WEIGHTS, GRAPH, HISTORY], "none"])
def test_a_card_must_hash_every_file(folder: Path, hashes: object):
    change(folder, hashes=hashes)
    with pytest.raises(CheckpointError, match="lacks a hash of every file"):
        read_card(folder)


@pytest.mark.parametrize("content", ["", "{", "\x00"])
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
