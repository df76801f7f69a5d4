"""Cached access to evaluations: tables, and what is computed from them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from core import label_issues as doubts
from core import notes
from core.comparison import Comparison, compare
from core.confusion import Confusion
from core.errors import DatasetError, NotesError
from core.notes import Note
from core.own import title
from core.paths import WEIGHTS, checkpoint_names
from core.predictor import Predictor
from core.selection import Selection
from core.table import DigitRow, EvaluationTable, read_about
from core.tabulation import at_hand, evaluations_folder, evaluations_of, key_of, open_sealed, table_of
from dashboard.errors_link import Area
from dashboard.resources import card, predictor, samples
from dashboard.together import Progress, once

if TYPE_CHECKING:
    from core.neighbours import Neighbours

MOST_BANKS = 2  # of training digits' embeddings in memory: 56 MB each
MAP_SIZE = 12_000  # digits on a map at most: more are slow to lay out and to draw
ELSEWHERE = "evaluations/"  # begins the names of tables that were made by the command line


def table(model: str, dataset: str, *, progress: Progress | None = None) -> EvaluationTable:
    """What the model says of every digit of a data set; computed the first time, with progress."""
    if dataset.startswith(ELSEWHERE):
        return _elsewhere(model, dataset)
    chosen, data = predictor(model), samples(dataset)
    key = key_of(chosen, data)
    once(
        key,
        lambda: not at_hand(chosen, data),
        lambda tell: table_of(chosen, data, progress=tell),
        progress=progress,
    )
    return _table(key, dataset, chosen)


@st.cache_resource(max_entries=8, show_spinner=False)
def _table(key: str, dataset: str, _predictor: Predictor) -> EvaluationTable:
    return table_of(_predictor, samples(dataset))


def is_elsewhere(dataset: str) -> bool:
    """Whether it is such a name, of any model's table."""
    name = dataset.removeprefix(ELSEWHERE)
    return name != dataset and any(
        name in evaluations_of(card(model).hashes[WEIGHTS]) for model in checkpoint_names()
    )


@st.cache_data(max_entries=200, show_spinner=False)
def own_title(dataset: str) -> str:
    """The name of the file that a visitor's own data set came from."""
    try:
        return title(dataset)
    except DatasetError:  # gone meanwhile
        return dataset


def _elsewhere(model: str, dataset: str) -> EvaluationTable:
    """The table of that name, or another model's of the same digits."""
    weights = predictor(model).key
    named = read_about(evaluations_folder() / dataset.removeprefix(ELSEWHERE))
    for name in evaluations_of(weights):
        folder = evaluations_folder() / name
        if read_about(folder).digest == named.digest:
            return _opened(folder, f"{weights[:12]}-{named.digest[:12]}")
    raise DatasetError(
        f"{named.dataset} was not evaluated with {model}. Do so: python -m core evaluate --model {model} "
        f"--data {named.dataset} --out {evaluations_folder() / model}"
    )


@st.cache_resource(max_entries=4, show_spinner=False)
def _opened(folder: Path, key: str) -> EvaluationTable:
    return open_sealed(folder)


def elsewhere(model: str) -> list[str]:
    """The evaluations by this model that the command line made, by the names that `table` takes."""
    return [f"{ELSEWHERE}{name}" for name in evaluations_of(predictor(model).key)]


def confusion(table: EvaluationTable) -> Confusion:
    """The confusion matrix of a table."""
    return _confusion(table.key, table)


@st.cache_resource(max_entries=64, show_spinner=False)
def _confusion(key: str, _table: EvaluationTable) -> Confusion:
    return Confusion(_table.confusion(), _table.about.classes)


def label_issues(dataset: str) -> dict[int, doubts.LabelIssue]:
    """The labels that people doubt, by place."""
    return doubts.label_issues(dataset)


def corrected(table: EvaluationTable) -> doubts.CorrectedScore | None:
    """The score by the labels that people voted for; None where nobody voted."""
    return (
        _corrected(table.key, table)
        if label_issues(table.about.dataset) and not table.about.left_out
        else None
    )


@st.cache_resource(max_entries=16, show_spinner=False)
def _corrected(key: str, _table: EvaluationTable) -> doubts.CorrectedScore:
    prediction, label = (_table.column(name).astype(np.int64) for name in ("prediction", "label"))
    return doubts.corrected_score(prediction, label, _table.about.dataset)


def notes_key(table: EvaluationTable) -> str:
    """What notes are kept under: they belong to the digits, whichever model reads them."""
    return f"{table.about.dataset}@{table.about.digest[:12]}"


def noted(table: EvaluationTable) -> dict[int, Note]:
    """The notes on a data set's digits, as they are now; none where they can't be read."""
    try:
        return {note.index: note for note in notes.read_all(notes_key(table))}
    except NotesError:  # `notes_problem` says so, and the digits are shown all the same
        return {}


def notes_problem(table: EvaluationTable) -> str | None:
    """Why notes can't be read, if they can't."""
    try:
        notes.read_all(notes_key(table))
    except NotesError as error:
        return str(error)
    return None


def overlays(model: str, table: EvaluationTable, rows: Sequence[DigitRow]) -> list[np.ndarray]:
    """The digits with the evidence for the model's own answers over them; an even picture has none."""
    return _overlays(table.key, tuple(row.index for row in rows), predictor(model), rows)


@st.cache_resource(max_entries=32, show_spinner=False)
def _overlays(
    key: str, places: tuple[int, ...], _predictor: Predictor, _rows: Sequence[DigitRow]
) -> list[np.ndarray]:
    from core.explanation import explain_batch  # torch: seconds to import
    from core.overlay import overlay

    pictures = [row.pixels for row in _rows]
    inked = [place for place, pixels in enumerate(pictures) if not is_even(pixels)]
    if inked:
        found = explain_batch(_predictor, np.stack([pictures[place] for place in inked]))
        for place, each in zip(inked, found, strict=True):
            pictures[place] = np.asarray(overlay(pictures[place], each, side=28))
    return pictures


def is_even(pixels: np.ndarray) -> bool:
    """Whether a picture shows nothing, so that there is nothing to explain."""
    return bool(pixels.min() == pixels.max())


def nearest(
    model: str,
    embedding: np.ndarray,
    *,
    k: int = 5,
    digit: int | None = None,
    progress: Progress | None = None,
) -> list[tuple[int, int, float, np.ndarray]]:
    """The nearest training digits, of one digit alone if it is named: place, label, cosine similarity,
    pixels."""
    found = _neighbours(model, progress).nearest(embedding[None], k=k, digit=digit)
    training = samples("mnist-train")
    return [
        (int(index), int(label), float(similarity), training.images[index])
        for index, label, similarity in zip(
            found.indices[0], found.labels[0], found.similarities[0], strict=True
        )
    ]


def _neighbours(model: str, progress: Progress | None) -> "Neighbours":
    from core.neighbours import Neighbours

    kept, chosen = _banks(), predictor(model)
    bank = kept.get(chosen.key) or Neighbours.of(chosen, progress=progress)
    kept[chosen.key] = bank
    for key in list(kept)[:-MOST_BANKS]:
        kept.pop(key, None)
    return bank


@st.cache_resource(max_entries=1, show_spinner=False)
def _banks() -> dict[str, "Neighbours"]:
    return {}


def true_class_confidence(table: EvaluationTable, label: int) -> np.ndarray:
    """The probability that each digit of a class was given for that class."""
    return _true_class_confidence(table.key, label, table)


@st.cache_resource(max_entries=64, show_spinner=False)
def _true_class_confidence(key: str, label: int, _table: EvaluationTable) -> np.ndarray:
    return np.exp(-_table.column("loss", Selection(label=label)))  # type: ignore[no-any-return]


def on_map(table: EvaluationTable) -> Selection:
    """The digits that the map shows: all of them, or every so many of a large set."""
    return Selection(step=-(-len(table) // MAP_SIZE))


def kept_map(table: EvaluationTable) -> np.ndarray | None:
    """The map, if it was laid out before."""
    from core.embedding_map import kept

    return kept(table.embedding_key, n=table.count(on_map(table)))


def map_points(table: EvaluationTable, *, progress: Progress | None = None) -> np.ndarray:
    """Where each of the map's digits lies, by place."""
    from core.embedding_map import map_of

    points = kept_map(table)  # without a look at the embeddings
    return (
        map_of(table.embeddings(on_map(table)), key=table.embedding_key, progress=progress)
        if points is None
        else points
    )


def inside(table: EvaluationTable, area: Area) -> list[int]:
    """The places of the digits inside a line drawn on the map."""
    return _inside(table.key, area, table)


@st.cache_resource(max_entries=32, show_spinner=False)
def _inside(key: str, area: Area, _table: EvaluationTable) -> list[int]:
    from core.embedding_map import inside

    return _table.column("index", on_map(_table))[inside(map_points(_table), area)].tolist()  # type: ignore[no-any-return]


def comparison(first: str, second: str, dataset: str, *, progress: Progress | None = None) -> Comparison:
    """Two models on the digits that both know, the digits by their places in the data set."""
    tables = table(first, dataset), table(second, dataset, progress=progress)
    return _comparison(tables[0].key, tables[1].key, *tables)


def answers(model: str, dataset: str, places: Sequence[int]) -> dict[int, int]:
    """What a model reads at these places of a data set; those that it has no row for are missing."""
    return {row.index: row.prediction for row in table(model, dataset).rows(places)}


@st.cache_resource(max_entries=16, show_spinner=False)
def _comparison(a: str, b: str, _first: EvaluationTable, _second: EvaluationTable) -> Comparison:
    places, one, two = np.intersect1d(_first.column("index"), _second.column("index"), return_indices=True)
    answers = _first.column("prediction")[one], _second.column("prediction")[two]
    found = compare(_first.column("label")[one], *answers)
    groups = ("fixed", "newly_wrong", "same_mistake", "other_mistake")
    return replace(found, **{name: places[getattr(found, name)] for name in groups})
