"""Many pictures at once: a table of what was read, to take away; and digits that the model does not know."""

from html import escape
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from core.picture import MAX_BYTES
from core.predictor import Predictor
from core.reading import (
    MOST,
    PreparedFiles,
    Reading,
    Row,
    TakenFor,
    prepare_files,
    read_files,
    read_samples,
    taken_for,
    to_csv,
)
from dashboard import resources
from dashboard.learn_link import change, link, mirror
from dashboard.parts import learn_charts
from dashboard.parts.data_picker import at_hand, name_of
from dashboard.parts.pictures import image
from dashboard.words import listed, percent, plain

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

TYPES = ["png", "jpg", "jpeg", "webp", "bmp"]
MOST_MB = MAX_BYTES // 2**20
SAMPLES = 24
FILES, OF = "learn-files", "learn-files-of"  # kept while other pages are visited


@st.fragment
def show() -> None:
    """The tab."""
    predictor = resources.predictor(st.session_state.model)
    unknown = len(predictor.classes) < 10
    left, right = st.columns([7, 5], gap="small") if unknown else (st.container(), None)
    with left.container(border=True, height="stretch"):
        _results(_chosen(predictor))
    if right is not None:
        with right.container(border=True, height="stretch"):
            _beyond(predictor)


def _chosen(predictor: Predictor) -> Reading:
    names = {"samples": "Samples", "files": "My pictures"}
    st.segmented_control(
        "Which pictures", required=True, label_visibility="collapsed", **mirror("pictures", names)
    )
    if link().pictures == "files":
        return _uploaded(predictor)
    data = resources.samples(at_hand()[0])
    last = max(0, len(data) - SAMPLES)
    first = min(link().first, last)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Other samples", icon=":material/shuffle:", on_click=_shuffle, args=(last,))
        st.caption(f"{SAMPLES} of {plain(name_of(data.name))}, from number {first:,} on.", width="content")
    return read_samples(predictor, data, first=first, most=SAMPLES)


def _shuffle(last: int) -> None:
    change(first=int(np.random.default_rng().integers(last + 1)))


def _uploaded(predictor: Predictor) -> Reading:
    files = st.file_uploader(
        f"Up to {MOST} pictures of one digit each (PNG, JPEG, WebP or BMP, at most {MOST_MB} MB each)",
        type=TYPES,
        accept_multiple_files=True,
        max_upload_size=MOST_MB,
        key="learn-upload",
    )
    if files:
        _prepare(files)
    kept: PreparedFiles | None = st.session_state.get(FILES)
    if kept is None:
        return Reading((), ())
    if not files:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption("The pictures of before.", width="stretch")
            st.button("Remove", key="learn-remove", on_click=st.session_state.pop, args=(FILES,))
    return read_files(predictor, kept)


def _prepare(files: "list[UploadedFile]") -> None:
    """Keeps what the files show, and not the files; those prepared already are not prepared again."""
    ids = tuple(file.file_id for file in files)
    if st.session_state.get(OF) == ids and FILES in st.session_state:
        return
    bar = st.progress(0.0, "Reading the pictures …")
    st.session_state[FILES] = prepare_files(
        [(file.name, file.getvalue) for file in files],
        progress=lambda done, total: bar.progress(done / total, f"Picture {done:,} of {total:,} …"),
    )
    st.session_state[OF] = ids
    bar.empty()


def _results(reading: Reading) -> None:
    n = len(reading.rows)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{n:,}** {'picture' if n == 1 else 'pictures'} read", width="stretch")
        st.download_button(
            "CSV",
            to_csv(reading) if n else "",
            "digits.csv",
            mime="text/csv",
            icon=":material/download:",
            disabled=not n,
            on_click="ignore",
        )
    if reading.skipped:
        with st.container(key="learn-skipped"):
            st.warning("  \n".join(map(plain, reading.skipped)), icon=":material/broken_image:")
    if n:
        with st.container(height=420, border=False):
            st.html(_table(reading.rows))
    elif not reading.skipped:
        st.caption("The table appears here: picture, digit, how sure.")


def _table(rows: tuple[Row, ...]) -> str:
    heads = "".join(f"<th>{name}</th>" for name in _columns(rows[0], ""))
    body = "".join(
        "<tr>"
        + "".join(f"<td>{cell}</td>" for cell in _columns(row, image(row.pixels, f"{row.name}")).values())
        + "</tr>"
        for row in rows
    )
    return f'<table class="runs many"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>'


def _columns(row: Row, picture: str) -> dict[str, str]:
    """A row's cells by their column: a new column is a line here."""
    found = row.prediction
    truth = {} if row.label is None else {"truly": str(row.label)}
    return {
        "picture": picture,
        "name": escape(row.name),
        "digit": f"<b>{found.digit}</b>",
        "how sure": percent(found.confidence),
        "verdict": found.verdict.words if found.verdict else "none fitted",
    } | truth


def _beyond(predictor: Predictor) -> None:
    """What a model of two classes does with all ten digits."""
    name = at_hand()[0]
    found = _taken(f"{predictor.key} {predictor.fitted}", name, predictor)
    others = [one for one in found if not one.known]
    n = max(1, sum(one.n for one in others))
    sure = sum(one.n * one.confidence for one in others) / n
    doubted = sum(one.n * (one.doubted or 0) for one in others) / n
    warned = "" if predictor.detector is None else f" The verdict warns of **{percent(doubted)}** of them."
    st.markdown(
        f"**Outside its world.** This model only knows {listed(predictor.classes)} and calls every digit one "
        f"of them. Of the {len(others)} others in the {plain(name_of(name))} it is **{percent(sure)}** sure "
        f"on average.{warned}"
    )
    learn_charts.taken(found, predictor.classes)


@st.cache_resource(max_entries=8, show_spinner="Reading the digits …")
def _taken(key: str, dataset: str, _predictor: Predictor) -> list[TakenFor]:
    return taken_for(_predictor, resources.samples(dataset))
