"""The Errors page in a real Chromium: from the matrix to the images behind it, to one digit, and back."""

import csv
import io
import re
import zipfile
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from playwright.sync_api import Browser, expect

from core.confusion import Confused, Confusion
from core.datasets import load_dataset
from core.embedding_map import inside, map_of
from core.predictor import Predictor
from core.selection import Selection
from core.table import DigitRow, EvaluationTable
from core.tabulation import table_of
from tests.browser import serve
from tests.visitor import Visitor, browser

pytestmark = pytest.mark.journey
__all__ = ["browser"]


@pytest.fixture(scope="module")
def data_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder without MNIST: the journeys walk on the bundled digits."""
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def table(data_folder: Path) -> EvaluationTable:
    """The table of the shipped network on the digits that the page shows."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DIGITSCOPE_DATA", str(data_folder))
        return table_of(Predictor.load("cnn"), load_dataset("optdigits"))


@pytest.fixture(scope="module")
def pair(table: EvaluationTable) -> Confused:
    """A confusion of two digits or more."""
    return Confusion(table.confusion(), table.about.classes).top(1)[0]


@pytest.fixture(scope="module")
def address(browser: Browser, data_folder: Path, tmp_path_factory: pytest.TempPathFactory):
    with serve(tmp_path_factory.mktemp("server") / "log", DIGITSCOPE_DATA=str(data_folder)) as running:
        yield running.url
        log = running.log.read_text()
    assert not re.search(r"Traceback|ERROR|Exception", log), log


@pytest.fixture
def visitor(browser: Browser, address: str):
    context = browser.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True)
    someone = Visitor(context.new_page(), address)
    yield someone
    context.close()
    assert someone.complaints == []


def shown(visitor: Visitor) -> list[int]:
    """The places of the digits in the gallery, in their order."""
    found = visitor.page.locator(".grid button").evaluate_all("all => all.map(b => b.dataset.index)")
    return [int(index) for index in found]


def expect_gallery(visitor: Visitor, indices: list[int]) -> None:
    """Waits until the gallery shows exactly these digits, in this order."""
    visitor.page.wait_for_function(
        """wanted => {
            const roots = [...document.querySelectorAll('*')].map(e => e.shadowRoot).filter(Boolean);
            const buttons = roots.flatMap(root => [...root.querySelectorAll('.grid button')]);
            return JSON.stringify(buttons.map(b => Number(b.dataset.index))) === JSON.stringify(wanted);
        }""",
        arg=indices,
    )
    assert shown(visitor) == indices


def wrong(table: EvaluationTable, pair: Confused) -> list[int]:
    return table.indices(Selection(label=pair.true, prediction=pair.read, right=False))


def row_of(table: EvaluationTable, index: int) -> DigitRow:
    return table.rows([index])[0]


def cell(pair: Confused) -> str:
    return f"true {pair.true}, read as {pair.read}: {pair.count}"


def test_a_cell_opens_exactly_its_digits_and_one_of_them_its_page(
    visitor: Visitor, table: EvaluationTable, pair: Confused
) -> None:
    page, expected = visitor.page, wrong(table, pair)
    visitor.open("/errors")
    page.get_by_label(cell(pair), exact=True).click()
    expect_gallery(visitor, expected)
    first = row_of(table, expected[0])
    picture = page.locator(".grid img").first
    assert f"Digit {first.index}: true {pair.true}, read as {pair.read}" in (
        picture.get_attribute("alt") or ""
    )
    picture.click()
    expect(page.get_by_role("heading", name=f"Digit {expected[0]}", exact=True)).to_be_visible()
    expect(page.locator(".answer .digit")).to_have_text(str(pair.read))
    expect(page.get_by_text(f"1 of {len(expected)}")).to_be_visible()
    expect(page.locator(".pair figure")).to_have_count(2)
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("heading", name=f"Digit {expected[1]}", exact=True)).to_be_visible()
    address = page.url
    assert f"digit={expected[1]}" in address
    page.reload()
    expect(page.get_by_role("heading", name=f"Digit {expected[1]}", exact=True)).to_be_visible()
    expect(page.get_by_text(f"2 of {len(expected)}")).to_be_visible()
    assert page.url == address
    page.get_by_role("button", name=re.compile("^Previous")).click()
    expect(page.get_by_role("heading", name=f"Digit {expected[0]}", exact=True)).to_be_visible()
    visitor.press("All digits")
    expect_gallery(visitor, expected)


def test_back_and_forward_walk_through_what_was_seen(
    visitor: Visitor, table: EvaluationTable, pair: Confused
) -> None:
    page, expected, every = visitor.page, wrong(table, pair), table.indices(Selection(right=False), limit=48)
    visitor.open("/errors")
    expect_gallery(visitor, every)
    page.get_by_label(cell(pair), exact=True).click()
    expect_gallery(visitor, expected)
    page.locator(".grid button").first.click()
    expect(page.get_by_role("heading", name=f"Digit {expected[0]}", exact=True)).to_be_visible()
    page.go_back()
    expect_gallery(visitor, expected)
    page.go_back()
    expect_gallery(visitor, every)
    page.go_forward()
    expect_gallery(visitor, expected)


def test_the_view_survives_a_page_switch_and_travels_in_its_link(
    visitor: Visitor, browser: Browser, table: EvaluationTable, pair: Confused
) -> None:
    page = visitor.page
    visitor.open("/errors?lens=confusions&order=confidence&shown=all&per=24")
    expected = table.indices(
        Selection(label=pair.true, prediction=pair.read, right=False), order="confidence", limit=24
    )
    page.get_by_role("button", name=re.compile(f"^{pair.true} read as {pair.read}:")).click()
    expect_gallery(visitor, expected)
    address = page.url
    page.get_by_role("link", name="Overview").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    page.get_by_role("link", name="Errors").click()
    expect_gallery(visitor, expected)
    other = Visitor(browser.new_page(), visitor.url)
    other.open(address.removeprefix(visitor.url))
    expect_gallery(other, expected)
    other.page.close()
    assert other.complaints == []


def test_the_keyboard_alone_reaches_a_cell_and_its_digits(
    visitor: Visitor, table: EvaluationTable, pair: Confused
) -> None:
    page = visitor.page
    visitor.open("/errors")
    start = page.get_by_label(f"every true {pair.true}", exact=True)
    start.focus()
    for _ in range(12):
        page.keyboard.press("ArrowRight")
        named = page.evaluate("""() => {
            let active = document.activeElement;
            while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
            return active.getAttribute('aria-label');
        }""")
        if named == cell(pair):
            break
    assert named == cell(pair)
    page.keyboard.press("Enter")
    expect_gallery(visitor, wrong(table, pair))
    expect(page.get_by_label(cell(pair), exact=True)).to_have_attribute("aria-pressed", "true")


def test_rows_filters_orders_and_pages_change_the_gallery(visitor: Visitor, table: EvaluationTable) -> None:
    page = visitor.page
    visitor.open("/errors?lens=digits&per=24")
    page.get_by_label(re.compile("^Show the 8s that were read wrongly")).click()
    expect_gallery(visitor, table.indices(Selection(label=8, right=False), limit=24))
    page.get_by_role("radio", name="Right").or_(page.get_by_text("Right", exact=True)).first.click()
    right = Selection(label=8, right=True)
    expect_gallery(visitor, table.indices(right, limit=24))
    visitor.press("Next page")
    expect_gallery(visitor, table.indices(right, offset=24, limit=24))
    visitor.press("Clear")
    expect_gallery(visitor, table.indices(Selection(right=True), limit=24))


def test_overlays_lie_over_every_thumbnail(visitor: Visitor, table: EvaluationTable) -> None:
    sources = "all => all.map(i => i.src)"
    visitor.open("/errors?per=24")
    expect_gallery(visitor, table.indices(Selection(right=False), limit=24))
    plain = visitor.page.locator(".grid img").evaluate_all(sources)
    visitor.page.get_by_text("Grad-CAM", exact=True).click()
    visitor.page.wait_for_function(
        """before => {
            const roots = [...document.querySelectorAll('*')].map(e => e.shadowRoot).filter(Boolean);
            const images = roots.flatMap(root => [...root.querySelectorAll('.grid img')]);
            return images.length === before.length && images.every((image, i) => image.src !== before[i]);
        }""",
        arg=plain,
    )


def test_a_note_is_kept_found_again_and_taken_away(
    visitor: Visitor, table: EvaluationTable, pair: Confused
) -> None:
    page, index = visitor.page, wrong(table, pair)[0]
    visitor.open(f"/errors?digit={index}")
    page.get_by_role("button", name="ambiguous").or_(page.get_by_text("ambiguous", exact=True)).first.click()
    expect(page.get_by_text(re.compile("Kept 20"))).to_be_visible()
    visitor.open("/errors?note=ambiguous")
    expect_gallery(visitor, [index])
    page.get_by_role("button", name="Take away").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Table (CSV)").click()
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text(encoding="utf-8"))))
    assert [(row["index"], row["label"], row["prediction"]) for row in rows] == [
        (str(index), str(pair.true), str(pair.read))
    ]
    assert "ambiguous" in rows[0]["tags"]


def test_two_sessions_that_note_the_same_digit_lose_nothing(
    visitor: Visitor, browser: Browser, table: EvaluationTable
) -> None:
    index = table.indices(Selection(right=False), limit=5)[4]
    other = Visitor(browser.new_page(), visitor.url)
    for someone in (visitor, other):
        someone.open(f"/errors?digit={index}")
        expect(someone.page.get_by_role("textbox", name="Text")).to_be_visible()
    visitor.page.get_by_role("textbox", name="Text").fill("from the first")
    visitor.page.keyboard.press("Control+Enter")
    expect(visitor.page.get_by_text(re.compile("Kept 20"))).to_be_visible()
    other.page.get_by_text("interesting", exact=True).first.click()
    expect(other.page.get_by_role("textbox", name="Text")).to_have_value("from the first")
    other.page.close()
    visitor.page.reload()
    expect(visitor.page.get_by_role("textbox", name="Text")).to_have_value("from the first")
    assert other.complaints == []


@pytest.mark.parametrize("model", ["cnn", "linear"])
def test_a_digit_goes_to_the_canvas_as_a_start(visitor: Visitor, table: EvaluationTable, model: str) -> None:
    index = table.indices(Selection(label=7, right=True), order="confidence", limit=1)[0]
    visitor.open(f"/errors?digit={index}&model={model}")
    visitor.press("Edit in Draw")
    expect(visitor.page.get_by_role("heading", name="Draw a digit")).to_be_visible()
    visitor.reads(7)
    only_two = visitor.page.get_by_text("This model only knows 3 and 7")
    expect(only_two).to_have_count(int(model == "linear"))
    visitor.page.wait_for_url(re.compile(r"[?&]d="))


def test_an_uploaded_zip_is_evaluated_and_its_bad_file_named(visitor: Visitor, optdigits) -> None:
    from PIL import Image

    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as written:
        for place in range(12):
            picture = io.BytesIO()
            Image.fromarray(np.pad(optdigits.images[place], 6)).save(picture, format="PNG")
            written.writestr(f"mine/{optdigits.labels[place]}/{place}.png", picture.getvalue())
        written.writestr("mine/3/broken.png", b"no picture")
    page = visitor.page
    visitor.open("/errors?shown=all")
    page.get_by_role("button", name="Your own digits").click()
    page.locator("input[type=file]").set_input_files(
        {"name": "my digits.zip", "mimeType": "application/zip", "buffer": archive.getvalue()}
    )
    expect(page.get_by_text(re.compile(r"of 12.*1 files? could not be used"))).to_be_visible()
    page.wait_for_url(re.compile("data=own"))
    page.get_by_text("1 file could not be used: which, and why").click()
    expect(page.get_by_text(re.compile("broken.png"))).to_be_visible()


def test_a_folder_is_sent_with_its_subfolders(visitor: Visitor, optdigits, tmp_path: Path) -> None:
    from PIL import Image

    for place in range(12):
        folder = tmp_path / "sent here" / str(optdigits.labels[place])
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.pad(optdigits.images[place], 6)).save(folder / f"{place}.png")
    (tmp_path / "sent here" / "readme.txt").write_text("no picture")
    page = visitor.page
    visitor.open("/errors?shown=all")
    page.get_by_role("button", name="Your own digits").click()
    page.get_by_text("A folder", exact=True).click()
    page.locator("input[type=file][webkitdirectory]").set_input_files(tmp_path / "sent here")
    expect(
        page.get_by_text(re.compile(r"of 12.* digits of sent here.*1 file could not be used"))
    ).to_be_visible()


def test_a_data_set_larger_than_a_picture_may_be_is_taken(visitor: Visitor, tmp_path: Path) -> None:
    generator = np.random.default_rng(4)
    images = generator.integers(0, 256, (16_000, 28, 28), dtype=np.uint8)
    np.savez(tmp_path / "noise.npz", images=images, labels=generator.integers(0, 10, 16_000))
    assert (tmp_path / "noise.npz").stat().st_size > 12 * 2**20
    visitor.open("/errors")
    visitor.page.get_by_role("button", name="Your own digits").click()
    visitor.page.locator("input[type=file]").set_input_files(tmp_path / "noise.npz")
    expect(visitor.page.get_by_text(re.compile("of 16,000.* digits of noise.npz"))).to_be_visible()


def test_two_models_are_compared_in_words_and_pictures(
    visitor: Visitor, table: EvaluationTable, optdigits
) -> None:
    known = np.flatnonzero(np.isin(optdigits.labels, (3, 7)))
    answers = [
        np.array([said.digit for said in Predictor.load(name).predict(optdigits.images[known])])
        for name in ("cnn", "linear")
    ]
    right = [given == optdigits.labels[known] for given in answers]
    newly_wrong = tuple(known[right[0] & ~right[1]].tolist())
    visitor.open("/errors?lens=compare&other=linear")
    expect(visitor.page.get_by_text(re.compile("McNemar's exact test|shown to be better"))).to_be_visible()
    visitor.page.get_by_label(re.compile("^cnn is right, linear is wrong: ")).click()
    visitor.page.wait_for_url(re.compile("change=newly_wrong"))
    expect_gallery(visitor, table.indices(Selection(among=newly_wrong), limit=48))


def test_a_lasso_on_the_map_picks_the_digits_inside_it(
    visitor: Visitor, table: EvaluationTable, data_folder: Path
) -> None:
    page = visitor.page
    visitor.open("/errors?lens=map&per=200&shown=all")
    plot = page.locator(".stPlotlyChart .nsewdrag").first
    plot.wait_for()
    page.wait_for_timeout(1000)
    box = plot.bounding_box()
    assert box is not None
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    corners = [(middle[0] + x, middle[1] + y) for x, y in ((-90, -90), (90, -90), (90, 90), (-90, 90))]
    page.mouse.move(*corners[0])
    page.mouse.down()
    for corner in (*corners[1:], corners[0]):
        page.mouse.move(*corner, steps=12)
    page.mouse.up()
    page.wait_for_url(re.compile("area="))
    (text,) = parse_qs(urlsplit(page.url).query)["area"]
    area = [(float(x), float(y)) for x, y in (pair.split(",") for pair in text.split("_"))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DIGITSCOPE_DATA", str(data_folder))
        points = map_of(table.embeddings(), key=table.embedding_key)
    places = tuple(np.flatnonzero(inside(points, area)).tolist())
    assert len(places) > 20
    expect_gallery(visitor, table.indices(Selection(among=places), limit=200))


def test_links_that_make_no_sense_show_the_page_all_the_same(visitor: Visitor) -> None:
    visitor.open("/errors?lens=nonsense&true=42&read=x&page=-3&area=1,2&digit=99999999&low=900")
    expect(visitor.page.get_by_text("There is no digit 99999999")).to_be_visible()
    visitor.press("All digits")
    expect(visitor.page.get_by_role("heading", name="Errors")).to_be_visible()
    visitor.open("/errors?data=own/gone-000000000000")
    expect(visitor.page.get_by_text("which is not at hand")).to_be_visible()


def test_on_a_phone_nothing_scrolls_sideways(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    someone = Visitor(context.new_page(), address)
    for path in ("/errors", "/errors?lens=digits", "/errors?lens=confusions", "/errors?digit=5"):
        someone.open(path)
        expect(someone.page.get_by_role("heading", level=1)).to_be_visible()
        someone.page.wait_for_timeout(1500)
        assert someone.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
    someone.open("/errors?lens=confusions")
    someone.page.locator("tbody button").first.tap()
    expect(someone.page.locator(".grid button").first).to_be_in_viewport()  # below the table, scrolled to
    context.close()
    assert someone.complaints == []
