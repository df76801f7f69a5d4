"""Story: what the model is, how good, where it fails and when to doubt it, told step by step."""

import streamlit as st

from core import stories
from core.errors import StoryError
from core.story import BUILT_IN, Story
from dashboard.parts import story_editor, story_stage
from dashboard.story_link import STORY
from dashboard.words import plain


def show() -> None:
    STORY.arrive()
    view = STORY.view()
    story = _story(view.story)
    if story is not None and view.step:
        story_stage.show(story, min(view.step, len(story.steps)))
    else:
        story_editor.show(story, view.story)


def _story(name: str) -> Story | None:
    """The story that the link names; None, and the reason on the page, where it can't be told."""
    if not name:
        return BUILT_IN
    try:
        return stories.read(name)
    except StoryError as error:
        st.error(plain(str(error)), icon=":material/link_off:")
        return None


show()
