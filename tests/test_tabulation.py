"""Evaluation tables: values against the predictor's, and kept once."""

import math
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core import tabulation
from core.datasets import LabelledDigits
from core.errors import DatasetError
from core.paths import ROOT
from core.predictor import Predictor
from core.table import ABOUT
from core.tabulation import at_hand, evaluations_of, rows_of, table_of, write_table

LABELS = np.arange(60, dtype=np.int64) % 10


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DIGITSCOPE_DATA", str(tmp_path))
    return tmp_path / "tables"


@pytest.fixture
def digits(random_pictures: np.ndarray) -> LabelledDigits:
    return LabelledDigits("noise", random_pictures[:60], LABELS, "a generator")


def test_a_row_says_what_the_predictor_says(cnn: Predictor, digits: LabelledDigits):
    rows = rows_of(cnn, digits.images, digits.labels, first=100).to_pylist()
    outputs = cnn.run(digits.images)
    for place, (row, said) in enumerate(zip(rows, cnn.predict(digits.images), strict=True)):
        second = sorted(said.probabilities)[-2]
        assert (row["index"], row["label"], row["name"]) == (100 + place, place % 10, "")
        assert row["prediction"] == said.digit
        assert row["confidence"] == pytest.approx(said.confidence, abs=1e-6)
        assert row["margin"] == pytest.approx(said.confidence - second, abs=1e-6)
        assert row["loss"] == pytest.approx(-math.log(said.of(place % 10)), rel=1e-4, abs=1e-6)
        assert row["unusualness"] == pytest.approx(
            -math.log(sum(math.exp(value) for value in said.logits)), rel=1e-5
        )
        assert row["probabilities"] == pytest.approx(said.probabilities.tolist(), abs=1e-6)
        assert row["pixels"] == digits.images[place].tobytes()
        embedding = np.frombuffer(row["embedding"], "<f2")
        assert embedding == pytest.approx(outputs.embedding[place], rel=1e-3, abs=1e-3)


def test_digits_that_the_model_does_not_know_have_no_row_and_keep_the_places_of_the_others(
    linear: Predictor, digits: LabelledDigits
):
    table = table_of(linear, digits)
    assert table.column("index").tolist() == [place for place in range(60) if place % 10 in (3, 7)]
    assert (len(table), table.about.left_out) == (12, 48)


def test_names_and_skipped_files_travel_along(linear: Predictor, random_pictures: np.ndarray):
    names = ("3/a.png", "4/b.png", "7/c.png")
    labels = np.array([3, 4, 7], dtype=np.int64)
    skipped = ("7/d.png: not an image that can be read.",)
    data = LabelledDigits("mine", random_pictures[:3], labels, "a folder", skipped, names)
    table = table_of(linear, data)
    assert [row.name for row in table.rows([0, 1, 2])] == ["3/a.png", "7/c.png"]
    assert table.about.skipped == skipped


def test_a_table_is_computed_once(cnn: Predictor, digits: LabelledDigits, folder: Path):
    seen: list[tuple[int, int]] = []
    table_of(cnn, digits, progress=lambda done, total: seen.append((done, total)))
    table_of(cnn, digits, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(0, 60), (60, 60)]
    assert len(list(folder.iterdir())) == 1


def test_other_weights_other_digits_and_other_labels_make_another_table(
    cnn: Predictor, linear: Predictor, digits: LabelledDigits, folder: Path
):
    table_of(cnn, digits)
    table_of(linear, digits)
    table_of(cnn, LabelledDigits("noise", digits.images, LABELS[::-1].copy(), "a generator"))
    table_of(cnn, LabelledDigits("noise", digits.images[::-1], LABELS, "a generator"))
    assert len(list(folder.iterdir())) == 4


def test_the_number_of_tables_is_bounded(
    cnn: Predictor, digits: LabelledDigits, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(tabulation, "MOST_TABLES", 2)
    tables = [
        table_of(cnn, LabelledDigits("some", digits.images[:n], LABELS[:n], "a generator"))
        for n in (1, 2, 3, 4)
    ]
    assert {path.name for path in folder.iterdir()} == {table.folder.name for table in tables[2:]}


def test_an_unfinished_table_is_made_anew(cnn: Predictor, digits: LabelledDigits):
    table = table_of(cnn, digits)
    (table.folder / ABOUT).unlink()
    with pytest.raises(DatasetError, match="holds no finished evaluation"):
        type(table)(table.folder)
    assert len(table_of(cnn, digits)) == 60


@pytest.mark.parametrize("damage", ["lost", "cut", "rubbish", "flipped", "unsigned"])
def test_a_damaged_table_is_made_anew(damage: str, cnn: Predictor, digits: LabelledDigits):
    table = table_of(cnn, digits)
    part = table.folder / "part-00000.parquet"
    content = part.read_bytes()
    rows = table.rows([7])
    part.unlink()
    if damage == "flipped":  # an embedding, of which Parquet keeps no checksum
        place = content.index(rows[0].embedding.astype("<f2").tobytes())
        content = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
    if damage == "unsigned":
        (table.folder / tabulation.SUMS).unlink()
    if damage != "lost":
        part.write_bytes({"cut": content[: len(content) // 2], "rubbish": b"rubbish"}.get(damage, content))
    seen: list[tuple[int, int]] = []
    anew = table_of(cnn, digits, progress=lambda done, total: seen.append((done, total)))
    assert anew.column("index").tolist() == list(range(60))
    assert np.array_equal(anew.rows([7])[0].embedding, rows[0].embedding)
    assert seen[-1] == (60, 60)


def test_damage_found_in_the_middle_of_a_visit_is_mended_at_the_next(cnn: Predictor, digits: LabelledDigits):
    table = table_of(cnn, digits)
    (table.folder / "part-00000.parquet").write_bytes(b"rubbish")
    with pytest.raises(DatasetError, match=r"Reload the page: it is computed anew\.$"):
        table.rows([3])
    assert not at_hand(cnn, digits)
    table_of(cnn, digits)
    assert [row.index for row in table.rows([3])] == [3]  # who holds the old one goes on with it


def test_the_same_digits_under_another_name_have_their_own_table(cnn: Predictor, digits: LabelledDigits):
    other = replace(digits, name="own/other", skipped=("a.png: not an image.",))
    assert other.digest == digits.digest
    first, second = table_of(cnn, digits), table_of(cnn, other)
    assert (first.about.dataset, first.about.skipped) == ("noise", ())
    assert (second.about.dataset, second.about.skipped) == ("own/other", ("a.png: not an image.",))
    assert first.embedding_key == second.embedding_key


def test_what_killed_processes_left_is_swept_after_an_hour(
    cnn: Predictor, digits: LabelledDigits, folder: Path
):
    for name, age in ((".new-old", 7200), (".new-young", 60)):
        (folder / name).mkdir(parents=True)
        os.utime(folder / name, (time.time() - age,) * 2)
    table_of(cnn, digits)
    assert not (folder / ".new-old").exists()
    assert (folder / ".new-young").exists()


EVALUATE = """
import sys
import numpy as np
from core.datasets import LabelledDigits
from core.paths import ROOT
from core.predictor import Predictor
from core.tabulation import table_of
images = np.load(sys.argv[2])
data = LabelledDigits("noise", images, np.arange(len(images)) % 10, "a generator")
print(len(table_of(Predictor.load(sys.argv[1]), data)))
"""


def test_two_processes_at_once_leave_one_whole_table(
    cnn: Predictor, random_pictures: np.ndarray, folder: Path, tmp_path: Path
):
    np.save(tmp_path / "noise.npy", random_pictures)
    command = [sys.executable, "-c", EVALUATE, str(cnn.folder), str(tmp_path / "noise.npy")]
    both = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [process.communicate()[0].strip() for process in both] == [str(len(random_pictures))] * 2
    assert len(list(folder.iterdir())) == 1


def test_evaluations_made_elsewhere_are_found_by_their_model(
    cnn: Predictor, linear: Predictor, digits: LabelledDigits, folder: Path
):
    for name, predictor in (("first", cnn), ("second", linear)):
        made = tabulation.evaluations_folder() / name
        made.mkdir(parents=True)
        write_table(made, predictor, digits)
    (tabulation.evaluations_folder() / "unfinished").mkdir()
    assert evaluations_of(cnn.key) == ["first"]
    assert evaluations_of(linear.key) == ["second"]
    assert evaluations_of("0" * 64) == []


def test_a_set_without_a_digit_of_the_models_is_refused(linear: Predictor, random_pictures: np.ndarray):
    data = LabelledDigits("ones", random_pictures[:3], np.ones(3, dtype=np.int64), "a generator")
    with pytest.raises(DatasetError, match=r"ones has no digit of the model's classes 3, 7\. Choose another"):
        table_of(linear, data)


def test_a_folder_that_can_not_be_written_is_named(
    cnn: Predictor, digits: LabelledDigits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DIGITSCOPE_DATA", str(tmp_path / "file"))
    with pytest.raises(DatasetError, match=r"can't be kept in .*file/tables \(Not a directory\)\. Free some"):
        table_of(cnn, digits)
