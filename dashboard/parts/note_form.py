"""What people noted on a digit, to read and to change."""

from collections.abc import Callable

import streamlit as st

from core import notes
from core.errors import DigitscopeError, NotesError
from core.notes import Note
from core.table import EvaluationTable
from dashboard import evaluations
from dashboard.words import plain


def show(table: EvaluationTable, index: int) -> None:
    """Tags and a text, kept as soon as they are changed."""
    dataset = evaluations.notes_key(table)
    st.markdown("**Notes**")
    try:
        note = notes.read(dataset, index)
    except NotesError as error:
        st.warning(plain(str(error)), icon=":material/edit_off:")
        return
    tags_key, text_key = f"note-tags-{dataset}-{index}", f"note-text-{dataset}-{index}"
    st.session_state[tags_key] = list(note.tags) if note else []
    st.session_state[text_key] = note.text if note else ""
    seen = (dataset, index, note)
    st.pills(
        "Tags", notes.TAGS, selection_mode="multi", key=tags_key, on_change=_keep_tags, args=(*seen, tags_key)
    )
    st.text_area(
        "Text",
        key=text_key,
        on_change=_keep_text,
        args=(*seen, text_key),
        height=90,
        max_chars=notes.TEXT_LIMIT,
    )
    if note:
        st.caption(f"Kept {note.changed:%Y-%m-%d %H:%M} UTC.")


def _keep_tags(dataset: str, index: int, seen: Note | None, key: str) -> None:
    """Puts on and takes off what this session did, whatever another one wrote meanwhile."""
    before, chosen = set(seen.tags if seen else ()), set(st.session_state[key])

    def merged(now: Note | None) -> tuple[list[str], str]:
        tags = (set(now.tags if now else ()) | (chosen - before)) - (before - chosen)
        return sorted(tags), now.text if now else ""

    _write(dataset, index, merged)


def _keep_text(dataset: str, index: int, seen: Note | None, key: str) -> None:
    """Replaces the text that this session saw; another one's new text stays, above."""
    before, written = seen.text if seen else "", st.session_state[key]

    def merged(now: Note | None) -> tuple[list[str], str]:
        theirs = now.text if now else ""
        text = written if theirs == before else "\n".join(filter(None, [theirs, written]))
        return list(now.tags if now else ()), text

    _write(dataset, index, merged)


def _write(dataset: str, index: int, merged: Callable[[Note | None], tuple[list[str], str]]) -> None:
    try:
        for attempt in range(3):  # somebody else may write between the look and the change
            now = notes.read(dataset, index)
            tags, text = merged(now)
            try:
                notes.write(dataset, index, tags=tags, text=text, expected=now.changed if now else None)
                return
            except NotesError:
                if attempt == 2:
                    raise
    except DigitscopeError as error:
        st.toast(plain(str(error)), icon=":material/error:")
