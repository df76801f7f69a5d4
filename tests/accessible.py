"""What everybody needs of a page, for tests: axe, alt texts, a visible focus, nothing that moves."""

import time
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

AXE = Axe()
BUSY = (
    ", ".join(f'[data-testid="{name}"]' for name in ("stStatusWidget", "stSpinner", "stAppSkeleton"))
    + ', [data-stale="true"]'
)
GRAVE = ("serious", "critical")
WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}

# What can't be mended, rule by rule: the beginning of the element's HTML, and why.
EXCEPTIONS = {
    "target-size": (
        '<button class="bin"',
        "15 bars share the width of a diagram; the two buttons beside the heading lead to the same digits",
    ),
}

# Everything that is a picture and says nothing of what it shows, also in components' shadow trees.
UNTOLD = """() => {
  const roots = [document], found = [];
  for (const root of roots) for (const e of root.querySelectorAll('*')) {
    if (e.shadowRoot) roots.push(e.shadowRoot);
    const picture = e.matches('img, [role=img], .stPlotlyChart, .stVegaLiteChart, canvas, iframe');
    if (!picture || e.closest('[aria-hidden=true]')) continue;
    const named = [e, ...e.querySelectorAll('[aria-label], [alt], [title]')];
    const above = e.closest('[aria-label], [role=img]');
    const words = [...named, above].map(n => n?.getAttribute('aria-label') || n?.alt || n?.title || '');
    if (!words.some(text => text.trim().length > 3)) found.push(e.outerHTML.slice(0, 200));
  }
  return found;
}"""

MOVING = """() => [...document.querySelectorAll('*')].filter(e => {
  const s = getComputedStyle(e), longest = text => Math.max(...text.split(',').map(parseFloat));
  return longest(s.transitionDuration) > 0.01
    || (s.animationName !== 'none' && longest(s.animationDuration) > 0.01);
}).map(e => e.outerHTML.slice(0, 120))"""

# The element with the focus, and whether the one before looks other now that it has lost it.
FOCUS = """() => {
  const looks = e => {
    const near = [...e.querySelectorAll('*')].slice(0, 8);
    for (let n = e, i = 0; n && i < 6; n = n.parentElement || n.getRootNode().host, i++) near.push(n);
    return near.map(n => {
      const s = getComputedStyle(n);
      const outline = s.outlineStyle === 'none' ? '' : s.outlineWidth + s.outlineColor;
      return [outline, s.boxShadow, s.borderColor, s.backgroundColor, s.color].join('|');
    }).join();
  };
  const last = window.lastFocus, seen = !last || looks(last.element) !== last.looks;
  let element = document.activeElement;
  while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
  if (!element || element === document.body) { window.lastFocus = null; return { seen, stop: '' }; }
  window.lastFocus = { element, looks: looks(element) };
  const words = element.getAttribute('aria-label') || element.title || element.innerText || '';
  return { seen, stop: `${element.tagName} ${words.trim().slice(0, 60)}` };
}"""


def settle(page: Page, *, quiet: float = 0.5) -> None:
    """Waits until the page is whole and has not changed for some seconds."""
    page.locator('[data-testid="stHeading"], [data-testid="stAlert"], h1').first.wait_for()
    seen, since = "", time.monotonic()
    while time.monotonic() - since < quiet:
        now = page.evaluate("document.body.innerText.length + ':' + document.body.scrollHeight")
        if page.locator(BUSY).count() or now != seen:
            seen, since = now, time.monotonic()
        page.wait_for_timeout(60)


def violations(page: Page, *rules: str) -> list[str]:
    """What axe finds that is grave, a line an element; with rules named, by these alone."""
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    only = {"type": "rule", "values": list(rules)} if rules else {"type": "tag", "values": tags}
    found = AXE.run(page, options={"runOnly": only, "resultTypes": ["violations"]}).response
    return [
        f"{each['id']}: {node['html'][:160]} {_why(node)}"
        for each in found["violations"]
        if each["impact"] in GRAVE
        for node in each["nodes"]
        if not _excepted(each["id"], node["html"])
    ]


def untold(page: Page, *, patience: float = 5) -> list[str]:
    """The pictures without words; a canvas gets its own shortly after it is there."""
    until = time.monotonic() + patience
    while (found := page.evaluate(UNTOLD)) and time.monotonic() < until:
        page.wait_for_timeout(200)
    return list(found)


def _excepted(rule: str, html: str) -> bool:
    return rule in EXCEPTIONS and html.startswith(EXCEPTIONS[rule][0])


def _why(node: dict[str, Any]) -> str:
    checks = [*node["any"], *node["all"], *node["none"]]
    return checks[0]["message"] if checks else ""


def stops(page: Page, most: int) -> tuple[list[str], list[str]]:
    """Every stop of the Tab key up to the end of the page, and those where the focus could not be seen."""
    page.evaluate("window.lastFocus = null")
    reached: list[str] = []
    unseen = []
    while len(reached) < most:
        page.keyboard.press("Tab")
        page.wait_for_timeout(20)  # components draw their ring in the next frame
        found = page.evaluate(FOCUS)
        if not found["seen"]:
            unseen.append(reached[-1])
        if not found["stop"]:
            return reached, unseen
        reached.append(found["stop"])
    return reached, unseen


def reach(page: Page, selector: str, *, most: int = 250) -> None:
    """Presses Tab until an element that fits has the focus."""
    fits = """selector => {
      let e = document.activeElement;
      while (e?.shadowRoot?.activeElement) e = e.shadowRoot.activeElement;
      return Boolean(e?.matches(selector) || e?.closest(selector));
    }"""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate(fits, selector):
            return
    raise AssertionError(f"Tab never reaches {selector}")
