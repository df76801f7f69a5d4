"""Hostile files through a real Chromium: a sentence for each, and the next honest one is answered."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from scripts.hostile import SEED, corpus
from scripts.hostile_case import Case, on_paper, saved
from scripts.hostile_sets import packed
from tests.browser import Server, serve
from tests.visitor import Visitor, browser, visitor

pytestmark = pytest.mark.journey
__all__ = ["browser", "visitor"]

# Of the Draw page, and what is said of each behind its name.
PICTURES = {
    ("truncated", "33.png"): "can't be read|not an image|damaged",
    ("false size", "65535.png"): "megapixels",
    ("many parts", "chunks.png"): "has over 10,000 parts",
    ("no picture", "svg.png"): "not an image",
    ("name", "broken <script>alert(1)<∕script>.png"): "not an image",
}
SETS = {
    ("zip bomb", "300-large-png.zip"): "over 1,000 megapixels together",
    ("archive name", "0.zip"): "points out of the archive",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    with serve(folder / "log", DIGITSCOPE_DATA=str(folder / "data")) as running:
        yield running
        log = running.log.read_text()
    assert not re.search(r"Traceback|Exception", log), log


@pytest.fixture(scope="module")
def hostile() -> dict[tuple[str, str], Case]:
    return {(case.kind, case.name): case for case in corpus(SEED)}


def test_hostile_pictures_end_in_sentences_and_the_next_is_read(visitor: Visitor, hostile, tmp_path: Path):
    visitor.open("/draw?source=Upload")
    chooser = visitor.page.locator("input[type=file]")
    for key, said in PICTURES.items():
        chooser.set_input_files(hostile[key].put(tmp_path))
        alert = visitor.page.get_by_role("alert").filter(has_text=key[1])
        expect(alert).to_have_text(re.compile(said))
        expect(alert).not_to_have_text(re.compile("Traceback"))
    chooser.set_input_files({"name": "3.png", "mimeType": "image/png", "buffer": saved(on_paper(), "PNG")})
    visitor.reads(3)


def test_hostile_archives_end_in_sentences_and_the_next_is_measured(
    visitor: Visitor, hostile, tmp_path: Path
):
    page = visitor.page
    visitor.open("/errors?shown=all")
    page.get_by_role("button", name="Your own digits").click()
    chooser = page.locator("input[type=file]")
    remove = page.get_by_role("button", name=re.compile("^Remove"))
    for key, said in SETS.items():
        if remove.count():
            remove.click()
        chooser.set_input_files(hostile[key].put(tmp_path))
        expect(page.get_by_text(re.compile(rf"{re.escape(key[1])}.*{said}"))).to_be_visible()
    honest = packed({f"3/{n}.png": saved(on_paper(), "PNG") for n in range(3)})
    chooser.set_input_files({"name": "mine.zip", "mimeType": "application/zip", "buffer": honest})
    expect(page.get_by_text(re.compile(rf"remove with × what was refused before: {key[1]}"))).to_be_visible()
    remove.and_(page.get_by_label(key[1])).click()
    expect(page.get_by_text(re.compile("of 3.* digits of mine.zip"))).to_be_visible()


def test_a_file_over_the_size_is_refused_before_it_is_sent(visitor: Visitor, hostile, tmp_path: Path):
    visitor.open("/draw?source=Upload")
    case = hostile["no picture", "over-10-megabytes.png"]
    visitor.page.locator("input[type=file]").set_input_files(case.put(tmp_path))
    expect(visitor.page.get_by_text(re.compile("10.0 ?MB or smaller"))).to_be_visible()
