"""A story on paper: its steps one below the other, to change, to keep, to take away and to bring."""

from dataclasses import replace

import streamlit as st

from core import stories
from core.errors import StoryError
from core.story import LARGEST, MOST_STEPS, SHOWS, Step, Story, fill, read_story
from core.story_facts import FACTS, facts_of
from dashboard import resources
from dashboard.parts.story_keeping import Change, keep, saw, say, wrong
from dashboard.story_link import STORY
from dashboard.words import plain

OPENED = "story-opened"  # how many
NEW = Step("A new step", "", "words")


def show(story: Story | None, name: str) -> None:
    """The page with a story; None for one that can't be told, whose reason stands above."""
    st.title("Story", anchor=False)
    st.caption(
        "What the model is, how good, where it fails and when to doubt it, told from the live pages, a step "
        "a screen. Arrow keys, page up and down, or a presenter's remote lead through it; F is full screen, "
        "Esc leaves (where the browser wants it twice, the first one leaves full screen alone)."
    )
    _bar(story, name)
    if story is None:
        return
    if name:
        saw(name, story)
        _title(story, name)
    else:
        st.subheader(story.title, anchor=False)
    for place in range(len(story.steps)):
        with st.container(border=True):
            _editable(story, name, place) if name else _fixed(story, place)
    if name and len(story.steps) < MOST_STEPS:
        st.button("Add a step", icon=":material/add:", on_click=_change_steps, args=(name, "add", 0))


def _bar(story: Story | None, name: str) -> None:
    names = ["", *stories.names()]
    names += [name] if name not in names else []
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            "Which story",
            label_visibility="collapsed",
            width=260,
            **STORY.mirror("story", {each: each or "Built in" for each in names}, empty=""),
        )
        if story is not None:
            st.button(
                "Present",
                icon=":material/play_arrow:",
                type="primary",
                on_click=STORY.change,
                kwargs={"step": 1},
            )
            with st.popover("Make it mine" if not name else "Copy", icon=":material/edit:"):
                _copy(story, name)
            st.download_button(
                "JSON",
                story.to_json,  # made when asked for: a file that is there the browser looks for
                file_name=f"{name or 'story'}.json",
                mime="application/json",
                icon=":material/download:",
                on_click="ignore",
            )
        with st.popover("Bring one", icon=":material/upload:"):
            _bring()
        if name in stories.names():
            with st.popover("Remove", icon=":material/delete:"):
                st.markdown(f"Remove **{plain(name)}** for good?")
                st.button("Remove it", type="primary", on_click=_remove, args=(name,))


def _copy(story: Story, name: str) -> None:
    st.markdown("A copy of your own, whose every change is kept at once.")
    wanted = st.text_input("Its name", value=f"{name}-copy" if name else "My story", max_chars=40)

    def copy() -> None:
        _open(story, wanted)

    st.button("Make the copy", type="primary", on_click=copy)


def _bring() -> None:
    sent = st.file_uploader("A story's JSON", type="json", max_upload_size=1, key=f"story-upload-{_opened()}")
    if sent is None:
        return
    try:
        story = read_story(sent.read(LARGEST + 1), sent.name)
    except StoryError as error:
        st.error(plain(str(error)), icon=":material/broken_image:")
        return
    st.markdown(f"**{plain(story.title)}**, {len(story.steps)} steps")
    st.button("Keep it", type="primary", on_click=_open, args=(story, sent.name.removesuffix(".json")))


def _open(story: Story, wanted: str) -> None:
    try:
        STORY.change(story=stories.add(story, wanted))
        st.session_state[OPENED] = _opened() + 1  # the file that was sent is done with
    except StoryError as error:
        st.toast(plain(str(error)), icon=":material/error:")


def _opened() -> int:
    return int(st.session_state.get(OPENED, 0))


def _remove(name: str) -> None:
    try:
        stories.remove(name)
    except StoryError as error:
        st.toast(plain(str(error)), icon=":material/error:")
    else:
        STORY.change(story="")


def _fixed(story: Story, place: int) -> None:
    step = story.steps[place]
    _head(place, step.title)
    st.markdown(plain(_filled(step.caption)))
    st.caption(f"Shows: {SHOWS[step.shows]}")


def _head(place: int, title: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{place + 1}. {plain(_filled(title))}**", width="stretch")
        _present(place)


def _present(place: int) -> None:
    st.button(
        "Show",
        icon=":material/play_arrow:",
        type="tertiary",
        key=f"story-show-{place}",
        help=f"Presents step {place + 1}",
        on_click=STORY.change,
        kwargs={"step": place + 1},
    )


def _title(story: Story, name: str) -> None:
    key = f"story-{name}-title"
    if (name, None) not in wrong():
        st.session_state[key] = story.title
    st.text_input("Title of the story", key=key, on_change=_retitle, args=(name, key))
    say(name, None, story.title)


def _retitle(name: str, key: str) -> None:
    title = st.session_state[key]
    keep(name, None, Change(lambda seen: replace(seen, title=title), lambda seen: seen.title))


def _editable(story: Story, name: str, place: int) -> None:
    step, keys = (
        story.steps[place],
        {each: f"story-{name}-{place}-{each}" for each in ("title", "caption", "shows")},
    )
    if (name, place) not in wrong():
        for each, key in keys.items():
            st.session_state[key] = getattr(step, each)
    change = {"on_change": _edit, "args": (name, place, keys)}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input(f"Title of step {place + 1}", key=keys["title"], **change)
        st.selectbox(
            "It shows", list(SHOWS), format_func=SHOWS.__getitem__, key=keys["shows"], width=280, **change
        )
    st.text_area(
        f"Caption of step {place + 1}", key=keys["caption"], height=100, help=_figures_help(), **change
    )
    say(name, place, f"{step.title}: {step.caption}")
    if (name, place) not in wrong() and "{" in step.caption:
        st.caption(f"Reads: {plain(_filled(step.caption))}")
    with st.container(horizontal=True):
        _present(place)
        last = len(story.steps) - 1
        for words, icon, what, off in (
            ("Up", "arrow_upward", "up", place == 0),
            ("Down", "arrow_downward", "down", place == last),
            ("Remove", "delete", "remove", last == 0),
        ):
            st.button(
                words,
                icon=f":material/{icon}:",
                type="tertiary",
                key=f"story-{what}-{place}",
                disabled=off,
                on_click=_change_steps,
                args=(name, what, place),
            )


def _figures_help() -> str:
    facts = facts_of(resources.card(st.session_state.model))
    rows = (
        f"- `{{{each}}}` {about}: {plain(facts[each] or 'not measured')}"
        for each, (about, _) in FACTS.items()
    )
    return "Figures that are filled in:\n" + "\n".join(rows)


def _edit(name: str, place: int, keys: dict[str, str]) -> None:
    step = Step(**{each: st.session_state[key] for each, key in keys.items()})

    def changed(seen: Story) -> Story:
        return replace(seen, steps=(*seen.steps[:place], step, *seen.steps[place + 1 :]))

    keep(name, place, Change(changed, lambda seen: (len(seen.steps), seen.steps[place : place + 1])))


def _change_steps(name: str, what: str, place: int) -> None:
    def changed(seen: Story) -> Story:
        steps = list(seen.steps)
        if what == "add":
            steps.append(NEW)
        elif what == "remove":
            del steps[place]
        else:
            other = place + (1 if what == "down" else -1)
            steps[place], steps[other] = steps[other], steps[place]
        return replace(seen, steps=tuple(steps))

    if keep(name, None, Change(changed, lambda seen: seen.steps, again=False)):
        wrong().clear()  # the places are others now


def _filled(text: str) -> str:
    return fill(text, facts_of(resources.card(st.session_state.model)))
