"""Every page for everyone: by axe, by keyboard, on a phone, without motion; and many visitors at once."""

import asyncio
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from core.predictor import Predictor
from core.strokes import encode, stroke
from dashboard.pages import PAGES
from scripts.soak import visits
from scripts.visitors.visitor import Tally
from tests.accessible import MOVING, PHONE, UNTOLD, WIDE, reach, settle, stops, violations
from tests.browser import WAIT, Server
from tests.visitor import browser, server  # noqa: F401  (fixtures)

pytestmark = pytest.mark.journey

SEVEN = encode((stroke([(80, 70), (190, 70), (120, 230)], 18),))
ADDRESSES = ["/", *(f"/{page.path}" for page in PAGES[1:])]
STATES = [
    f"/draw?d={SEVEN}",
    "/errors?digit=5",
    "/confidence?look=refusing",
    "/explain?look=believe",
    "/explain?look=whatif",
    "/explain?look=turn&into=3",
    "/explain?look=inside",
]
MOST_STOPS = 70  # of the Tab key; the matrix and the gallery alone have 150


@pytest.fixture(scope="module")
def page(browser: Browser, server: Server) -> Iterator[Page]:  # noqa: F811
    context = browser.new_context(viewport=WIDE, color_scheme="light", reduced_motion="reduce")
    shown = context.new_page()
    shown.set_default_timeout(WAIT)
    yield shown
    context.close()


@pytest.fixture
def at(page: Page, server: Server, request: pytest.FixtureRequest) -> Page:  # noqa: F811
    """The page at an address, wide and light, as a whole."""
    page.set_viewport_size(WIDE)
    page.emulate_media(color_scheme="light")
    page.goto(server.url + request.param)
    settle(page)
    return page


@pytest.mark.parametrize("at", [*ADDRESSES, *STATES], indirect=True)
def test_a_page_is_for_everyone(at: Page, request: pytest.FixtureRequest):
    assert violations(at) == []
    assert at.evaluate(UNTOLD) == []
    assert at.evaluate(MOVING) == []
    if request.node.callspec.params["at"] in ADDRESSES:
        reached, unseen = stops(at, MOST_STOPS)
        assert unseen == []
        links = [page.title for page in PAGES if not any(page.title in stop for stop in reached)]
        assert links == [], f"Tab reaches {reached}"
        assert len(reached) < MOST_STOPS or len(set(reached)) > MOST_STOPS / 2, "Tab is trapped"
    at.emulate_media(color_scheme="dark")
    at.wait_for_timeout(200)
    assert violations(at, "color-contrast") == []
    at.set_viewport_size(PHONE)
    at.wait_for_timeout(300)
    main = at.get_by_test_id("stMain")
    assert at.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert main.evaluate("main => main.scrollWidth") <= PHONE["width"]


@pytest.mark.parametrize("at", ["/draw"], indirect=True)
def test_everything_can_be_had_by_keyboard_alone(at: Page):
    page = at
    reach(page, ".st-key-source [role=radio]")  # a digit without a mouse: a sample, or a file
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(page.locator(".answer .digit")).to_be_visible()
    reach(page, ".st-key-evidence [role=radio]")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(
        page.locator(".overlay img[alt^='Evidence for']").or_(page.get_by_text("No positive evidence"))
    ).to_be_visible()
