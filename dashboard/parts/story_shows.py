"""What a story's steps show: the live things of the pages, large enough for a room."""

from collections.abc import Callable, Sequence
from html import escape
from typing import Any

import numpy as np
import streamlit as st

from core.errors import DigitscopeError, NothingDrawn, PictureError
from core.selection import Selection
from core.table import DigitRow, EvaluationTable
from dashboard import answers, evaluations, resources, state, unusual_inputs
from dashboard.distortions import dataset
from dashboard.errors_link import ErrorsLink
from dashboard.parts import answered, charts, lenses, pick, refusing, reliability, sources
from dashboard.parts.card import remedy
from dashboard.parts.data_picker import name_of
from dashboard.parts.pictures import image
from dashboard.story_link import STORY
from dashboard.words import percent, plain

FEW, MANY = 12, 24  # pictures
IN_CELL = 6
LETTERS = 18  # px, in charts
FEW_CLASSES = 4  # whose matrix and dots have room to be larger
SET = "story-set"


def show(what: str) -> None:
    """One of them, by a key of `core.story.SHOWS`; what can't be shown says why."""
    try:
        SHOWN[what]()
    except DigitscopeError as error:
        st.error(plain(str(error)), icon=":material/error:")


def _table() -> EvaluationTable:
    bar = st.empty()
    try:
        return evaluations.table(
            st.session_state.model,
            dataset(),
            progress=lambda done, total: bar.progress(done / total, f"Reading digit {done:,} of {total:,} …"),
        )
    finally:
        bar.empty()


def _grid(figures: Sequence[str], *, few: bool = False) -> None:
    st.html(f'<div class="stage-grid{" few" if few else ""}">{"".join(figures)}</div>')


def _figure(pixels: np.ndarray, alt: str, caption: str, marked: str = "") -> str:
    return f'<figure class="{marked}">{image(pixels, alt)}<figcaption>{caption}</figcaption></figure>'


def _rounded(share: float) -> str:
    return percent(share, 0 if share < 0.995 else 1)


def _misread(row: DigitRow, pixels: np.ndarray) -> str:
    words = f"Digit {row.index}: true {row.label}, read as {row.prediction}, {percent(row.confidence)} sure"
    shown = f"{row.label} → <b>{row.prediction}</b><br><small>{escape(_rounded(row.confidence))} sure</small>"
    return _figure(pixels, words, shown)


def _samples() -> None:
    table = _table()
    rows = table.rows(table.indices(Selection(), order="index", limit=MANY))
    _grid(
        [
            _figure(row.pixels, f"Digit {row.index}, read as {row.prediction}", f"<b>{row.prediction}</b>")
            for row in rows
        ]
    )
    st.caption(f"The first {name_of(dataset())}; below each, what it reads.")


@st.fragment
def _draw() -> None:
    predictor = resources.predictor(st.session_state.model)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        picture = sources.drawn()
    state.link_drawing()
    with right:
        if picture.content is None:
            st.html(answered.nothing("Nothing drawn yet", "The answer appears here."))
            return
        try:
            prepared = resources.prepared(picture.content, picture.name)
        except NothingDrawn:
            st.html(answered.nothing("Nothing to read", "A digit must stand out from its background."))
            return
        except PictureError as error:
            st.error(plain(str(error)))
            return
        found = predictor.predict(list(resources.digits_in(predictor, prepared)))
        st.html(answered.several(found, 0) if len(found) > 1 else answered.one(found[0], predictor))
        charts.probabilities(found[0].probabilities, predictor.classes)


def _accuracy() -> None:
    name = st.session_state.model
    test = resources.card(name).metrics.get("mnist-test")
    if test is None:
        st.markdown("Not measured. To measure it, run:")
        st.code(remedy(name), language="sh", wrap_lines=True)
        return
    classes = len(test["per_class"])
    few = classes <= FEW_CLASSES
    charts.accuracy_by_class(test, height=90 + 120 * classes if few else 620, size=LETTERS, told=few)
    st.caption("MNIST's test digits, by true digit, with 95 % Wilson intervals.")


@st.fragment
def _matrix() -> None:
    table = _table()
    confusion, classes = evaluations.confusion(table), table.about.classes
    few = len(classes) <= FEW_CLASSES
    true, read = (each if each in classes else None for each in _cell())
    view = ErrorsLink(true=true, read=read, shown="all" if true == read else "wrong")
    key = "story-matrix-few" if few else "story-matrix"
    pick.matrix(lenses.matrix_data(confusion, view), key=key, pick=_pick_cell)
    selection = Selection(label=true, prediction=read, right=None if true is not None else False)
    rows = table.rows(table.indices(selection, limit=2 * IN_CELL if few else IN_CELL))
    asked = "The worst" if (true, read) == (None, None) else "Of these"
    st.caption(f"{name_of(dataset())}. Click a cell to see its digits. {asked}:")
    _grid([_misread(row, row.pixels) for row in rows])


def _cell() -> tuple[int | None, int | None]:
    return STORY.view().true, STORY.view().read


def _pick_cell(cell: dict[str, int | None]) -> None:
    wanted = (cell["label"], cell["prediction"])
    true, read = (None, None) if _cell() == wanted else wanted
    STORY.change(true=true, read=read)


def _surest_errors(n: int) -> tuple[EvaluationTable, list[DigitRow]]:
    table = _table()
    return table, table.rows(table.indices(Selection(right=False), order="confidence", limit=n))


def _errors() -> None:
    table, rows = _surest_errors(FEW)
    if not rows:
        st.success(f"Not one error in {plain(name_of(dataset()))}.", icon=":material/check_circle:")
        return
    _grid([_misread(row, row.pixels) for row in rows], few=True)
    n = table.count(Selection(right=False))
    st.caption(
        f"true digit → **answer**. The surest {len(rows)} of {n:,} errors in {len(table):,} digits: "
        f"{plain(name_of(dataset()))}."
    )


def _evidence() -> None:
    table, rows = _surest_errors(FEW)
    with st.spinner("Asking where the network looked …"):
        pictures = evaluations.overlays(st.session_state.model, table, rows)
    _grid([_misread(row, picture) for row, picture in zip(rows, pictures, strict=True)], few=True)
    st.caption("Bright: what spoke for the answer (Grad-CAM; of the linear model pixel by weight).")


def _reliability() -> None:
    model, table = st.session_state.model, _table()
    found = answers.answers(model, table)
    stage = "after" if "after" in found.confidence else next(iter(found.confidence))
    bins = found.reliability(stage)
    data = reliability.bins_data(bins, f"{name_of(dataset())}, ECE {percent(bins.ece, 2)}", still=True)
    with st.container(key="story-bins"):
        pick.bins(data | {"height": 320}, key="story-reliability", pick=lambda number: None)
    st.caption(reliability.KEY)


@st.fragment
def _unusual() -> None:
    model = st.session_state.model
    sets = unusual_inputs.names(model)
    key = st.selectbox(
        "Set of inputs",
        list(sets),
        index=list(sets).index("letters") if "letters" in sets else 0,
        format_func=sets.__getitem__,
        key=SET,
        bind="query-params",
        label_visibility="collapsed",
    )
    found = unusual_inputs.fooled(model, key)
    noticed = found.noticed
    said = f"<strong>{escape(percent(found.sure))}</strong> are read with 99 % confidence or more"
    if noticed is not None:
        told = percent(float(noticed.mean()))
        said += f"; <strong>{escape(told)}</strong> are noticed by the verdict"
    st.html(f'<div class="stage-said">{said}.</div>')
    figures = []
    for place in found.surest(MANY):
        digit, sure = int(found.readings.prediction[place]), float(found.readings.confidence[place])
        seen = noticed is not None and bool(noticed[place])
        words = f"{found.inputs.name}: read as {digit}, {percent(sure)} sure"
        words += ", not like any digit" if seen else ""
        caption = f"<b>{digit}</b> <small>{escape(_rounded(sure))}</small>"
        figures.append(_figure(found.inputs.images[place], words, caption, "noticed" if seen else ""))
    _grid(figures)
    st.caption(
        "Underlined: the verdict says “not like any digit it was trained on”."
        if noticed is not None
        else "No verdict was fitted to this model: not measured."
    )


@st.fragment
def _refusing() -> None:
    model, table = st.session_state.model, _table()
    saved = resources.card(model).verdict.get("refuse_below")
    refusing.weigh(answers.curve(model, table), saved, height=420, size=LETTERS)
    st.caption(f"{plain(name_of(dataset()))}, {len(table):,} digits.")


SHOWN: dict[str, Callable[[], Any]] = {
    "samples": _samples,
    "draw": _draw,
    "accuracy": _accuracy,
    "matrix": _matrix,
    "errors": _errors,
    "evidence": _evidence,
    "reliability": _reliability,
    "unusual": _unusual,
    "refusing": _refusing,
}
