"""Every kind of file in the data folder, damaged in every way: the right answer again, or a sentence."""

import logging
import os
import re
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core import drawn, faithfulness, generated_inputs, input_scores, neighbours, notes, own, paths, stories
from core.array_cache import ArrayCache
from core.datasets import LabelledDigits
from core.embedding_map import map_of
from core.errors import DatasetError, DigitscopeError
from core.predictor import Predictor
from core.robustness import robustness_of
from core.scale import evaluate_here
from core.story import BUILT_IN
from core.tabulation import open_sealed, table_of
from dashboard import evaluations, resources

Work = Callable[[Predictor, LabelledDigits], object]


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def halved(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def rubbish(path: Path) -> None:
    path.write_bytes(b"rubbish" * 100)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "inside").write_text("in the way")


def unreadable(path: Path) -> None:
    """Root may read whatever its permissions say, but no link to itself."""
    path.unlink()
    path.symlink_to(path)


def gone(path: Path) -> None:
    path.unlink()


DAMAGES = (emptied, halved, flipped, rubbish, folder, unreadable, gone)


class Threads(ThreadPoolExecutor):
    """In the place of processes, which take seconds to start."""

    def __init__(self, _workers: int | None, mp_context: object):
        super().__init__(1)


class Scorer:
    """In the place of eleven detectors, which take seconds to fit."""

    def __init__(self, names: tuple[str, ...]):
        self.names = names

    def score(self, images: np.ndarray) -> dict[str, np.ndarray]:
        return {name: images.mean(axis=(1, 2)) + place for place, name in enumerate(self.names)}


def scored(cnn: Predictor, digits: LabelledDigits) -> object:
    names = input_scores.possible(cnn, fitted=False)
    found = input_scores.score_inputs(cnn, digits.images, digits.digest, lambda: Scorer(names), fitted=False)
    return [found.prediction, found.confidence, *found.scores.values()]


def robust(cnn: Predictor, digits: LabelledDigits) -> object:
    found = robustness_of(cnn, digits, n=2)
    return [found.correct, found.confidence]


def nearest(cnn: Predictor, digits: LabelledDigits) -> object:
    found = neighbours.Neighbours.of(cnn).nearest(cnn.run(digits.images[:5]).embedding)
    return [found.indices, found.similarities]


def table(cnn: Predictor, digits: LabelledDigits) -> object:
    found = table_of(cnn, digits)
    return [found.confusion(), found.embeddings(), found.probabilities(), found.rows([3])[0].pixels]


CACHES: dict[str, Work] = {
    "banks": nearest,
    "drawn": lambda _, digits: [drawn.drawn_copies(digits.take(np.arange(3)))],
    "faithfulness": lambda cnn, digits: [
        faithfulness.boundaries(cnn, digits.take(np.arange(1)), lambda *_: None)
    ],
    "generated-inputs": lambda _, digits: [generated_inputs.made("uniform-noise", digits, 20)],
    "input-scores": scored,
    "maps": lambda cnn, digits: [map_of(cnn.run(digits.images[:40]).embedding, key="a-b")],
    "robustness": robust,
    "tables": table,
}


@pytest.fixture
def digits(optdigits: LabelledDigits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LabelledDigits:
    monkeypatch.setenv("DIGITSCOPE_DATA", str(tmp_path))
    monkeypatch.setattr(drawn, "ProcessPoolExecutor", Threads)
    found = optdigits.take(np.arange(60))
    monkeypatch.setattr(neighbours, "_training_digits", lambda: found)
    monkeypatch.setattr(faithfulness, "turn_into", lambda *_: None)  # minutes, and not what is asked here
    return found


def test_every_kept_array_is_among_those_that_are_damaged_here():
    sources = "".join(path.read_text(encoding="utf-8") for path in (paths.ROOT / "core").glob("*.py"))
    kept = set(re.findall(r'ArrayCache\(data_folder\(\) / "([a-z-]+)"', sources))
    assert kept | {"tables"} == set(CACHES)


@pytest.mark.parametrize("kind", CACHES)
def test_a_damaged_cache_gives_the_right_answer_a_line_in_the_log_and_mends_itself(
    kind: str, cnn: Predictor, digits: LabelledDigits, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.WARNING)

    def answer() -> list[np.ndarray]:
        caplog.clear()
        return [np.array(part) for part in CACHES[kind](cnn, digits)]

    right = answer()
    files = [path for path in (tmp_path / kind).rglob("*") if path.is_file()]
    assert files
    for number, damage in enumerate(DAMAGES * (1 + (kind == "tables"))):
        file = files[number % len(files)]
        damage(file)
        for part, expected in zip(answer(), right, strict=True):
            assert np.array_equal(part, expected), (damage.__name__, file.name)
        if kind != "tables" and damage is not gone:  # a table without a file is unfinished, no damage
            assert "it is computed anew" in caplog.text, (damage.__name__, file.name)
        for part, expected in zip(answer(), right, strict=True):
            assert np.array_equal(part, expected)
        assert not caplog.text, "it mended itself"
        assert file.is_file()
        assert not file.is_symlink()


@pytest.mark.parametrize("kind", [kind for kind in CACHES if kind != "tables"])
def test_a_cache_that_cannot_be_written_costs_time_and_no_answer(
    kind: str, cnn: Predictor, digits: LabelledDigits, tmp_path: Path, caplog, monkeypatch
):
    right = CACHES[kind](cnn, digits)
    shutil.rmtree(tmp_path / kind)
    (tmp_path / kind).write_text("in the way of the folder")
    for part, expected in zip(CACHES[kind](cnn, digits), right, strict=True):
        assert np.array_equal(part, expected)
    assert re.search(rf"{kind}.*can't be written .*; it is computed anew next time", caplog.text)
    (tmp_path / kind).unlink()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("core.array_cache.np.save", full)
        caplog.clear()
        for part, expected in zip(CACHES[kind](cnn, digits), right, strict=True):
            assert np.array_equal(part, expected)
        assert "No space left on device" in caplog.text
    assert list((tmp_path / kind).iterdir()) == []


def kept_set(digits: LabelledDigits) -> Callable[[], object]:
    name = own.store(digits, "mine.zip")
    return lambda: [own.stored(name).images]


def kept_story(_: LabelledDigits) -> Callable[[], object]:
    stories.write("mine", BUILT_IN)
    return lambda: stories.read("mine")


def kept_note(_: LabelledDigits) -> Callable[[], object]:
    notes.write("some", 1, text="kept")
    return lambda: [note.text for note in notes.read_all("some")]


@pytest.mark.parametrize(
    ("keep", "damage"),
    [
        *(
            (keep, damage)
            for keep in (kept_set, kept_story)
            for damage in (halved, rubbish, folder, unreadable)
        ),
        *((kept_note, damage) for damage in (halved, rubbish, folder)),
    ],
)
def test_what_people_made_and_was_damaged_is_named_in_a_sentence(
    keep: Callable, damage: Callable[[Path], None], digits: LabelledDigits, tmp_path: Path
):
    look = keep(digits)
    look()
    (file,) = (path for path in tmp_path.rglob("*") if path.suffix in (".npz", ".json", ".sqlite3"))
    damage(file)
    with pytest.raises(DigitscopeError, match=re.escape(str(file))) as caught:
        look()
    assert "Traceback" not in str(caught.value)
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize("damage", [emptied, halved, flipped, rubbish, folder, unreadable])
def test_an_evaluation_of_the_command_line_that_was_damaged_is_refused_by_its_folder(
    damage: Callable[[Path], None], cnn: Predictor, digits: LabelledDigits, tmp_path: Path
):
    made = tmp_path / "evaluations" / "mine"
    made.parent.mkdir()
    evaluate_here(digits, made, cnn)
    assert len(open_sealed(made)) == len(digits)
    for name in ("part-00000.parquet", "checksums.json"):
        shutil.copytree(made, tmp_path / "copy")
        damage(tmp_path / "copy" / name)
        with pytest.raises(DatasetError, match=r"copy: the evaluation is damaged.*--fresh"):
            open_sealed(tmp_path / "copy")
        shutil.rmtree(tmp_path / "copy")
    (made / "checksums.json").unlink()  # as older versions left it
    assert len(open_sealed(made)) == len(digits)


@pytest.mark.parametrize("damage", [halved, folder])
def test_pages_over_damaged_files_say_so_or_show_the_right_figures(
    damage: Callable[[Path], None], digits: LabelledDigits, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    evaluations._table.clear()  # of another data folder
    resources.samples.clear()
    name = own.store(digits, "mine.zip")
    notes.write("optdigits", 1, text="kept")
    stories.write("mine", BUILT_IN)
    app = AppTest.from_file(str(paths.ROOT / "dashboard" / "app.py"), default_timeout=120)
    app.query_params["data"] = name
    app.switch_page("views/errors.py").run()
    assert not app.exception

    def figures() -> list[str]:
        return [element.value for element in app.markdown if " of 60" in element.value]

    right = figures()
    assert right
    (part,) = (tmp_path / "tables").rglob("part-*.parquet")
    damage(part)
    app.run()
    # In the middle of a visit: the server makes a sentence of the error (`dashboard.server.show_error`).
    assert "is damaged; it is computed anew" in caplog.text or damage is folder
    assert app.exception or figures() == right
    app.run()
    assert not app.exception
    assert figures() == right
    for file in (*tmp_path.glob("own/*.npz"), tmp_path / "notes.sqlite3", *tmp_path.glob("stories/*.json")):
        damage(file)
    resources.samples.clear()  # as after a restart
    app.run()
    assert not app.exception
    said = [each.value for each in (*app.error, *app.warning)]
    assert any("damaged" in each for each in said)
    app.query_params.clear()
    app.query_params["story"] = "mine"
    app.switch_page("views/story.py").run()
    assert not app.exception
    assert any("mine" in each.value for each in app.error)


def test_an_array_that_was_cut_while_it_is_used_stays_whole(tmp_path: Path):
    cache = ArrayCache(tmp_path / "arrays", limit=3)
    cache.write("a", np.ones((1000, 1000), np.float32))
    found = cache.read("a", shape=(1000, 1000))
    os.truncate(tmp_path / "arrays" / "a.npy", 100)
    assert found.sum() == 1_000_000
