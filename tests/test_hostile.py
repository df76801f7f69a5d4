"""A sample of `make hostile`: files of every kind, by the command line's code and the page's."""

import shutil
import warnings
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from core.archive import Archive
from core.datasets import load_archive
from core.errors import DatasetError
from core.predictor import Predictor
from core.preprocess import prepare
from core.several import digits_in
from scripts.hostile import SEED, corpus, fault, run
from scripts.hostile_case import ANSWER, CHECKPOINT, ERROR, Case, on_paper, saved
from scripts.hostile_files import files
from scripts.hostile_sets import data_sets, packed
from scripts.hostile_worker import ROUTES

CHEAP = 100_000  # bytes: what is larger is for the whole run
SEVERAL = (
    "mode",
    "wrong extension",
    "EXIF",
    "polyglot",
    "truncated",
    "bytes changed",
    "no picture",
    "archive",
)


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an archive that holds a name twice
        return list(corpus())


def sample(cases: list[Case], route: str) -> list[Case]:
    """One small file of most kinds that go through a door, and some of the most frequent."""
    seen: dict[str, int] = {}
    chosen = []
    for case in (case for case in cases if case.fits(route)):
        if case.place or (isinstance(case.content, bytes) and len(case.content) < CHEAP):
            seen[case.kind] = seen.get(case.kind, 0) + 1
            if seen[case.kind] in ((1, 6, 11, 16) if case.kind in SEVERAL else (1, 4)):
                chosen.append(case)
    return chosen


def test_the_corpus_is_large_and_the_same_every_time(cases: list[Case]):
    assert len(cases) > 1000
    assert len({case.kind for case in cases}) >= 18
    assert len({(case.kind, case.name, case.labelled) for case in cases}) == len(cases)
    again = [case.content for case in (*islice(files(SEED), 400), *islice(data_sets(), 60))]
    contents = [case.content for case in cases]
    assert [content for content in again if isinstance(content, bytes) and content not in contents] == []


def test_files_of_every_kind_meet_what_they_must(cases: list[Case]):
    results = list(run("command line", iter(sample(cases, "command line"))))
    faults = [(result.case.kind, result.case.name, result.fault) for result in results if result.fault]
    assert faults == []
    assert sum("error" in result.outcome for result in results) > 15
    assert sum("digit" in result.outcome for result in results) > 15
    assert results[-1].case.kind == "afterwards"


def test_hostile_checkpoints_end_in_sentences(cases: list[Case], tmp_path: Path):
    send, answered = ROUTES[CHECKPOINT](), []
    for number, case in enumerate(sample(cases, CHECKPOINT)):
        (tmp_path / str(number)).mkdir()
        path = case.put(tmp_path / str(number))
        outcome = send(path, False)
        assert fault(case, outcome, path.name) is None, (case.kind, case.name, outcome)
        answered += [case.name] * ("digit" in outcome)
        shutil.rmtree(tmp_path / str(number))
    assert answered == ["whole"]
    assert number > 15


@pytest.mark.parametrize(
    ("must", "outcome", "said"),
    [
        (ANSWER, {"digit": 8}, "read as 8"),
        (ANSWER, {"error": "a.png: damaged"}, "refused"),
        (ERROR, {"digit": 3}, "answered: 3"),
        (ERROR, {"error": "damaged"}, "does not name the file"),
        (ERROR, {"error": "a.png: Traceback (most recent call last)"}, "does not name"),
        (ANSWER, {"crash": "…\nMemoryError"}, "crashed: MemoryError"),
        (ERROR, {"error": "a.png: damaged"}, None),
        (ANSWER, {"digit": 3}, None),
        (ANSWER, {"unsent": "not of the kinds"}, None),
        (ERROR, {"error": "The picture is over 10 MB", "unread": True}, None),
        (ERROR, {"error": "The picture is over 10 MB"}, "does not name"),
    ],
)
def test_a_fault_is_noticed(must: str, outcome: dict[str, object], said: str | None):
    found = fault(Case("mode", "a.png", b"", must), outcome, "a.png")
    assert (said is None and found is None) or (said is not None and found is not None and said in found)


@pytest.fixture(scope="module")
def shipped() -> Predictor:
    return Predictor.load("cnn")


def test_thousands_of_dots_are_no_row_of_digits(shipped: Predictor):
    dots = np.zeros((640, 640), np.uint8)
    for y, x in np.random.default_rng(5).integers(0, 632, (3000, 2)):
        dots[y : y + 4, x : x + 4] = 255
    prepared = prepare(dots)
    assert digits_in(shipped, prepared) == (prepared,)


def test_a_shape_below_zero_is_refused():
    header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (-1, 28, 28)}\n"
    images = b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header + bytes(784)
    with pytest.raises(DatasetError, match=r"a\.npz: can't be read as NPZ \(a shape of \(-1, 28, 28\)\)"):
        load_archive(packed({"images.npy": images, "labels.npy": images}), "a.npz")


def test_of_an_endless_first_line_only_the_beginning_is_looked_at(tmp_path):
    content = packed({"labels.csv": b"file,label" + b"," * 3_000_000, "a.png": saved(on_paper(), "PNG")})
    with Archive(content, where="a.zip") as archive:
        assert archive.names == ["a.png", "labels.csv"]
    with pytest.raises(DatasetError, match=r"a\.zip"):
        load_archive(content, "a.zip")
