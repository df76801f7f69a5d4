"""A story on the stage: one step at a time, the whole screen for it, and keys to go on."""

from html import escape

import streamlit as st

from core.errors import StoryError
from core.story import Step, Story, fill
from core.story_facts import facts_of
from core.strokes import CANVAS_SIDE
from dashboard import resources
from dashboard.distortions import dataset
from dashboard.parts import pick, story_shows
from dashboard.parts.data_picker import name_of
from dashboard.story_link import STORY
from dashboard.words import listed, plain

BAR = "story-bar"
ON_DIGITS = ("matrix", "errors", "reliability", "refusing")


def _canvas(scale: float) -> str:
    """The canvas, so much larger; its coordinates stay."""
    return (
        f".st-key-story-live .st-key-canvas {{ transform: scale({scale}); transform-origin: top; "
        f"margin-bottom: {CANVAS_SIDE * (scale - 1):.0f}px; }}"
    )


STYLE = f"""<style>
[data-testid="stSidebar"], [data-testid="stHeader"] {{ display: none; }}
[data-testid="stMainBlockContainer"] {{ max-width: none; padding: 1.6rem 3rem 5.5rem; }}
.told h1 {{ font-size: clamp(2rem, 3.6vw, 4.2rem); line-height: 1.1; padding: 0 0 1.2rem; }}
.told p {{ font-size: clamp(1.25rem, 2vw, 2.4rem); line-height: 1.4; margin: 0; }}
.told .number {{ font-size: clamp(1rem, 1.2vw, 1.4rem); opacity: 0.72; padding-bottom: 0.6rem; }}
.st-key-{BAR} {{ position: fixed; inset: auto 0 0 0; z-index: 100; }}
.stage-grid {{ display: grid; gap: 0.6rem 0.8rem;
               grid-template-columns: repeat(auto-fill, minmax(clamp(4.6rem, 7vw, 9rem), 1fr)); }}
.stage-grid.few {{ grid-template-columns: repeat(auto-fill, minmax(clamp(6.5rem, 11vw, 15rem), 1fr)); }}
.stage-grid figure {{ margin: 0; text-align: center; border-bottom: 0.25rem solid transparent; }}
.stage-grid figcaption {{ font-size: clamp(1rem, 1.35vw, 1.7rem); line-height: 1.35; }}
.stage-grid figcaption small {{ opacity: 0.75; font-size: 0.8em; white-space: nowrap; }}
.stage-grid .noticed {{ border-bottom-color: #d55e00; }}
.st-key-story-live .answer .digit {{ font-size: clamp(6rem, 12vw, 14rem); }}
.st-key-story-live .answer .sure {{ font-size: clamp(1.25rem, 1.8vw, 2rem); }}
.st-key-story-live .verdict {{ font-size: clamp(1rem, 1.3vw, 1.5rem); }}
.st-key-story-live [data-testid="stCaptionContainer"] p {{ font-size: clamp(0.95rem, 1.25vw, 1.6rem); }}
.st-key-story-matrix {{ zoom: 1.15; }}
.st-key-story-matrix-few {{ --cell: clamp(4rem, 12vh, 8rem); --count: clamp(1.2rem, 2vw, 2.2rem); }}
@media (min-width: 1200px) {{ {_canvas(1.3)} }}
@media (min-width: 1400px) {{ {_canvas(1.55)} }}
@media (min-width: 1800px) {{ {_canvas(2.0)} }}
.st-key-story-bins {{ zoom: 1.4; }}
.st-key-story-live .price > strong {{ font-size: clamp(1.25rem, 1.6vw, 1.9rem); }}
.stage-said {{ font-size: clamp(1.1rem, 1.5vw, 1.9rem); padding-bottom: 0.4rem; }}
@media (max-width: 640px) {{
  .st-key-story-matrix, .st-key-story-bins {{ zoom: 1; }}
  [data-testid="stMainBlockContainer"] {{ padding: 1.2rem 1rem 5.5rem; }}
  .told h1 {{ padding-bottom: 0.5rem; }}
  .st-key-story-live .st-key-brush {{ display: none; }}
}}
</style>"""


def show(story: Story, number: int) -> None:
    """Presents a step of a story, numbered from 1."""
    st.html(STYLE)
    # A place for each: what the last step showed is gone at once, not when the new one is complete.
    places = [st.empty() for _ in story.steps]
    with st.container(key=BAR):
        pick.presenter(
            {"step": number, "titles": [step.title for step in story.steps]},
            key="story-presenter",
            go=lambda step: STORY.change(step=min(max(0, int(step)), len(story.steps))),
        )
    with places[number - 1].container():
        _step(story.steps[number - 1], number, len(story.steps))


def _step(step: Step, number: int, of: int) -> None:
    if step.shows == "words":
        _words(step, number, of)
        return
    words, live = st.columns([5, 7], gap="large", vertical_alignment="top")
    with words:
        _words(step, number, of)
    with live, st.container(key="story-live"):
        story_shows.show(step.shows)


def _words(step: Step, number: int, of: int) -> None:
    card = resources.card(st.session_state.model)
    try:
        facts = facts_of(card)
        title, caption = fill(step.title, facts), fill(step.caption, facts)
    except StoryError as error:
        st.error(plain(str(error)), icon=":material/edit:")
        return
    with st.container(key="story-words"):
        st.html(
            f'<div class="told"><div class="number">{number} / {of} · {html(card.name)}, which knows '
            f"{listed(card.classes)}</div><h1>{html(title)}</h1><p>{html(caption)}</p></div>"
        )
        if step.shows in ON_DIGITS and dataset() != "mnist-test":
            st.caption(f"The figures in the text are of MNIST's test digits; shown are {name_of(dataset())}.")


def html(text: str) -> str:
    """A text of the visitor's, as it is, its lines kept."""
    return escape(text).replace("\n", "<br>")
