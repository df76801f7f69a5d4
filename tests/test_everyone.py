"""Every page for everyone: by axe, by keyboard, on a phone, without motion; and many visitors at once."""

import asyncio
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import Browser, Page, expect

from core.predictor import Predictor
from core.strokes import encode, stroke
from dashboard.pages import PAGES
from scripts.soak import visits
from scripts.visitors.visitor import Tally
from tests.accessible import MOVING, PHONE, WIDE, reach, settle, stops, untold, violations
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
    "/story?step=4",
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
    assert untold(at) == []
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


def test_the_apis_page_is_for_everyone(page: Page, server: Server):  # noqa: F811
    """Swagger UI with our colours and names, closed and with an operation open and tried."""
    page.set_viewport_size(WIDE)
    page.emulate_media(color_scheme="light")
    page.goto(server.url + "/docs")
    expect(page.locator(".opblock")).to_have_count(6)
    assert untold(page) == []
    assert page.evaluate(MOVING) == []
    reached, unseen = stops(page, MOST_STOPS)
    assert unseen == []
    assert sum("/" in stop for stop in reached) >= 6, "every operation"
    reach(page, ".opblock-post .opblock-summary-control")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Try it out").click()
    expect(page.get_by_role("button", name="Execute")).to_be_visible()
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(200)
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") != "rgb(255, 255, 255)"
    assert violations(page, "color-contrast") == []
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@pytest.mark.parametrize("at", ["/draw"], indirect=True)
def test_everything_can_be_had_by_keyboard_alone(at: Page):
    """A digit without a mouse is a sample or a file; the matrix and the gallery are buttons."""
    reach(at, ".st-key-source [role=radio]")
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "Space"):
        at.keyboard.press(key)
    expect(at.locator(".answer .digit")).to_be_visible()
    reach(at, ".st-key-evidence [role=radio]")
    at.keyboard.press("Space")
    evidence = at.get_by_text(re.compile("speak for 0|No positive evidence for 0"))
    expect(evidence).to_be_visible()
    reach(at, "[data-testid=stSidebarNavLink][href$='/errors']")
    at.keyboard.press("Enter")
    at.locator(".grid button").first.wait_for()
    reach(at, "td button:not(.muted)")
    at.keyboard.press("Enter")
    expect(at).to_have_url(re.compile("read="))
    settle(at)
    reach(at, ".grid button")
    at.keyboard.press("Enter")
    expect(at.get_by_role("heading", name=re.compile(r"Digit \d+"))).to_be_visible()


def test_visitors_at_once_see_their_own_drawings(server: Server):  # noqa: F811
    tally = Tally()
    with ThreadPoolExecutor(1) as apart:  # Playwright's loop runs in this thread
        apart.submit(asyncio.run, visits(server.url, Predictor.load("cnn"), 3, 8, tally)).result()
    assert (tally.wrong, tally.problems) == ([], [])
    assert tally.checks > 10
