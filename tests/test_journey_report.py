"""A report made on the page and opened as a file, in a real Chromium, with nothing outside to be had."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from core.card import read_card
from core.paths import checkpoint_folder
from core.report_options import SECTIONS
from tests.browser import WAIT
from tests.visitor import Visitor, browser, server, visitor

pytestmark = pytest.mark.journey
__all__ = ["browser", "server", "visitor"]


def opened(browser: Browser, file: Path, **context: object) -> tuple[Page, list[str]]:
    """The file, and everything that went wrong or outside."""
    page = browser.new_context(offline=True, **context).new_page()  # type: ignore[arg-type]
    odd: list[str] = []
    page.on("console", lambda message: odd.append(message.text))
    page.on("pageerror", lambda error: odd.append(str(error)))
    page.on("request", lambda r: None if r.url.startswith(("data:", file.as_uri())) else odd.append(r.url))
    page.goto(file.as_uri())
    return page, odd


def test_a_report_is_made_downloaded_and_read_without_any_network(
    mnist_files: Path, visitor: Visitor, browser: Browser, tmp_path: Path
) -> None:
    page = visitor.page
    visitor.open("/report?comment=For%20the%20pilot")
    visitor.press("Make the report")
    expect(page.get_by_text("It goes on when you leave this page")).to_be_visible()
    page.reload()  # it goes on, and is found again
    button = page.get_by_role("button", name=re.compile("^Download"))
    expect(button).to_be_visible(timeout=4 * WAIT)
    frame = page.frame_locator('iframe[title="Preview of the report"]')
    frame.get_by_role("link", name="Limits").click()
    expect(frame.get_by_role("heading", name="Limits")).to_be_in_viewport()
    with page.expect_download() as download:
        button.click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    assert re.fullmatch(r"cnn-report-\d{4}-\d\d-\d\d\.html", file.name)
    assert file.stat().st_size < 6_000_000
    _read(browser, file)
    _fits_a_phone(browser, file)


def _read(browser: Browser, file: Path) -> None:
    page, odd = opened(browser, file, viewport={"width": 1440, "height": 900}, color_scheme="dark")
    test = read_card(checkpoint_folder("cnn")).metrics["mnist-test"]
    claim = page.locator(".claim").inner_text().replace("\u00a0", " ")
    assert f"Of {test['n']:,} handwritten digits" in claim
    assert f"{test['accuracy']:.2%}".replace("%", " %") in claim
    assert [heading.inner_text() for heading in page.get_by_role("heading", level=2).all()] == list(
        SECTIONS.values()
    )
    expect(page.get_by_text("For the pilot")).to_be_visible()
    before = page.locator("#refuse-words").inner_text()
    dot = page.locator("#refusing-dot").get_attribute("cx")
    page.locator("#refuse").focus()
    page.keyboard.press("End")
    assert page.locator("#refuse-words").inner_text() != before
    assert page.locator("#refusing-dot").get_attribute("cx") != dot
    page.get_by_role("button", name="Errors").click()
    column = page.locator("#classes table.sortable tbody td:nth-child(3)").all_inner_texts()
    assert [int(each) for each in column] == sorted(int(each) for each in column)
    page.locator(".matrix td.e3").first.hover()
    expect(page.locator("#tip")).to_have_text(re.compile(r"^\d read as \d: \d+$"))
    pdf = page.pdf(prefer_css_page_size=True)
    assert 4 <= len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 14
    assert odd == []
    page.context.close()


def _fits_a_phone(browser: Browser, file: Path) -> None:
    page, odd = opened(browser, file, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert odd == []
    page.context.close()
