"""A full disk, a folder that can only be read, a checkpoint that goes away, a server that is killed."""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, expect
from streamlit.testing.v1 import AppTest

from core import notes, paths
from core.datasets import load_dataset
from core.errors import DatasetError, NotesError
from core.own import store
from core.predictor import Predictor
from core.tabulation import table_of
from tests.browser import WAIT, serve
from tests.visitor import browser as browser

APP = str(paths.ROOT / "dashboard" / "app.py")

# No file may grow over 4 kB from some point on, which to a program looks like a disk that is full.
FULL = """
import logging, resource, signal, sys
import numpy as np
from pathlib import Path
logging.basicConfig(level=logging.WARNING, format="log: %(message)s", stream=sys.stdout)
from core import notes
from core.array_cache import ArrayCache
from core.card import record_metrics
from core.errors import DigitscopeError
from core.labelled import LabelledDigits
from core.own import store
from core.predictor import Predictor
from core.predictor import Predictor
from core.tabulation import table_of

predictor, folder = Predictor.load(sys.argv[1]), Path(sys.argv[2])
images = np.random.default_rng(0).integers(0, 256, (50, 28, 28), dtype=np.uint8)
data = LabelledDigits("some", images, np.arange(50) % 10, "a generator")
notes.write("some", 1, text="kept before")
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
for work in (
    lambda: notes.write("some", 2, text="x" * 2000),
    lambda: table_of(predictor, data),
    lambda: store(data, "mine.zip"),
    lambda: record_metrics(predictor.folder, "x" * 9000, {}, key=predictor.key),
    lambda: ArrayCache(folder / "arrays", 3).write("a", images),
):
    try:
        work()
    except DigitscopeError as error:
        print("said:", error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)  # space again
print([note.text for note in notes.read_all("some")])
"""


def test_a_full_disk_ends_in_sentences_and_lines_in_the_log(cnn_folder: Path, tmp_path: Path):
    folder = shutil.copytree(cnn_folder, tmp_path / "cnn")
    command = [sys.executable, "-c", FULL, str(folder), str(tmp_path)]
    environment = os.environ | {"DIGITSCOPE_DATA": str(tmp_path / "data")}
    result = subprocess.run(
        command, cwd=paths.ROOT, env=environment, capture_output=True, text=True, timeout=120
    )
    assert result.returncode == 0, result.stderr
    said = [line for line in result.stdout.splitlines() if line.startswith("said:")]
    logged = [line for line in result.stdout.splitlines() if line.startswith("log:")]
    for words in ("notes.sqlite3 can't be used", "evaluation can't be kept in", "own can't be written"):
        assert any(words in line for line in said), result.stdout
    assert any("card.json can't be written" in line for line in said)
    for words in ("notes: ", "tables can't be written", "own can't be written", "a.npy can't be written"):
        assert any(words in line for line in logged), result.stdout
    assert "['kept before']" in result.stdout
    left = [path.name for path in (tmp_path / "data").rglob("*") if path.name.endswith((".new", ".parquet"))]
    assert left == []
    assert not list(folder.glob(".card.json.*"))
    Predictor.load(folder)  # the card is whole


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A data folder with a note and a table in it, mounted so that nothing can be written."""
    folder = tmp_path / "data"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], capture_output=True).returncode:
        pytest.skip("nothing may be mounted here")
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("DIGITSCOPE_DATA", str(folder))
            table_of(Predictor.load("cnn"), load_dataset("optdigits"))
            subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
            yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def test_a_folder_that_can_only_be_read_still_shows_what_is_in_it(read_only: Path, optdigits, caplog):
    predictor = Predictor.load("cnn")
    assert len(table_of(predictor, optdigits)) == len(optdigits)
    with pytest.raises(DatasetError, match=r"can't be kept in .*Read-only file system.*DIGITSCOPE_DATA"):
        table_of(Predictor.load("linear"), optdigits)
    with pytest.raises(DatasetError, match=r"own can't be written \(Read-only"):
        store(optdigits.take(np.arange(3)), "mine.zip")
    with pytest.raises(
        NotesError, match=r"notes\.sqlite3 can't be used .*See that its folder can be written"
    ):
        notes.write("some", 1, text="x")
    assert caplog.text.count("Read-only") + caplog.text.count("unable to open") >= 3
    app = AppTest.from_file(APP, default_timeout=60)
    app.switch_page("views/errors.py")
    app.run()
    assert not app.exception
    assert any("digits" in element.value for element in app.markdown)


def test_a_checkpoint_that_goes_away_leaves_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    shutil.copytree(paths.ROOT / "checkpoints", tmp_path / "checkpoints")
    monkeypatch.setenv("DIGITSCOPE_CHECKPOINTS", str(tmp_path / "checkpoints"))
    app = AppTest.from_file(APP, default_timeout=60).run()
    assert app.session_state.model == "cnn"
    shutil.rmtree(tmp_path / "checkpoints" / "cnn")
    app.run()
    assert not app.exception
    assert app.session_state.model == "linear"
    (tmp_path / "checkpoints" / "linear" / "model.onnx").unlink()
    app.switch_page("views/draw.py")
    app.run()
    assert not app.exception  # what was loaded before is still at hand


WRITER = """
import itertools, sys, time
from core.notes import TAGS, write
for n in itertools.count(int(sys.argv[1])):
    write("mnist-test", n, tags=[TAGS[n % 3]], text=f"note {n}")
    print(n, flush=True)
    time.sleep(0.02)  # the visitors want their turn too
"""


@pytest.mark.journey
def test_a_killed_server_has_lost_no_note_that_it_said_it_kept(browser: Browser, tmp_path: Path):
    environment = {"DIGITSCOPE_DATA": str(tmp_path / "data")}
    written: list[str] = []
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(serve(tmp_path / "log", **environment))
        rival = subprocess.Popen(
            [sys.executable, "-c", WRITER, "1000"],
            cwd=paths.ROOT,
            env=os.environ | environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        stack.callback(rival.kill)
        pages = [browser.new_page() for _ in range(2)]
        for number, page in enumerate(pages):
            page.set_default_timeout(WAIT)
            page.goto(f"{server.url}/errors?data=optdigits&digit={number + 3}")
            if number == 0:
                page.get_by_role("textbox", name="Text").fill("by visitor 0")
                page.get_by_role("textbox", name="Text").blur()
            else:
                page.get_by_role("button", name="ambiguous", exact=True).click()
            expect(page.get_by_text(re.compile("Kept 20"))).to_be_visible()
        pages[0].get_by_role("textbox", name="Text").fill("on its way")
        threading.Timer(0.05, server.process.kill).start()
        pages[0].get_by_role("textbox", name="Text").blur()
        server.process.wait()
        rival.kill()
        written = rival.communicate()[0].split()
        for page in pages:
            page.close()
    assert len(written) > 10
    with serve(tmp_path / "log", **environment) as server:
        page = browser.new_page()
        page.set_default_timeout(WAIT)
        page.goto(f"{server.url}/errors?data=optdigits&digit=3")
        kept_text = re.compile("^(by visitor 0|on its way)$")
        expect(page.get_by_role("textbox", name="Text")).to_have_value(kept_text)
        page.goto(f"{server.url}/errors?data=optdigits&digit=4")
        tag = page.get_by_role("button", name="ambiguous", exact=True)
        expect(tag).to_have_attribute("aria-pressed", "true")
        page.close()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DIGITSCOPE_DATA", environment["DIGITSCOPE_DATA"])
        kept = {note.index: (note.tags, note.text) for note in notes.read_all("mnist-test")}
    for n in map(int, written):
        assert kept[n] == ((notes.TAGS[n % 3],), f"note {n}")
    assert len(kept) <= len(written) + 1, "nothing but what was written, and perhaps the one on its way"
