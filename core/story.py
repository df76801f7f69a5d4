"""A story told from the live pages: steps with a title, a caption and what each one shows."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from typing import Any

from core.errors import StoryError
from core.story_facts import FACTS
from core.wording import NOT_MEASURED

SCHEMA_VERSION = 1
MOST_STEPS = 20
LONGEST = {"title": 80, "caption": 600}  # characters; more can't be read from the back of a room
LARGEST = 100_000  # bytes of a file
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
SHOWS = {
    "samples": "Digits, and what it reads them as",
    "draw": "The canvas and the answer",
    "accuracy": "Accuracy, digit by digit",
    "matrix": "Confusion matrix",
    "errors": "Errors it was surest of",
    "evidence": "Where it looked in these errors",
    "reliability": "Reliability diagram",
    "unusual": "Not a digit, yet sure",
    "refusing": "Letting it refuse",
    "words": "The words alone",
}


@dataclass(frozen=True)
class Step:
    """One step: its title, its caption with placeholders such as `{accuracy}`, and a key of `SHOWS`."""

    title: str
    caption: str
    shows: str


@dataclass(frozen=True)
class Story:
    """A whole story."""

    title: str
    steps: tuple[Step, ...]

    def to_json(self) -> str:
        """As it is kept, downloaded and uploaded."""
        content = {"schema_version": SCHEMA_VERSION} | asdict(self)
        return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def fill(text: str, facts: Mapping[str, str | None]) -> str:
    """A text with its placeholders filled in; a figure that nobody measured reads so.

    Raises:
        StoryError: a placeholder that there is none of, named, with the nearest that there is.
    """

    def value(found: re.Match[str]) -> str:
        name = found[1].strip()
        if name not in facts:
            near = get_close_matches(name, facts, n=1)
            hint = f"Did you mean {{{near[0]}}}?" if near else f"There are {', '.join(facts)}."
            raise StoryError(f"There is no figure {{{name[:40]}}}. {hint}")
        return facts[name] or NOT_MEASURED

    return PLACEHOLDER.sub(value, text)


def check(story: Story) -> Story:
    """The story itself, if it can be told.

    Raises:
        StoryError: which text is empty or too long, which step shows nothing known, or which placeholder
            there is none of.
    """
    _check_text("The story", "title", story.title)
    if not 1 <= len(story.steps) <= MOST_STEPS:
        raise StoryError(f"The story has {len(story.steps)} steps. Give it 1 to {MOST_STEPS}.")
    for number, step in enumerate(story.steps, start=1):
        check_step(step, number)
    return story


def check_step(step: Step, number: int) -> None:
    """The same for one step; `number` names it in an error."""
    for name in LONGEST:
        _check_text(f"Step {number}", name, getattr(step, name))
    if step.shows not in SHOWS:
        raise StoryError(f"Step {number} shows {step.shows[:40]!r}. Choose one of {', '.join(SHOWS)}.")


def _check_text(whose: str, name: str, text: str) -> None:
    if name == "title" and not text.strip():
        raise StoryError(f"{whose} has no title. Give it one.")
    if len(text) > LONGEST[name]:
        raise StoryError(f"{whose}: the {name} has {len(text)} characters. Shorten it to {LONGEST[name]}.")
    if not text.isascii() and any("\ud800" <= each <= "\udfff" for each in text):
        raise StoryError(f"{whose}: the {name} holds half a character. Type it anew.")
    try:
        fill(text, dict.fromkeys(FACTS, ""))
    except StoryError as error:
        raise StoryError(f"{whose}, {name}: {error}") from None


def read_story(content: bytes, where: str) -> Story:
    """A story from its JSON.

    Args:
        content: of the file.
        where: names the file in errors.

    Raises:
        StoryError: not a story's JSON, or one that `check` refuses.
    """
    if len(content) > LARGEST:
        raise StoryError(f"{where} has {len(content):,} bytes; a story has at most {LARGEST:,}.")
    try:
        found = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise StoryError(
            f"{where} is no JSON ({str(error)[:80]}). Download a story to see the form."
        ) from None
    try:
        return check(_story(found))
    except StoryError as error:
        raise StoryError(f"{where}: {error}") from None


def _story(found: Any) -> Story:
    content = _fields(found, {"schema_version": int, "title": str, "steps": list}, "The story")
    if content["schema_version"] != SCHEMA_VERSION:
        raise StoryError(
            f"it has schema version {content['schema_version']}; this program reads {SCHEMA_VERSION}. "
            "Use the program's version that wrote it."
        )
    texts = {"title": str, "caption": str, "shows": str}
    steps = (_fields(each, texts, f"Step {number}") for number, each in enumerate(content["steps"], start=1))
    return Story(content["title"], tuple(Step(**step) for step in steps))


def _fields(found: Any, kinds: Mapping[str, type], whose: str) -> dict[str, Any]:
    if not isinstance(found, dict) or set(found) != set(kinds):
        held = ", ".join(map(str, found))[:80] if isinstance(found, dict) else repr(found)[:40]
        raise StoryError(f"{whose} needs exactly {', '.join(kinds)}; it has {held}.")
    for name, kind in kinds.items():
        if type(found[name]) is not kind:
            what = {str: "text", int: "a whole number", list: "a list"}[kind]
            raise StoryError(f"{whose}: {name} is {repr(found[name])[:40]}, not {what}.")
    return found


BUILT_IN = Story(
    "What it sees, where it fails, when to doubt it",
    (
        Step(
            "What it is",
            "A program that reads handwritten digits: {knows}. It was given examples, not rules, and set its "
            "{parameters} numbers by them.",
            "samples",
        ),
        Step(
            "Draw one",
            "Write a digit: {knows} is what it knows. It says what it reads, and how sure it is.",
            "draw",
        ),
        Step(
            "How good is it?",
            "Of {n} digits that it had never seen it reads {accuracy} rightly. {errors} it does not.",
            "accuracy",
        ),
        Step(
            "Where it fails",
            "What lies off the diagonal is an error. The most frequent: a true {confused_true} read as a "
            "{confused_read}, {confused_times}.",
            "matrix",
        ),
        Step(
            "What it misreads",
            "The errors that it was surest of. Would you have read them?",
            "errors",
        ),
        Step(
            "Is it right when it is sure?",
            "On average it is {confidence} sure, and right in {accuracy}. Where the bars meet the dashed "
            "line, sure means right.",
            "reliability",
        ),
        Step(
            "When to doubt it",
            "It knows {knows} and nothing else. Shown another thing it names a digit all the same, and is "
            "often sure of it.",
            "unusual",
        ),
        Step(
            "What we do about it",
            "It may say: I don't know. Less than {refuse_below} sure, it refuses. Of the "
            "digits that chose this limit it answered {answered}, {answered_right} of these rightly.",
            "refusing",
        ),
    ),
)
