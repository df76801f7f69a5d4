"""Changes to a story, kept at once; two people at one story lose nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core import stories
from core.errors import StoryChanged, StoryError
from core.story import Story
from dashboard.words import plain

KEPT, WRONG = "story-kept", "story-wrong"  # what this session saw last, by name; what is wrong, by place


@dataclass(frozen=True)
class Change:
    """A change of a story.

    Attributes:
        make: gives the changed story.
        touched: the part that it changes: whoever changes another part is not in its way.
        again: whether it makes sense in a story whose same part is another one by now.
    """

    make: Callable[[Story], Story]
    touched: Callable[[Story], Any]
    again: bool = True


@dataclass(frozen=True)
class Refusal:
    """Why a change was not kept, and the change, if that is because of somebody else's."""

    words: str
    change: Change | None


def saw(name: str, story: Story) -> None:
    """Notes a story as it is shown: a change starts from there."""
    st.session_state.setdefault(KEPT, {})[name] = story


def keep(name: str, place: int | None, change: Change) -> bool:
    """Keeps a changed story, or remembers why it can't be, by the place of the change."""
    seen = st.session_state.get(KEPT, {}).get(name)
    if seen is None:
        return False
    try:
        new = _written(name, seen, change)
    except StoryError as error:
        meanwhile = isinstance(error, StoryChanged) and change.again
        wrong()[name, place] = Refusal(str(error), change if meanwhile else None)
        return False
    # Of two changes that come together the second starts from what the first one left.
    saw(name, new)
    wrong().pop((name, place), None)
    return True


def _written(name: str, seen: Story, change: Change) -> Story:
    try:
        stories.write(name, new := change.make(seen), expected=seen)
    except StoryChanged:
        theirs = stories.read(name)
        if change.touched(theirs) != change.touched(seen):
            raise
        stories.write(name, new := change.make(theirs), expected=theirs)
    return new


def wrong() -> dict[tuple[str, int | None], Refusal]:
    """What was not kept, by story and step; None is the story's title and the order of its steps."""
    found: dict[tuple[str, int | None], Refusal] = st.session_state.setdefault(WRONG, {})
    return found


def say(name: str, place: int | None, theirs: str) -> None:
    """Why what stands above was not kept, and how to go on.

    Args:
        name: the story's.
        place: of the step; None for its title.
        theirs: what is kept there now.
    """
    refusal = wrong().get((name, place))
    if refusal is None:
        return
    if refusal.change is None:
        st.error(f"Not kept. {plain(refusal.words)}", icon=":material/error:")
        return
    st.warning(f"Changed elsewhere meanwhile. There it reads: {plain(theirs)}", icon=":material/call_split:")
    with st.container(horizontal=True):
        for words, act in (("Keep mine", _keep_mine), ("Take theirs", _take_theirs)):
            st.button(words, key=f"story-{words}-{place}", on_click=act, args=(name, place, refusal.change))


def _keep_mine(name: str, place: int | None, change: Change) -> None:
    try:
        saw(name, stories.read(name))
    except StoryError as error:
        wrong()[name, place] = Refusal(str(error), None)
    else:
        keep(name, place, change)


def _take_theirs(name: str, place: int | None, _: Change) -> None:
    wrong().pop((name, place), None)
