"""Somebody at a browser whose console and requests are watched, and the fixtures that seat them there."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser import WAIT, Server, launch, serve

expect.set_options(timeout=WAIT)
BUSY = ", ".join(
    f"[data-testid={name}]" for name in ("stStatusWidget", "stSpinner", "stSkeleton", "stProgress")
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = launch(playwright)
        if found is None:
            pytest.skip("NO BROWSER: no Chromium here and none could be installed; see scripts/browser.sh")
        yield found
        found.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serve(tmp_path_factory.mktemp("server") / "log") as running:
        yield running
        log = running.log.read_text()
    assert not re.search(r"Traceback|ERROR|Exception", log), log


class Visitor:
    """A page whose console and requests are watched."""

    def __init__(self, page: Page, url: str):
        self.page, self.url = page, url
        self.complaints: list[str] = []
        page.set_default_timeout(WAIT)
        page.on("console", lambda m: self.complaints.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda r: self._must_stay_inside(r.url))

    def _must_stay_inside(self, address: str) -> None:
        if address.startswith(("http", "ws")) and not address.split("://")[1].startswith(self.url[7:]):
            self.complaints.append(f"outside request: {address}")

    def open(self, path: str) -> None:
        self.page.goto(self.url + path)

    def reads(self, digit: int) -> None:
        expect(self.page.locator(".answer .digit")).to_have_text(str(digit))

    def sees_nothing_drawn(self) -> None:
        expect(self.page.locator(".answer")).to_contain_text("Nothing drawn yet")

    def bars(self) -> list[str]:
        """The texts at the ends of the probability bars, in their order on the page."""
        texts = self.page.locator(".barlayer text")
        expect(texts.first).to_be_visible()
        return texts.all_text_contents()

    def explanation(self, digit: int) -> list[str]:
        """The digit and, where there is evidence for `digit`, the map that is laid over it."""
        words = self.page.get_by_text(re.compile(f"speak for {digit}|No positive evidence for {digit}"))
        expect(words).to_be_visible()
        found = self.page.locator(".overlay img").evaluate_all("images => images.map(i => i.src)")
        assert len(found) == (1 if "No positive" in words.inner_text() else 2)
        return list(found)

    def settled(self) -> None:
        """Waits until the page stands there and nothing on it runs or still loads."""
        expect(self.page.get_by_role("heading").first).to_be_visible()
        for _ in range(3):
            self.page.wait_for_function(f"() => !document.querySelector({BUSY!r})", timeout=5 * WAIT)
            self.page.wait_for_timeout(700)

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).first.click()


@pytest.fixture
def visitor(browser: Browser, server: Server) -> Iterator[Visitor]:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="light")
    someone = Visitor(context.new_page(), server.url)
    yield someone
    context.close()
    assert someone.complaints == []


@pytest.fixture
def phone(browser: Browser, server: Server) -> Iterator[Visitor]:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    someone = Visitor(context.new_page(), server.url)
    yield someone
    context.close()
    assert someone.complaints == []
