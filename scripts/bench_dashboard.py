"""The dashboard's speed as a visitor has it, in a real Chromium: `make bench`.

Prints each figure beside its target and, where there is one, the part of it that is not ours.
"""

import argparse
import json
import math
import os
import platform
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

import psutil
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser import WAIT, draw_stroke, launch, serve

CANVAS_WAIT = 200  # ms that streamlit-drawable-canvas waits after a stroke before it sends
STROKES = 40
DRAWINGS = 200
WARM_UP_DRAWINGS = 20

# Notes when the pen was lifted, when the answer's text changed and when the new pictures stood there.
WATCH = """() => {
    window.times = {};
    const changed = () => {
        const answer = document.querySelector('.answer .digit');
        if (answer && !window.times.answer) window.times.answer = performance.now();
        const pictures = [...document.querySelectorAll('.overlay img')];
        const fresh = answer && pictures.length && !pictures.some(p => p.alt === 'An empty square');
        if (fresh && pictures.every(p => p.complete && p.naturalWidth) && !window.times.overlay)
            window.times.overlay = performance.now();
    };
    const everyFrame = () => { changed(); requestAnimationFrame(everyFrame); };
    requestAnimationFrame(everyFrame);
    document.addEventListener('mouseup', () => { window.times = { lifted: performance.now() }; }, true);
}"""

# Notes when something was clicked and when other digits stood in the gallery after it.
WATCH_GALLERY = """() => {
    const shown = () => {
        const parts = [...document.querySelectorAll('.st-key-errors-gallery *')];
        const root = parts.map(part => part.shadowRoot).find(Boolean);
        return root ? [...root.querySelectorAll('.grid button')].map(b => b.dataset.index).join() : '';
    };
    let last = shown();
    const everyFrame = () => {
        const now = shown();
        if (now && now !== last) window.gallery.changed ??= performance.now();
        last = now || last;
        requestAnimationFrame(everyFrame);
    };
    window.gallery = {};
    requestAnimationFrame(everyFrame);
    document.addEventListener('click', () => { window.gallery = { clicked: performance.now() }; }, true);
}"""


@dataclass(frozen=True)
class Row:
    """One figure beside its target."""

    figure: str
    value: float
    unit: str
    target: float
    of_it_not_ours: float | None = None

    @property
    def reached(self) -> bool:
        return self.value <= self.target


def random_digit(chance: random.Random) -> list[tuple[float, float]]:
    """A one-stroke 1, 7 or 0 of random size and place."""
    x, y, size = chance.uniform(60, 120), chance.uniform(30, 80), chance.uniform(80, 150)
    shape = chance.choice(("one", "seven", "zero"))
    if shape == "one":
        return [(x, y), (x + 10, y + size)]
    if shape == "seven":
        return [(x, y), (x + size / 2, y), (x + size / 5, y + size)]
    turns = [t / 3 for t in range(20)]
    return [(x + size * (0.5 + 0.3 * math.sin(t)), y + size * (0.5 - 0.5 * math.cos(t))) for t in turns]


def clear(page: Page) -> None:
    page.get_by_role("button", name="Clear", exact=True).first.click()
    page.wait_for_function("!document.querySelector('.answer .digit')")


def open_draw(browser: Browser, url: str) -> Page:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(WAIT)
    page.goto(url + "/draw")
    draw_stroke(page, [(140, 40), (140, 240)])
    page.wait_for_function("document.querySelectorAll('.overlay img').length > 0")
    page.wait_for_timeout(3000)  # the explanation's imports
    return page


def measure_start(browser: Browser, folder: Path) -> float:
    """Seconds from the start of the process to charts on the first page."""
    started = time.perf_counter()
    with serve(folder / "start.log") as server:
        page = browser.new_page()
        page.set_default_timeout(WAIT)
        page.goto(server.url)
        page.locator(".stPlotlyChart svg.main-svg").first.wait_for()
        seconds = time.perf_counter() - started
        page.close()
    return seconds


def measure_switch(page: Page) -> float:
    """Median seconds from a click on a page's name to its content, to and fro."""
    seconds = []
    for _ in range(8):
        for name, landmark in (("Overview", ".figures"), ("Draw", ".answer")):
            started = time.perf_counter()
            page.get_by_role("link", name=name).click()
            page.locator(landmark).wait_for()
            seconds.append(time.perf_counter() - started)
            page.wait_for_timeout(400)
    return statistics.median(seconds)


def measure_strokes(page: Page) -> tuple[float, float]:
    """Median ms from the pen's lift to the new answer, and to the new overlay, on screen."""
    page.evaluate(WATCH)
    chance = random.Random(7)
    answers, overlays = [], []
    for _ in range(STROKES):
        clear(page)
        page.wait_for_timeout(300)
        draw_stroke(page, random_digit(chance), steps=4)
        page.wait_for_function("window.times.overlay")
        times = page.evaluate("window.times")
        answers.append(times["answer"] - times["lifted"])
        overlays.append(times["overlay"] - times["lifted"])
    return statistics.median(answers), statistics.median(overlays)


def measure_memory(page: Page, process: psutil.Process) -> float:
    """MB that the server has grown by over 200 drawings, after 20 to warm up."""
    chance = random.Random(8)
    before = 0.0
    for number in range(WARM_UP_DRAWINGS + DRAWINGS):
        if number == WARM_UP_DRAWINGS:
            before = process.memory_info().rss
        clear(page)
        draw_stroke(page, random_digit(chance), steps=2)
        page.locator(".answer .digit").wait_for()
    return (process.memory_info().rss - before) / 1e6


def measure_errors(browser: Browser, url: str) -> tuple[float, float, float, float]:
    """Median seconds of the Errors page: until it is ready after another page and after a reload, a filter or
    order changed, a cell clicked."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(WAIT)
    page.goto(url + "/errors")
    page.locator(".grid button").first.wait_for()
    ready = []
    for _ in range(6):
        page.get_by_role("link", name="Draw").click()
        page.locator(".answer").wait_for()
        page.wait_for_timeout(400)
        started = time.perf_counter()
        page.get_by_role("link", name="Errors").click()
        page.locator(".grid button").first.wait_for()
        ready.append(time.perf_counter() - started)
        page.wait_for_timeout(400)
    reloaded = []
    for _ in range(6):
        started = time.perf_counter()
        page.reload()
        page.locator(".grid button").first.wait_for()
        reloaded.append(time.perf_counter() - started)
        page.wait_for_timeout(400)
    page.evaluate(WATCH_GALLERY)
    answers = page.locator('[data-testid="stButtonGroup"]')
    changed = [
        _gallery_after(page, lambda name=name: answers.get_by_text(name, exact=True).click())
        for name in ("All", "Right", "Wrong") * 4
    ]
    order = page.locator(".st-key-errors-order")
    for name in ("Most sure", "Narrowest margin", "Place in the set", "Highest loss"):
        order.get_by_role("combobox").click()
        option = page.get_by_role("option", name=name)
        changed.append(_gallery_after(page, option.click))
    cells = page.locator("td button:not(.muted)").all()[:8]
    clicked = [_gallery_after(page, cell.click) for cell in cells]
    page.close()
    return tuple(statistics.median(times) for times in (ready, reloaded, changed, clicked))  # type: ignore[return-value]


def _gallery_after(page: Page, act: Callable[[], None]) -> float:
    """Seconds from the click to other digits in the gallery."""
    page.wait_for_timeout(500)
    act()
    page.wait_for_function("window.gallery.clicked && window.gallery.changed")
    times = page.evaluate("window.gallery")
    return float(times["changed"] - times["clicked"]) / 1000


def measure_explain(browser: Browser, url: str) -> tuple[float, float]:
    """Median seconds until all maps of a new digit, and of another class of it, stand there."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(WAIT)
    page.goto(url + "/explain?target=0")
    _all_maps(page, "0")
    digits, classes = [], []
    rows = page.locator('.st-key-explain-question [data-testid="stButtonGroup"]')
    for number in range(6):
        page.wait_for_timeout(500)
        started = time.perf_counter()
        rows.nth(0).get_by_text(str(number + 1), exact=True).click()
        _all_maps(page, str(number + 1))
        classes.append(time.perf_counter() - started)
        page.wait_for_timeout(500)
        old = page.locator(".map img").first.get_attribute("src")
        started = time.perf_counter()
        page.get_by_test_id("stNumberInputStepUp").click()
        page.wait_for_function("old => document.querySelector('.map img')?.src !== old", arg=old)
        page.locator('[data-testid="stStatusWidget"]').wait_for(state="detached")
        _all_maps(page, str(number + 1))
        digits.append(time.perf_counter() - started)
    page.close()
    return statistics.median(digits), statistics.median(classes)


def _all_maps(page: Page, digit: str) -> None:
    page.wait_for_function(
        """digit => {
            const tiles = [...document.querySelectorAll('.map')];
            const shows = tile => (tile.querySelector('img')?.alt ?? tile.innerText)
                .includes(` for ${digit}`);
            return tiles.length === 9 && tiles.every(shows);
        }""",
        arg=digit,
    )


def measure(browser: Browser, folder: Path, tell: Callable[[str], None]) -> list[Row]:
    tell("server start …")
    measure_start(browser, folder)  # warms the disk
    rows = [Row("server start → first page usable", measure_start(browser, folder), "s", 6)]
    with serve(folder / "log") as server:
        page = open_draw(browser, server.url)
        tell("page switches …")
        rows.append(Row("page switch, p50", measure_switch(page), "s", 0.7))
        page.close()
        tell("the Errors page …")
        ready, reloaded, changed, clicked = measure_errors(browser, server.url)
        rows.append(Row("Errors page ready, its data cached, p50", ready, "s", 1))
        rows.append(Row("Errors page reloaded, p50", reloaded, "s", 1))
        rows.append(Row("filter or order → other digits on screen, p50", changed, "s", 0.4))
        rows.append(Row("cell of the matrix → its digits on screen, p50", clicked, "s", 0.6))
        tell("the Explain page …")
        digit, target = measure_explain(browser, server.url)
        rows.append(Row("another digit → all its maps on screen, p50", digit, "s", 2))
        rows.append(Row("another class → all its maps on screen, p50", target, "s", 0.5))
        page = open_draw(browser, server.url)
        tell(f"{STROKES} strokes …")
        answer, overlay = measure_strokes(page)
        rows.append(Row("end of stroke → new answer on screen, p50", answer, "ms", 400, CANVAS_WAIT))
        rows.append(Row("end of stroke → new overlay visible, p50", overlay, "ms", 550, CANVAS_WAIT))
        tell(f"{DRAWINGS} drawings …")
        growth = measure_memory(page, psutil.Process(server.process.pid))
        rows.append(Row(f"growth of the server over {DRAWINGS} drawings", growth, "MB", 30))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="also write the figures to this JSON file")
    options = parser.parse_args()
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = launch(playwright)
        if browser is None:
            sys.exit("No Chromium here: the dashboard's figures are not measured. See scripts/browser.sh.")
        rows = measure(browser, Path(folder), lambda text: print(text, file=sys.stderr))
        version = browser.version
        browser.close()
    for row in rows:
        ours = f"  ({row.of_it_not_ours:g} of it the canvas's own wait)" if row.of_it_not_ours else ""
        verdict = "reached" if row.reached else "missed"
        print(f"{row.figure:44} {row.value:8.2f} {row.unit:3} ≤ {row.target:g} {row.unit:3} {verdict}{ours}")
    if options.out:
        written = [asdict(row) | {"reached": row.reached} for row in rows]
        report = {
            "when": time.strftime("%Y-%m-%d"),
            "hardware": f"{platform.machine()}, {os.cpu_count()} cores",
            "versions": {"streamlit": metadata.version("streamlit"), "chromium": version},
            "rows": written,
        }
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
