"""What one visitor does: draws, asks for explanations, browses, and checks everything that is answered."""

import asyncio
import json
import random
import re
import time
from collections import defaultdict
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from websockets import WebSocketException

from scripts.visitors.drawings import Expected
from scripts.visitors.session import NoAnswer, Session, texts

# Seconds that people take: between two strokes, and to look at what they see.
BETWEEN_STROKES = (0.3, 0.8)
LOOKING = (2.0, 5.0)
MNIST_TEST = 10_000


@dataclass
class Tally:
    """What all visitors saw: seconds by what was asked for, and everything that was wrong."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    checks: int = 0
    wrong: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    bytes: int = 0
    memory: dict[str, int] = field(default_factory=dict)  # the server's MB, by seconds

    def check(self, holds: bool, what: str) -> None:
        self.checks += 1
        if not holds:
            self.wrong.append(what)


class Visitor:
    """A session with drawings of its own, until `end` (of `time.perf_counter`)."""

    def __init__(self, name: str, own: list[Expected], owners: dict[str, str], tally: Tally, end: float):
        self.name, self._own, self._owners, self._tally, self._end = name, own, owners, tally, end
        self._chance = random.Random(name)
        self._drawn = 0
        self._session: Session

    async def visit(self, url: str, start: float) -> None:
        """Arrives after `start` seconds and stays to the end; what goes wrong is in the tally."""
        await asyncio.sleep(start)
        while time.perf_counter() < self._end:
            started = time.perf_counter()
            try:
                async with Session.open(url, "draw") as self._session:
                    self._tally.seconds["first page"].append(time.perf_counter() - started)
                    await self._stay()
            except (NoAnswer, OSError, WebSocketException) as error:
                self._tally.problems.append(f"{self.name}: {error}")
                await asyncio.sleep(1)

    async def _stay(self) -> None:
        session = self._session
        try:
            while time.perf_counter() < self._end:
                expected = self._own[self._drawn % len(self._own)]
                self._drawn += 1
                await self._draw(expected)
                await self._explain(expected)
                browse = self._chance.choice((self._errors, self._confidence, self._explain_page, None))
                if browse and time.perf_counter() < self._end:
                    await browse(expected)
                    await self._come_back(expected)
        finally:
            self._tally.problems += [f"{self.name}: {each}" for each in session.problems]
            self._tally.bytes += session.bytes
            session.problems, session.bytes = [], 0

    async def _draw(self, expected: Expected) -> None:
        session = self._session
        if "is-" in session.shown.get("answer", "") or "digit" in session.shown.get("answer", ""):
            await self._measure("cleared", session.press("clear"))
            self._tally.check("Nothing drawn yet" in session.shown["answer"], f"{self.name}: not cleared")
        for value in expected.sent[:-1]:
            await session.draw("canvas", value)
            await self._pause(BETWEEN_STROKES)
        before, started = session.finished, time.perf_counter()
        await session.draw("canvas", expected.sent[-1])
        await session.until(lambda: self._is(expected), f"{self.name}'s answer")
        self._tally.seconds["answer"].append(time.perf_counter() - started)
        await session.until(lambda: self._shows_evidence(expected), f"{self.name}'s evidence")
        self._tally.seconds["answer and evidence"].append(time.perf_counter() - started)
        await session.rest(before)
        self._check_drawing(expected)
        await self._pause(LOOKING)

    def _is(self, expected: Expected) -> bool:
        """Whether the right answer stands there; somebody else's is noted at once."""
        answer = self._session.shown.get("answer", "")
        owner = self._owners.get(answer, self.name)
        if owner != self.name:
            self._tally.wrong.append(f"{self.name} saw the drawing of {owner}")
        return answer == expected.answer

    def _shows_evidence(self, expected: Expected) -> bool:
        overlay = self._session.shown.get("overlay", "")
        return expected.pixels in overlay and self._session.query != ""

    def _check_drawing(self, expected: Expected) -> None:
        shown = self._session.shown
        told = f"{self.name}, {expected.digit} at {expected.confidence:.4f}"
        self._tally.check(shown.get("answer") == expected.answer, f"{told}: {shown.get('answer', '')[:300]}")
        self._tally.check(expected.pixels in shown.get("steps", ""), f"{told}: other pixels")
        self._tally.check(f"d={expected.link}" in self._session.query, f"{told}: {self._session.query}")

    async def _explain(self, expected: Expected) -> None:
        """Evidence for another class: the very map that is worked out here."""
        session = self._session
        await self._measure("class explained", session.choose("evidence", str(expected.target)))
        right = session.shown.get("overlay") == expected.evidence
        self._tally.check(right, f"{self.name}: another map for {expected.target} of {expected.digit}")
        await self._pause(LOOKING)
        before = session.finished
        await session.choose("evidence")
        await session.rest(before)

    async def _come_back(self, expected: Expected) -> None:
        """The drawing is still there, and it is one's own."""
        await self._measure("page", self._session.go("draw"), waits=False)
        self._check_drawing(expected)
        await self._pause(LOOKING)

    async def _errors(self, _: Expected) -> None:
        session = self._session
        await self._measure("page", session.go("errors"), waits=False)
        await self._pause(LOOKING)
        shown = self._chance.choice(("All", "Right"))
        await self._measure("filter", session.choose("errors-shown", shown))
        await self._pause(LOOKING)
        session.components.clear()
        cell = {"label": self._chance.randrange(10), "prediction": self._chance.randrange(10)}
        await self._measure("filter", session.pick("errors-matrix", "pick", cell))
        digits = self._gallery()
        asked = {"from": str(cell["label"]), "to": str(cell["prediction"])}
        fits = all(each[end] == digit for each in digits for end, digit in asked.items())
        self._tally.check(fits, f"{self.name}: digits that were not asked for")
        await self._pause(LOOKING)
        if digits:
            index = self._chance.choice(digits)["index"]
            await self._measure("one digit", session.pick("errors-gallery", "open", index))
            self._tally.check(f"Digit {index}" in session.said, f"{self.name}: not digit {index}")
            await self._pause(LOOKING)
            await self._measure("filter", session.press("All digits"))

    def _gallery(self) -> list[dict[str, Any]]:
        """The digits that are shown; none where the page says that none fits."""
        content = self._session.components.get("errors-gallery")
        return json.loads(content)["digits"] if content else []

    async def _confidence(self, _: Expected) -> None:
        session = self._session
        await self._measure("page", session.go("confidence"), waits=False)
        await self._pause(LOOKING)
        await self._measure("filter", session.choose("confidence-look", "Let it refuse"))
        await self._pause(LOOKING)
        below = round(self._chance.uniform(50, 99), 1)
        await self._measure("filter", session.slide("confidence-below", below))
        self._tally.check("price" in session.shown, f"{self.name}: no price at {below} %")
        await self._pause(LOOKING)

    async def _explain_page(self, expected: Expected) -> None:
        session = self._session
        await self._measure("page, all methods", session.go("explain"), waits=False)
        await self._pause(LOOKING)
        index = self._chance.randrange(MNIST_TEST)
        await self._measure("digit, all methods", session.number("explain-index", index))
        of = re.search(r"Digit (\d+),", session.shown.get("overlay", ""))
        self._tally.check(bool(of) and int(of[1]) == index, f"{self.name}: not digit {index}")  # type: ignore[index]
        await self._pause(LOOKING)
        await self._measure("digit, all methods", session.choose("explain-source", "Drawing"))
        said = any(text.startswith(f"Read as **{expected.digit}**") for text in texts(session))
        self._tally.check(said, f"{self.name}: the Explain page read another drawing")
        await self._pause(LOOKING)
        await self._measure("filter", session.choose("explain-source", "Data set"))

    async def _measure(self, what: str, asking: Coroutine[Any, Any, None], *, waits: bool = True) -> None:
        before, started = self._session.finished, time.perf_counter()
        await asking
        if waits:
            await self._session.rest(before)
        self._tally.seconds[what].append(time.perf_counter() - started)

    async def _pause(self, between: tuple[float, float]) -> None:
        """As long as people take, but not beyond the end."""
        wished = self._chance.uniform(*between)
        await asyncio.sleep(max(0.0, min(wished, self._end - time.perf_counter())))
