"""Which stroke carries the answer? Each one taken out alone, the costliest first."""

import numpy as np
import streamlit as st

from core.pieces import pieces_of
from core.what_if import Edit, Without
from dashboard import explanations
from dashboard.parts import pick
from dashboard.parts.explained_digit import Subject
from dashboard.parts.pictures import data_uri
from dashboard.words import percent

TAKEN = (179, 88, 6, 255)  # the palette's orange


def show(subject: Subject, edit: Edit) -> None:
    """A tile a stroke; a click takes it out, or brings it back."""
    question = subject.question
    st.markdown(
        "**Which stroke carries it?** Answer before → **without it** · what it gives "
        f"{question.words}, in logits. Click it."
    )
    found = explanations.without_each(subject.predictor, subject.pixels, question)
    if not found:
        st.caption("There is no ink to take out.")
        return
    pieces = pieces_of(subject.pixels)
    tiles = [_tile(one, pieces, subject, gone=one.piece in edit.gone) for one in found]
    pick.gallery(
        {"digits": tiles}, key="explain-strokes", open_digit=lambda piece: _toggle(subject, edit, piece)
    )


def _tile(one: Without, pieces: np.ndarray, subject: Subject, *, gone: bool) -> dict[str, object]:
    before, out = subject.prediction, "taken out now" if gone else "as it is"
    sure = percent(one.probability)
    words = f"Without stroke {one.piece}: read as {one.digit}, {before.digit} has {sure}; {out}"
    picture = np.stack([subject.pixels] * 3 + [np.full_like(subject.pixels, 255)], axis=-1)
    shown = (pieces == one.piece) & (subject.pixels > 60)
    picture[shown] = TAKEN
    marks = [{"sign": "✗", "words": "taken out"}] if gone else []
    return {
        "index": one.piece,
        "source": data_uri(picture),
        "alt": words,
        "from": str(before.digit),
        "to": str(one.digit),
        "note": f"{one.cost:+.1f}",
        "marks": marks,
    }


def _toggle(subject: Subject, edit: Edit, piece: int) -> None:
    from dashboard.parts.what_if import alter  # they need each other

    gone = sorted(set(edit.gone) ^ {piece})
    alter(subject, gone=".".join(map(str, gone)))
