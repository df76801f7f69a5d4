"""The main journeys, in a real Chromium against a real server with the shipped checkpoints."""

import io
import math
import os
import re
from pathlib import Path

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, expect
from playwright.sync_api import Page as BrowserPage

from core.paths import ROOT
from dashboard.pages import PAGES, Page
from tests.browser import WAIT, canvas_corner, draw_stroke, serve
from tests.visitor import Visitor, browser, phone, server, visitor

pytestmark = pytest.mark.journey
__all__ = ["browser", "phone", "server", "visitor"]  # fixtures

ONE = [(140, 40), (140, 240)]
ZERO = [(140 + 55 * math.sin(t / 4), 140 - 90 * math.cos(t / 4)) for t in range(26)]
THREE = [
    (100, 70),
    (150, 55),
    (180, 85),
    (150, 125),
    (120, 132),
    (160, 140),
    (182, 180),
    (150, 222),
    (98, 205),
]
SCRIBBLE = [(40, 40), (240, 60), (60, 120), (230, 150), (50, 200), (220, 230), (140, 30), (120, 250)]
SEVEN = [(80, 70), (190, 70), (120, 220)]


def picture_of_a_seven() -> bytes:
    """Dark on light, small, off centre: as people send them."""
    paper = Image.new("RGB", (400, 300), (246, 243, 235))
    pen = ImageDraw.Draw(paper)
    pen.line([(60, 60), (130, 60), (90, 160)], fill=(30, 40, 120), width=9, joint="curve")
    buffer = io.BytesIO()
    paper.save(buffer, format="PNG")
    return buffer.getvalue()


def test_a_drawn_digit_is_read_explained_and_cleared(visitor: Visitor) -> None:
    visitor.open("/draw")
    visitor.sees_nothing_drawn()
    draw_stroke(visitor.page, ONE)
    visitor.reads(1)
    bars = visitor.bars()
    assert len(bars) == 10
    shares = [float(re.sub(r"[^\d.]", "", text)) for text in bars]
    assert shares.index(max(shares)) == 1
    assert sum(shares) == pytest.approx(100, abs=1)
    evidence_of_one = visitor.explanation(1)
    visitor.press("Clear")
    visitor.sees_nothing_drawn()
    draw_stroke(visitor.page, ZERO)
    visitor.reads(0)
    assert set(visitor.explanation(0)).isdisjoint(evidence_of_one)


def test_a_scribble_is_like_no_digit_and_a_three_looks_like_one(visitor: Visitor) -> None:
    visitor.open("/draw")
    draw_stroke(visitor.page, SCRIBBLE)
    verdict = visitor.page.locator(".answer .verdict")
    expect(verdict).to_have_text("Not like any digit it was trained on.")
    expect(visitor.page.locator(".answer .strip")).to_have_attribute("alt", re.compile("^Unusualness "))
    visitor.press("Clear")
    visitor.sees_nothing_drawn()
    draw_stroke(visitor.page, THREE)
    visitor.reads(3)
    expect(verdict).to_have_text("Looks like a digit.")


def test_two_digits_in_one_drawing_are_read_in_order(visitor: Visitor) -> None:
    visitor.open("/draw")
    draw_stroke(visitor.page, [(x * 0.7 + 100, y * 0.7 + 40) for x, y in ZERO])
    visitor.reads(0)
    draw_stroke(visitor.page, [(60, 70), (60, 200)])  # on the left, though drawn later
    answer = visitor.page.locator(".answer.several")
    expect(answer).to_contain_text("2 digits: 1 0")
    assert answer.locator(".each .digit").all_text_contents() == ["1", "0"]
    visitor.page.locator(".st-key-part").get_by_text("2: 0").click()
    expect(answer.locator(".chosen .digit")).to_have_text("0")
    visitor.explanation(0)


def test_evidence_can_be_asked_for_another_digit(visitor: Visitor) -> None:
    visitor.open("/draw")
    draw_stroke(visitor.page, SEVEN)
    visitor.reads(7)
    digit, evidence_of_seven = visitor.explanation(7)
    visitor.page.locator(".st-key-evidence").get_by_text("2", exact=True).click()
    assert visitor.explanation(2)[0] == digit
    assert visitor.explanation(2)[1:] != [evidence_of_seven]
    visitor.reads(7)


def test_undo_takes_the_last_stroke_away(visitor: Visitor) -> None:
    visitor.open("/draw")
    draw_stroke(visitor.page, ONE)
    visitor.reads(1)
    alone = visitor.page.url
    draw_stroke(visitor.page, [(60, 60), (220, 60)])
    visitor.page.wait_for_function("address => location.href !== address", arg=alone)
    visitor.press("Undo")
    visitor.page.wait_for_url(alone)
    visitor.reads(1)
    visitor.press("Undo")
    visitor.sees_nothing_drawn()


def test_the_drawing_survives_a_page_switch_a_reload_and_a_shared_link(visitor: Visitor) -> None:
    visitor.open("/draw")
    draw_stroke(visitor.page, SEVEN)
    visitor.reads(7)
    drawn, answer = _canvas_pixels(visitor.page), visitor.page.locator(".answer").inner_text()
    visitor.page.get_by_role("link", name="Overview").click()
    expect(visitor.page.get_by_role("heading", name="Overview")).to_be_visible()
    visitor.page.get_by_role("link", name="Draw").click()
    visitor.reads(7)
    assert _canvas_pixels(visitor.page) == pytest.approx(drawn, rel=0.02)
    visitor.page.reload()
    visitor.reads(7)
    assert visitor.page.locator(".answer").inner_text() == answer
    assert _canvas_pixels(visitor.page) == pytest.approx(drawn, rel=0.02)
    draw_stroke(visitor.page, [(100, 150), (180, 150)])  # a crossed 7: the restored canvas goes on
    visitor.page.wait_for_function("count => window.__count !== count", arg=drawn)
    assert _canvas_pixels(visitor.page) > drawn


def test_a_picture_can_be_uploaded_and_a_broken_one_is_named(visitor: Visitor) -> None:
    visitor.open("/draw")
    visitor.page.get_by_text("Upload", exact=True).click()
    chooser = visitor.page.locator("input[type=file]")
    chooser.set_input_files({"name": "seven.png", "mimeType": "image/png", "buffer": picture_of_a_seven()})
    visitor.reads(7)
    whole = picture_of_a_seven()
    broken = {"name": "broken.png", "mimeType": "image/png", "buffer": whole[: len(whole) // 2]}
    chooser.set_input_files(broken)
    expect(visitor.page.get_by_text(re.compile(r"broken\.png: the image is damaged"))).to_be_visible()


def test_the_drawing_is_kept_while_another_source_is_looked_at(visitor: Visitor) -> None:
    visitor.open("/draw")
    draw_stroke(visitor.page, SEVEN)
    visitor.reads(7)
    drawn = _canvas_pixels(visitor.page)
    visitor.page.get_by_text("Upload", exact=True).click()
    visitor.sees_nothing_drawn()
    visitor.page.locator("[data-testid=stMain]").get_by_text("Draw", exact=True).click()
    visitor.reads(7)
    assert _canvas_pixels(visitor.page) == pytest.approx(drawn, rel=0.02)


def test_clear_pressed_before_the_canvas_has_sent_the_stroke_clears_it(visitor: Visitor) -> None:
    visitor.open("/draw")
    draw_stroke(visitor.page, SEVEN)
    visitor.reads(7)
    draw_stroke(visitor.page, [(90, 150), (180, 150)])
    visitor.press("Clear")
    visitor.sees_nothing_drawn()
    visitor.page.wait_for_timeout(1500)  # whatever was on its way has arrived
    visitor.sees_nothing_drawn()
    visitor.page.wait_for_url(re.compile(r"/draw$"))


def test_two_visitors_have_a_drawing_each(visitor: Visitor, phone: Visitor) -> None:
    visitor.open("/draw")
    phone.open("/draw")
    draw_stroke(visitor.page, SEVEN)
    visitor.reads(7)
    phone.sees_nothing_drawn()
    draw_stroke(phone.page, ZERO)
    phone.reads(0)
    visitor.reads(7)


def test_the_brush_of_a_link_is_the_brush_that_draws(visitor: Visitor) -> None:
    visitor.open("/draw?brush=36")
    draw_stroke(visitor.page, ONE)
    visitor.reads(1)
    assert _canvas_pixels(visitor.page) > 200 * 32


def test_a_sample_digit_is_shown_with_its_label(visitor: Visitor) -> None:
    visitor.open("/draw?source=Sample")
    expect(visitor.page.get_by_text("People say it is a")).to_be_visible()
    expect(visitor.page.locator(".answer .digit")).to_be_visible()
    before = visitor.page.url
    visitor.press("Another one")
    visitor.page.wait_for_function("address => location.href !== address", arg=before)
    expect(visitor.page.locator(".answer .digit")).to_be_visible()


def test_the_linear_model_says_that_it_only_knows_3_and_7(visitor: Visitor) -> None:
    visitor.open("/draw?model=linear")
    expect(visitor.page.get_by_text("This model only knows 3 and 7")).to_be_visible()
    draw_stroke(visitor.page, SEVEN)
    visitor.reads(7)
    assert len(visitor.bars()) == 2
    expect(visitor.page.get_by_text("Purple speaks for 7")).to_be_visible()


def test_the_overview_shows_what_the_card_says(visitor: Visitor) -> None:
    visitor.open("/")
    expect(visitor.page.get_by_text("160,842")).to_be_visible()
    expect(visitor.page.get_by_role("figure", name=re.compile("Confusion matrix"))).to_be_visible()
    visitor.page.get_by_role("combobox").first.click()
    visitor.page.get_by_role("option", name=re.compile("^linear")).click()
    expect(visitor.page.get_by_text("785", exact=True)).to_be_visible()
    assert "model=linear" in visitor.page.url


def test_a_finger_draws_on_a_phone_and_the_page_does_not_scroll_sideways(phone: Visitor) -> None:
    phone.open("/draw")
    left, top = canvas_corner(phone.page)
    touch = phone.page.context.new_cdp_session(phone.page)

    def finger(kind: str, *points: tuple[float, float]) -> None:
        places = [{"x": left + x, "y": top + y} for x, y in points]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

    finger("touchStart", (140, 50))
    for y in range(60, 240, 10):
        finger("touchMove", (140, y))
    finger("touchEnd")
    phone.reads(1)
    assert phone.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    answer = phone.page.locator(".answer").bounding_box()
    assert answer is not None
    assert answer["y"] - (top + 280) < 300  # straight after the canvas


def test_without_data_the_bundled_digits_serve_and_mnist_is_one_button_away(
    browser: Browser, tmp_path: Path
) -> None:
    with serve(tmp_path / "log", DIGITSCOPE_DATA=str(tmp_path / "nowhere")) as server:
        visitor = Visitor(browser.new_page(), server.url)
        visitor.open("/draw?source=Sample")
        chosen = visitor.page.get_by_role("combobox", name="Digits")
        expect(chosen).to_have_value("Digits bundled with scikit-learn")
        expect(visitor.page.locator(".answer .digit")).to_be_visible()
        expect(visitor.page.get_by_role("button", name=re.compile("Fetch MNIST"))).to_be_visible()
        visitor.page.close()
        assert visitor.complaints == []


def test_without_a_checkpoint_the_page_says_what_to_do(browser: Browser, tmp_path: Path) -> None:
    with serve(tmp_path / "log", DIGITSCOPE_CHECKPOINTS=str(tmp_path / "nowhere")) as server:
        visitor = Visitor(browser.new_page(), server.url)
        visitor.open("/")
        expect(visitor.page.get_by_text(re.compile("holds no checkpoint.*train.py cnn"))).to_be_visible()
        visitor.page.close()
        assert visitor.complaints == []


@pytest.mark.skipif("DIGITSCOPE_SCREENSHOTS" not in os.environ, reason="only `make screenshots` wants them")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
def test_each_page_gets_its_screenshot(visitor: Visitor, page: Page) -> None:
    visitor.open("/story?step=4" if page.path == "story" else f"/{page.path}")
    if page.path == "draw":
        draw_stroke(visitor.page, [(90, 62), (186, 60), (122, 138), (188, 190), (92, 232)])
        visitor.reads(3)
        visitor.explanation(3)
    elif page.path == "errors":
        visitor.page.locator(".grid img").nth(20).wait_for()
        visitor.page.locator("td button").nth(20).wait_for()
    elif page.path == "report":
        visitor.press("Make the report")
        visitor.page.get_by_role("button", name=re.compile("^Download")).wait_for(timeout=4 * WAIT)
    elif page.path == "learn":
        visitor.press("Train")
        expect(visitor.page.get_by_role("button", name="Stop")).to_be_visible()
        expect(visitor.page.get_by_role("button", name="Stop")).to_be_hidden()
    visitor.page.mouse.move(700, 880)
    visitor.settled()
    folder = ROOT / "docs" / "images"
    folder.mkdir(parents=True, exist_ok=True)
    visitor.page.screenshot(path=folder / f"{page.path}.png")


def _canvas_pixels(page: BrowserPage) -> int:
    """How many pixels of the canvas are white; waits until there are some."""
    count = """() => {
        const canvas = [...document.querySelectorAll('*')].map(e => e.shadowRoot).concat(document)
            .filter(Boolean).map(root => root.querySelector('canvas.dc-canvas')).find(Boolean);
        if (!canvas) return 0;
        const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
        let white = 0;
        for (let i = 0; i < data.length; i += 4) if (data[i] > 127) white++;
        window.__count = white;
        return white;
    }"""
    page.wait_for_function(count)
    return int(page.evaluate(count))
