"""A visitor in a real Chromium, among those that only speak the protocol."""

import random
import time
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Error, Page, sync_playwright

from core.predictor import Predictor
from core.preprocess import prepare
from core.several import digits_in
from core.strokes import decode, render
from dashboard.words import percent
from scripts.visitors.visitor import LOOKING, Tally
from tests.browser import WAIT, canvas_corner, draw_stroke, launch

SHAPES = (
    [(140.0, 40.0), (140.0, 240.0)],
    [(80.0, 70.0), (190.0, 70.0), (120.0, 230.0)],
    [(90.0, 90.0), (140.0, 50.0), (190.0, 90.0), (180.0, 150.0), (90.0, 230.0), (200.0, 230.0)],
)


def visit(name: str, url: str, predictor: Predictor, tally: Tally, end: float) -> None:
    """Draws with the mouse, looks at another page and comes back, until `end` (of `time.perf_counter`)."""
    with sync_playwright() as playwright:
        browser = launch(playwright)
        if browser is None:
            tally.problems.append(f"{name}: no Chromium here; see scripts/browser.sh")
            return
        try:
            page = browser.new_page(bypass_csp=True, viewport={"width": 1440, "height": 900})
            page.set_default_timeout(WAIT)
            page.on("pageerror", lambda error: tally.problems.append(f"{name}: {error}"))
            page.goto(url + "/draw")
            _stay(name, page, predictor, tally, end)
        except Error as error:
            told = " ".join(error.message.split())[:300]
            tally.problems.append(f"{name}, at {page.url[:200]}: {told}")
        finally:
            browser.close()


def _stay(name: str, page: Page, predictor: Predictor, tally: Tally, end: float) -> None:
    chance = random.Random(name)
    while time.perf_counter() < end:
        page.locator("canvas.upper-canvas").wait_for()
        if page.locator(".answer .digit").count():
            page.get_by_role("button", name="Clear", exact=True).first.click()
            page.wait_for_function("!document.querySelector('.answer .digit')")
            page.wait_for_timeout(500)
        x, y = chance.uniform(-30, 30), chance.uniform(-20, 20)
        points = [(a + x, b + y) for a, b in chance.choice(SHAPES)]
        left, top = canvas_corner(page)
        page.mouse.move(left + points[0][0], top + points[0][1])
        page.wait_for_timeout(
            400
        )  # as people's hands do: the canvas's tools must first have come out above it
        draw_stroke(page, points, steps=3)
        started = time.perf_counter()
        page.locator(".answer .digit").first.wait_for()
        tally.seconds["in Chromium: answer"].append(time.perf_counter() - started)
        page.wait_for_timeout(1500)
        _check(name, page, predictor, tally)
        page.get_by_role("link", name="Errors").click()
        page.locator(".grid button").first.wait_for()
        page.wait_for_timeout(1000 * chance.uniform(*LOOKING))
        page.get_by_role("link", name="Draw").click()
        page.locator(".answer .digit").first.wait_for()
        page.wait_for_timeout(500)
        _check(name, page, predictor, tally)


def _check(name: str, page: Page, predictor: Predictor, tally: Tally) -> None:
    """The answer on the page is that of the drawing in its own address."""
    drawing = decode(parse_qs(urlsplit(page.url).query).get("d", [""])[0])
    shown = page.locator(".answer").inner_text()
    if not drawing:
        tally.check(False, f"{name}: no drawing in {page.url}")
        return
    found = predictor.predict(list(digits_in(predictor, prepare(render(drawing), name="drawing"))))
    wanted = [str(each.digit) for each in found] + ([percent(found[0].confidence)] if len(found) == 1 else [])
    tally.check(all(part in shown for part in wanted), f"{name}: {wanted} is not in {shown!r}")
