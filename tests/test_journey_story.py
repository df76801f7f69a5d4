"""A presenter in Chromium: keys, a drawing in between, a caption of one's own, links."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from core.card import read_card
from core.paths import checkpoint_folder
from core.story import BUILT_IN
from core.story_facts import facts_of
from tests.browser import draw_stroke, serve
from tests.visitor import Visitor
from tests.visitor import browser as browser

pytestmark = pytest.mark.journey

SEVEN = [(80, 60), (200, 60), (120, 230)]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def server(data: Path, tmp_path_factory: pytest.TempPathFactory):
    with serve(tmp_path_factory.mktemp("server") / "log", DIGITSCOPE_DATA=str(data)) as running:
        yield running
        log = running.log.read_text()
    assert not re.search(r"Traceback|ERROR|Exception", log), log


@pytest.fixture
def visitor(browser: Browser, server):
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    someone = Visitor(context.new_page(), server.url)
    yield someone
    context.close()
    assert someone.complaints == []


def expect_step(page: Page, number: int) -> None:
    expect(page.locator(".told h1")).to_have_text(BUILT_IN.steps[number - 1].title)
    expect(page.locator('[aria-current="step"]')).to_have_text(str(number))
    expect(page).to_have_url(re.compile(rf"[?&]step={number}\b"))


def test_a_presenter_goes_through_the_story_and_makes_it_their_own(visitor: Visitor, data: Path) -> None:
    page = visitor.page
    visitor.open("/story")
    visitor.press("Present")
    expect_step(page, 1)
    expect(page.get_by_test_id("stSidebar")).to_be_hidden()
    page.keyboard.press("ArrowRight")
    expect_step(page, 2)
    draw_stroke(page, SEVEN)
    visitor.reads(7)
    page.keyboard.press("PageDown")  # the keyboard is in the canvas's frame now
    expect_step(page, 3)
    page.keyboard.press("ArrowRight")  # two quick ones
    page.keyboard.press("ArrowRight")
    expect_step(page, 5)
    for number, key in (
        (6, "ArrowRight"),
        (7, "PageDown"),
        (8, "ArrowRight"),
        (7, "PageUp"),
        (6, "ArrowLeft"),
    ):
        page.keyboard.press(key)
        expect_step(page, number)
    page.go_back()
    expect_step(page, 7)
    page.get_by_label("Set of inputs").click()
    page.get_by_role("option", name="Uniform noise").click()
    expect(page.get_by_alt_text(re.compile("^Uniform noise: read as")).first).to_be_visible()
    page.keyboard.press("PageDown")  # the keyboard is in the list of sets
    expect_step(page, 8)
    slider = page.get_by_role("slider")
    before = float(slider.input_value())
    slider.press("ArrowLeft")  # the slider's own
    expect(slider).to_have_attribute("aria-valuetext", re.compile(re.escape(f"{before - 0.1:.1f}")))
    expect_step(page, 8)
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="Story", exact=True)).to_be_visible()
    expect(page.get_by_test_id("stSidebar")).to_be_visible()

    visitor.press("Make it mine")
    visitor.press("Make the copy")
    caption = page.get_by_role("textbox", name="Caption of step 3")
    caption.fill("It is wrong in {errors} of {n}.")
    caption.blur()
    errors = facts_of(read_card(checkpoint_folder("cnn")))["errors"]
    told = f"It is wrong in {errors} of 10,000."
    expect(page.get_by_text(f"Reads: {told}")).to_be_visible()
    page.reload()
    expect(page.get_by_role("textbox", name="Caption of step 3")).to_have_value(
        "It is wrong in {errors} of {n}."
    )
    kept = json.loads((data / "stories" / "my-story.json").read_text())
    assert kept["steps"][2]["caption"] == "It is wrong in {errors} of {n}."

    visitor.open("/story?story=my-story&step=3")
    expect(page.locator(".told p")).to_have_text(told)
    expect(page.locator('[aria-current="step"]')).to_have_text("3")


def test_on_a_phone_the_buttons_lead_through_it(browser: Browser, server) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    someone = Visitor(context.new_page(), server.url)
    someone.open("/story?step=7")
    page = someone.page
    expect(page.locator(".told h1")).to_have_text(BUILT_IN.steps[6].title)
    page.get_by_role("button", name="Next").tap()
    expect(page.locator(".told h1")).to_have_text(BUILT_IN.steps[7].title)
    expect(page.get_by_role("button", name="Next")).to_be_disabled()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()
    assert someone.complaints == []
