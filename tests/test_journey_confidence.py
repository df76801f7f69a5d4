"""The Confidence page in a real Chromium: from a bin to its digits, from a threshold to what it costs."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from core.answers import Answers, answers_of
from core.card import read_card
from core.datasets import load_dataset
from core.paths import checkpoint_folder
from core.predictor import Predictor
from core.table import EvaluationTable
from core.tabulation import table_of
from dashboard.parts.refusing import BESIDE
from dashboard.parts.reliability import PER_PAGE
from tests.browser import serve
from tests.visitor import Visitor, browser

pytestmark = pytest.mark.journey
__all__ = ["browser"]

SHOWN = """wanted => {
    const roots = [...document.querySelectorAll('*')].map(e => e.shadowRoot).filter(Boolean);
    const grids = roots.flatMap(root => [...root.querySelectorAll('.grid')]);
    const digits = grids.map(grid => [...grid.querySelectorAll('[data-index]')]);
    const shown = digits.map(all => all.map(digit => Number(digit.dataset.index)));
    return JSON.stringify(shown) === JSON.stringify(wanted);
}"""


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
def found(table: EvaluationTable) -> Answers:
    return answers_of(table, read_card(checkpoint_folder("cnn")).temperature)


@pytest.fixture(scope="module")
def address(browser: Browser, data_folder: Path, tmp_path_factory: pytest.TempPathFactory):
    with serve(tmp_path_factory.mktemp("server") / "log", DIGITSCOPE_DATA=str(data_folder)) as running:
        yield running.url
        log = running.log.read_text()
    assert not re.search(r"Traceback|ERROR|Exception", log), log


@pytest.fixture
def visitor(browser: Browser, address: str):
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    someone = Visitor(context.new_page(), address)
    yield someone
    context.close()
    assert someone.complaints == []


def expect_galleries(visitor: Visitor, *galleries: list[int]) -> None:
    """Waits until the galleries show exactly these digits, in this order."""
    visitor.page.wait_for_function(SHOWN, arg=list(galleries))


def bins_by_size(found: Answers, stage: str) -> list[int]:
    """The bins from the fullest down."""
    return (-found.reliability(stage).counts).argsort(kind="stable").tolist()


def test_a_bin_opens_exactly_its_digits_and_one_of_them_its_page(visitor: Visitor, found: Answers) -> None:
    page = visitor.page
    visitor.open("/confidence")
    expect_galleries(visitor, found.in_bin("after", 14)[:PER_PAGE])
    for stage, place in (("after", 2), ("before", 1), ("before", 3)):
        number = bins_by_size(found, stage)[place]
        diagram = page.get_by_role("group", name=re.compile("^After" if stage == "after" else "^Before"))
        diagram.locator(f'button[data-bin="{number}"]').click()
        digits = found.in_bin(stage, number)
        expect_galleries(visitor, digits[:PER_PAGE])
        expect(page.get_by_text(re.compile(f"^{len(digits)} digits? that it was"))).to_be_visible()
        expect(diagram.locator('button[aria-pressed="true"]')).to_have_count(1)
    assert f"bin={number}" in page.url
    first = digits[0]
    page.locator(".grid a").first.click()
    expect(page.get_by_role("heading", name=f"Digit {first}", exact=True)).to_be_visible()
    page.go_back()
    expect_galleries(visitor, digits[:PER_PAGE])


def test_a_digits_page_is_that_of_the_model_on_the_page(visitor: Visitor) -> None:
    page = visitor.page
    visitor.open("/confidence?model=linear&look=refusing&below=90")
    first = page.locator(".grid a").first
    index = first.get_attribute("data-index")
    first.click()
    expect(page.get_by_role("heading", name=f"Digit {index}", exact=True)).to_be_visible()
    assert "model=linear" in page.url
    expect(page.get_by_text("Knows 3 and 7")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Confidence", exact=True)).to_be_visible()
    assert "below=90" in page.url


def test_the_keyboard_reaches_a_bin_and_pages_lead_on(visitor: Visitor, found: Answers) -> None:
    page = visitor.page
    visitor.open("/confidence")
    number = next(
        n for n in bins_by_size(found, "after") if n != 14 and len(found.in_bin("after", n)) > PER_PAGE
    )
    diagram = page.get_by_role("group", name=re.compile("^After"))
    diagram.locator(f'button[data-bin="{number}"]').focus()
    page.keyboard.press("Enter")
    digits = found.in_bin("after", number)
    expect_galleries(visitor, digits[:PER_PAGE])
    visitor.press("Next page")
    expect_galleries(visitor, digits[PER_PAGE : 2 * PER_PAGE])
    page.reload()
    expect_galleries(visitor, digits[PER_PAGE : 2 * PER_PAGE])


def test_moving_the_threshold_changes_the_words_and_the_digits_and_the_link_keeps_it(
    visitor: Visitor, browser: Browser, found: Answers
) -> None:
    page, curve = visitor.page, found.curve
    saved = read_card(checkpoint_folder("cnn")).verdict["refuse_below"]
    visitor.open("/confidence")
    page.get_by_role("radio", name="Let it refuse").or_(page.get_by_text("Let it refuse")).first.click()
    expect(page.locator(".price")).to_contain_text(curve.at(saved).words)
    expect_galleries(visitor, *found.beside(saved, BESIDE))
    slider = page.get_by_role("slider")
    slider.focus()
    for _ in range(20):
        page.keyboard.press("ArrowRight")
    below = float(slider.input_value())
    assert below > 100 * saved + 1
    expect(page.locator(".price")).to_contain_text(curve.at(below / 100).words)
    expect_galleries(visitor, *found.beside(below / 100, BESIDE))
    assert curve.at(below / 100).refused > curve.at(saved).refused
    address = page.url
    page.reload()
    expect(page.locator(".price")).to_contain_text(curve.at(below / 100).words)
    expect_galleries(visitor, *found.beside(below / 100, BESIDE))
    assert page.url == address
    other = Visitor(browser.new_page(), visitor.url)
    other.open(address.removeprefix(visitor.url))
    expect(other.page.locator(".price")).to_contain_text(curve.at(below / 100).words)
    other.page.close()
    page.get_by_role("link", name="Overview").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    page.get_by_role("link", name="Confidence").click()
    expect(page.locator(".price")).to_contain_text(curve.at(below / 100).words)
    page.get_by_role("button", name=re.compile("^Saved: below")).click()
    expect(page.locator(".price")).to_contain_text(curve.at(saved).words)
    assert other.complaints == []


def test_every_controls_effect_is_on_the_first_screen(visitor: Visitor) -> None:
    page = visitor.page
    visitor.open("/confidence?look=refusing")
    for name in ("Cheapest: below", "Saved: below"):
        box = page.get_by_role("button", name=re.compile(f"^{name}")).bounding_box()
        assert box is not None
        assert box["y"] + box["height"] < 900
    box = page.locator(".price").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < 900
