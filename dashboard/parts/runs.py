"""Training runs: those under way, as they go, and those that the published figures come from."""

from html import escape

import streamlit as st

from core.config import RECIPES, TrainConfig
from core.results import COLUMNS, Peeking, peeking, table
from core.runs import RunStatus
from dashboard import resources
from dashboard.parts import charts
from dashboard.words import duration, percent, plain

LOOK_AGAIN = {True: 2.0, False: 10.0}  # s, while something trains and while nothing does


def live() -> None:
    """What trains on this machine now; nothing where nothing does."""
    busy = bool(resources.running())
    st.fragment(_live, run_every=LOOK_AGAIN[busy])(busy)


def _live(busy: bool) -> None:
    found = resources.running()
    if bool(found) != busy:
        st.rerun()  # the whole page: it looks more often from now on, or shows the new checkpoint
    for column, run in zip(st.columns(len(found) or 1, gap="small"), found, strict=False):
        with column.container(border=True, height="stretch", key=f"live-{run.name}"):
            _one(run)


def _one(run: RunStatus) -> None:
    now = run.progress
    st.markdown(f"**In training: {plain(run.name)}**")
    if now is None:
        st.caption("The first steps are under way.")
        return
    known = "" if now.validation_accuracy is None else f" · validation {percent(now.validation_accuracy, 2)}"
    st.progress(
        now.step / now.steps,
        f"Epoch {now.epoch} of {now.epochs} · {now.images_per_second:,.0f} images/s · loss {now.loss:.3f}"
        f"{known} · about {duration(now.eta)} left",
    )
    if len(run.history) > 1:
        charts.training(run.history, None, key=f"history-{run.name}", height=190)


def published(architecture: str) -> None:
    """Every recipe of a network with all its runs: a dot a run, and the table behind it."""
    results = [recipe for recipe in resources.training_results() if recipe.architecture == architecture]
    if not results:
        st.caption("No runs are recorded. To record some:")
        model = next(name for name, kinds in RECIPES.items() if _architecture(kinds) == architecture)
        st.code(f"python train.py {model} --seeds 5 --record", language="sh")
        return
    left, right = st.columns([2, 3], gap="medium", vertical_alignment="center")
    with left:
        charts.recipes(results)
    with right:
        st.html(_table(table(results)))
        for found in peeking(results):
            st.caption(_peeked(found))


def _architecture(recipes: dict[str, TrainConfig]) -> str:
    return next(iter(recipes.values())).architecture


def _table(rows: list[tuple[str, ...]]) -> str:
    """The columns that fit a screen; the README has them all."""
    shown = [COLUMNS.index(name) for name in ("recipe", "runs", "test accuracy", "ECE", "time a run")]
    head = "".join(f"<th>{COLUMNS[n]}</th>" for n in shown)
    body = "".join("<tr>" + "".join(f"<td>{escape(row[n])}</td>" for n in shown) + "</tr>" for row in rows)
    return f'<table class="runs"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _peeked(found: Peeking) -> str:
    return (
        f"What peeking is worth: the best epoch of the {found.recipe} recipe by the test set would claim "
        f"{percent(found.peeked, 2)}; the one that the validation digits chose has "
        f"{percent(found.honest, 2)}."
    )
