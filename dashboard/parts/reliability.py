"""Does the confidence keep what it promises? Reliability diagrams, the figures, and the digits of a bin."""

from typing import Any

import streamlit as st

from core.answers import Answers
from core.calibration import Calibration, Estimate
from core.evaluation import RELIABILITY_BINS, Reliability
from core.table import EvaluationTable
from dashboard import answers
from dashboard.confidence_link import CONFIDENCE
from dashboard.parts import gallery, pick
from dashboard.parts.digit_link import address
from dashboard.words import percent

PER_PAGE = 20
KEY = (
    "Bar: how many of a bin's answers are right. Line: how sure they were. Hatched: the gap between the two. "
    "On the dashed line both agree."
)
FIGURES = {
    "ece": ("ECE", "expected calibration error, 15 bins of equal width"),
    "adaptive_ece": ("Adaptive ECE", "the same in 15 bins of equal mass"),
    "nll": ("NLL", "negative log-likelihood of the true digit, in nats"),
    "brier": ("Brier", "squared error over all classes, 0 to 2"),
}


def show(table: EvaluationTable, dataset: str) -> None:
    """The diagrams and the figures on the left, the digits of the chosen bin on the right."""
    model = st.session_state.model
    found = answers.answers(model, table)
    stages = [stage for stage in ("before", "after") if stage in found.confidence]
    left, right = st.columns(2, gap="medium")
    with left:
        temperature = answers.temperature(model, table)
        for column, stage in zip(st.columns(len(stages), gap="small"), stages, strict=True):
            with column:
                _diagram(found, stage, title(stage, temperature))
        st.caption(KEY)
    with right:  # what people wait for comes before the intervals
        _digits(table, dataset, found)
    with left:
        calibrations = answers.calibrations(model, table)
        st.html(figures({name(stage, temperature): calibrations[stage] for stage in stages}))
        of = calibrations["after"]
        st.caption(
            f"{of.n:,} digits, less is better. In brackets: 95 % intervals by {of.resamples:,} resamples.",
            help="A bootstrap over the digits: percentiles, and of ECE, which counts noise as error and "
            "leans upwards for it, the basic interval, which takes that off (Kumar et al. 2019).",
        )


def name(stage: str, temperature: float | None) -> str:
    """A stage in a word or two."""
    if temperature is None:
        return "As recorded"
    return "Before" if stage == "before" else f"After, T = {temperature:.3f}"


def title(stage: str, temperature: float | None) -> str:
    """A stage as the heading of its diagram."""
    if temperature is None:
        return "As recorded"
    return "Before the temperature" if stage == "before" else f"After it: logits / {temperature:.3f}"


def _diagram(found: Answers, stage: str, heading: str) -> None:
    view = CONFIDENCE.view()
    chosen = view.bin if view.stage == stage or len(found.confidence) == 1 else None
    data = bins_data(found.reliability(stage), heading, chosen=chosen)
    pick.bins(
        data,
        key=f"confidence-bins-{stage}",
        pick=lambda number: CONFIDENCE.change(stage=stage, bin=number),
    )


def bins_data(
    bins: Reliability, heading: str, *, chosen: int | None = None, still: bool = False
) -> dict[str, Any]:
    """What `pick.bins` shows; a still diagram is a picture, without buttons."""
    rows = []
    each = zip(bins.counts.tolist(), bins.accuracy.tolist(), bins.confidence.tolist(), strict=True)
    for number, (count, right, sure) in enumerate(each):
        words = f"{bounds(number)} sure: {count:,} digit{'' if count == 1 else 's'}"
        if count:
            words += f", {percent(right)} right, {percent(sure)} sure on average"
        row = {"bin": number, "count": count, "shown": f"{count:,}" if count else "", "words": words}
        rows.append(row | {"right": right, "sure": sure, "chosen": number == chosen})
    filled = ". ".join(row["words"] for row in rows if row["count"])
    words = f"Reliability diagram, {heading}. {filled}"
    return {"title": heading, "still": still, "words": words, "bins": rows}


def bounds(number: int) -> str:
    """A bin's range of confidence."""
    low, high = (100 * edge / RELIABILITY_BINS for edge in (number, number + 1))
    return f"{low:.0f} to {high:.0f} %"


def figures(columns: dict[str, Calibration]) -> str:
    """The four figures, a column each, as HTML."""
    head = "".join(f"<th>{heading}</th>" for heading in columns)
    body = ""
    for field, (short, about) in FIGURES.items():
        cells = "".join(f"<td>{_estimate(field, getattr(each, field))}</td>" for each in columns.values())
        body += f'<tr><td title="{about}">{short}</td>{cells}</tr>'
    return f'<table class="runs"><thead><tr><th></th>{head}</tr></thead><tbody>{body}</tbody></table>'


def _estimate(field: str, found: Estimate) -> str:
    if field in ("ece", "adaptive_ece"):
        return (
            f"<strong>{100 * found.value:.2f} %</strong> "
            f'<span class="quiet">[{100 * found.low:.2f}, {100 * found.high:.2f}]</span>'
        )
    return (
        f'<strong>{found.value:.4f}</strong> <span class="quiet">[{found.low:.4f}, {found.high:.4f}]</span>'
    )


def _digits(table: EvaluationTable, dataset: str, found: Answers) -> None:
    view = CONFIDENCE.view()
    stage = view.stage if view.stage in found.confidence else "after"
    indices = found.in_bin(stage, view.bin)
    n = len(indices)
    heading = f"**{n:,}** digit{'' if n == 1 else 's'} that it was {bounds(view.bin)} sure of"
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="confidence-bin-bar"):
        several = len(found.confidence) > 1
        st.markdown(heading + (f" {stage} the temperature" if several else ""), width="stretch")
        _beside(found, stage)
    if not indices:
        st.info("No answer was that sure. Choose another bar.", icon=":material/bar_chart:")
        return
    last = -(-n // PER_PAGE)
    page = min(view.page, last)
    shown = indices[(page - 1) * PER_PAGE : page * PER_PAGE]
    digits(table, dataset, found, shown, stage, key="confidence-bin")
    if last > 1:
        gallery.pages(page, last, CONFIDENCE)
    st.caption("The wrong ones come first. true digit → **answer** · how sure")


def _beside(found: Answers, stage: str) -> None:
    """The way to the next bins that have digits: bars are narrow to hit."""
    filled, chosen = found.reliability(stage).counts.nonzero()[0].tolist(), CONFIDENCE.view().bin
    for icon, words, among in (
        ("left", "Digits that it was less sure of", [number for number in filled if number < chosen][-1:]),
        ("right", "Digits that it was surer of", [number for number in filled if number > chosen][:1]),
    ):
        st.button(
            "",
            icon=f":material/chevron_{icon}:",
            help=words,
            key=f"confidence-bin-{icon}",
            disabled=not among,
            on_click=CONFIDENCE.change,
            kwargs={"stage": stage, "bin": among[0] if among else chosen},
        )


def digits(
    table: EvaluationTable, dataset: str, found: Answers, indices: list[int], stage: str, *, key: str
) -> None:
    """Thumbnails with how sure the answers were at a stage; a click leads to the digit's page."""
    rows = table.rows(indices)
    sure = found.sure(indices, stage)
    notes = [percent(each, 0 if each < 0.995 else 1) for each in sure]
    pictures = [row.pixels for row in rows]
    shown = gallery.thumbnails(table, rows, pictures, notes)
    linked = [each | {"href": address(dataset, row.index)} for each, row in zip(shown, rows, strict=True)]
    pick.gallery({"digits": linked}, key=key)
