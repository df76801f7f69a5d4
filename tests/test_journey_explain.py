"""From a misread digit to the evidence for one against another, to a stroke erased and another answer."""

import re

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from core.datasets import load_dataset
from core.predictor import Predictor
from core.what_if import Without, without_each
from tests.browser import serve
from tests.visitor import Visitor, browser

pytestmark = pytest.mark.journey
__all__ = ["browser"]

TILES = 9


@pytest.fixture(scope="module")
def address(browser: Browser, tmp_path_factory: pytest.TempPathFactory):
    """A data folder without MNIST: the journey walks on the bundled digits."""
    data = tmp_path_factory.mktemp("data")
    with serve(tmp_path_factory.mktemp("server") / "log", DIGITSCOPE_DATA=str(data)) as running:
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


@pytest.fixture(scope="module")
def telling() -> tuple[int, int, int, Without]:
    """A misread digit, its label, what it is read as, and a stroke without which it is read as yet another
    one: found with the shipped network, whichever that is."""
    cnn, digits = Predictor.load("cnn"), load_dataset("optdigits")
    answers = cnn.run(digits.images).logits.argmax(axis=1)
    for index in np.flatnonzero(answers != digits.labels):
        read = int(answers[index])
        for one in without_each(cnn, digits.images[index], read):
            if one.digit != read and one.pixels.any():
                return int(index), int(digits.labels[index]), read, one
    pytest.skip("no misread digit's answer hangs on one stroke")


def wait_for_maps(page: Page, words: str) -> None:
    expect(page.get_by_text(re.compile(f"^Evidence for {words}"))).to_be_visible()
    expect(page.locator(".map")).to_have_count(TILES)
    alike = page.locator(f'img[alt*="evidence for {words}, scale"]')
    nothing = page.locator(".reason", has_text=f"for {words}")
    expect(alike.or_(nothing)).to_have_count(TILES)


def test_from_an_error_to_its_question_to_a_stroke_erased_and_another_answer(
    visitor: Visitor, telling: tuple[int, int, int, Without]
) -> None:
    index, label, read, without = telling
    page = visitor.page
    visitor.open(f"/errors?data=optdigits&digit={index}")
    page.get_by_role("link", name=f"Why {read} and not {label}?").click()
    expect(page.get_by_role("heading", name="Explain", exact=True)).to_be_visible()
    wait_for_maps(page, f"{read} against {label}")
    # The other way round, by the two rows of digits.
    question = page.locator(".st-key-explain-question")
    rows = question.locator('[data-testid="stButtonGroup"]')
    rows.nth(1).get_by_text(str(label), exact=True).click()  # lets go of it
    wait_for_maps(page, str(read))
    rows.nth(0).get_by_text(str(label), exact=True).click()
    rows.nth(1).get_by_text(str(read), exact=True).click()
    wait_for_maps(page, f"{label} against {read}")
    page.get_by_text("What if?", exact=True).click()
    expect(page.locator(".changed")).to_contain_text("answer and map follow")
    stroke = page.locator(f'.st-key-explain-strokes button[data-index="{without.piece}"]')
    stroke.click()
    expect(page.locator(".changed")).to_contain_text(f"Now a {without.digit}")
    expect(page.locator(".map", has_text="Changed").locator("img").first).to_be_visible()
    link = page.url
    page.reload()
    expect(page.locator(".changed")).to_contain_text(f"Now a {without.digit}")
    page.go_back()
    expect(page.locator(".changed")).to_contain_text("answer and map follow")
    page.goto(link)
    page.get_by_role("button", name="As it was").click()
    expect(page.locator(".changed")).to_contain_text("answer and map follow")


def test_ink_on_the_digit_changes_the_answers_shares_and_stays_in_the_link(visitor: Visitor) -> None:
    page = visitor.page
    visitor.open("/explain?look=whatif&index=1")
    expect(page.locator(".changed")).to_contain_text("answer and map follow")
    canvas = page.locator("canvas.upper-canvas")
    canvas.wait_for()
    box = canvas.bounding_box()
    assert box is not None
    assert box["width"] >= 280
    page.mouse.move(box["x"] + 40, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 240, box["y"] + 240, steps=8)
    page.mouse.up()
    expect(page.locator(".changed")).to_contain_text(re.compile("^(Still|Now) a"))
    words = page.locator(".changed").inner_text()
    page.wait_for_function("location.search.includes('drawn=')")
    page.get_by_role("link", name="Overview").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    page.get_by_role("link", name="Explain").click()
    expect(page.locator(".changed")).to_have_text(words)
    page.reload()
    expect(page.locator(".changed")).to_have_text(words)
    page.get_by_role("button", name="As it was").click()
    expect(page.locator(".changed")).to_contain_text("answer and map follow")
    page.go_back()
    expect(page.locator(".changed")).to_have_text(words)


def test_a_digit_is_turned_into_another_and_the_network_is_looked_into(visitor: Visitor) -> None:
    page = visitor.page
    visitor.open("/explain?look=turn&index=2")
    other = page.locator(".st-key-explain-other")
    expect(other).to_be_visible()
    other.get_by_role("radio").or_(other.locator("button")).first.click()
    expect(page.get_by_text(re.compile("^Size of the change"))).to_be_visible()
    expect(page.get_by_text("How far is the nearest boundary?")).to_be_visible()
    page.get_by_text("Inside the network", exact=True).click()
    channels = page.locator(".st-key-explain-channels .grid button")
    expect(channels).to_have_count(12)
    number = channels.nth(3).get_attribute("data-index")
    channels.nth(3).click()
    expect(page.get_by_text(f"Channel {number} of block1")).to_be_visible()


def test_everything_fits_on_a_phone(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    for look in ("methods", "believe", "whatif", "turn", "inside"):
        page.goto(f"{address}/explain?look={look}&index=3")
        expect(page.locator(".map").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 391, look
    context.close()
