"""Can a map be believed? This one, measured; and its method on many digits, beside noise and edges."""

from html import escape
from shlex import quote
from typing import TYPE_CHECKING

import streamlit as st

from core.errors import CheckpointError
from core.methods import METHODS, methods_of
from core.study import CONTROLS, FIGURES, SURVIVES, Span, Study
from dashboard import explanations, resources
from dashboard.explain_link import link, mirror
from dashboard.parts import believe_charts, known_truth, maps
from dashboard.parts.explained_digit import Subject
from dashboard.words import percent, plain

if TYPE_CHECKING:
    from core.explanation import Explanation
    from core.map_metrics import MapFigures

ARROWS = {"lower": "↓", "higher": "↑"}  # which way is better
MEANINGS = {
    "deletion": "area under the target's probability while the map's strongest pixels are blanked first",
    "insertion": "the same while they are put on an empty picture first",
    "infidelity": "share of what blanking a square costs that the map does not foretell",
    "ink": "share of the map's values that lies on ink",
    "sensitivity": "largest change of the map when the picture gets 5 % noise",
}


def show(subject: Subject) -> None:
    """One map with its figures, then the methods compared."""
    method = chosen_method(subject)
    waiting = st.empty()
    if resources.warming(subject.predictor):
        waiting.info("The explanation is being loaded …", icon=":material/hourglass_top:")
    found = explanations.explanation(subject.predictor, subject.pixels, method, subject.question)
    waiting.empty()
    study = _study(subject)
    with st.container(border=True):
        _this_map(subject, method, found, study)
    if len(subject.predictor.classes) > 2:
        with st.container(border=True):
            _methods(study, method, subject)
        return
    truth, methods = st.tabs(["The methods against the truth", "The methods on many digits"])
    with truth:
        known_truth.show(subject)
    with methods:
        _methods(study, method, subject)


def chosen_method(subject: Subject) -> str:
    """The method that the link names, else the model's usual one; shown as a choice."""
    names = methods_of(subject.predictor.layers)
    usual = names[0]
    arguments = mirror("method", {name: METHODS[name].label for name in names}, empty=usual)
    if st.session_state[arguments["key"]] not in names:
        st.session_state[arguments["key"]] = usual
    st.selectbox("Method", label_visibility="collapsed", **arguments)
    return link().method if link().method in names else usual


def _study(subject: Subject) -> Study | None:
    try:
        return explanations.study(subject.predictor)
    except CheckpointError as error:
        st.warning(plain(str(error)), icon=":material/history:")
        return None


def _this_map(subject: Subject, method: str, found: "Explanation | str", study: Study | None) -> None:
    about = METHODS[method]
    if isinstance(found, str):
        st.error(plain(found), icon=":material/error:")
        return
    left, middle, right = st.columns([20, 34, 46], gap="small")
    with left:
        unseen = explanations.unseen(subject.predictor, method)
        body = (
            maps.reason(found.note, "∅")
            if found.note
            else maps.picture(
                found,
                subject.pixels,
                top=found.strength,
                label=about.label,
                unseen=unseen,
            )
        )
        hatched = "" if found.note else maps.unseen_words(unseen)
        st.html(maps.tile(found.question, body, about.unit, hatched))
    with middle:
        with st.spinner("Changing the picture as the map says …", show_time=False):
            figures = explanations.figures(subject.predictor, subject.pixels, method, subject.question)
        if isinstance(figures, str):
            st.error(plain(figures), icon=":material/error:")
            return
        believe_charts.curves(figures.curves, subject.question.words)
    with right:
        st.html(_figures(found, figures, study.methods.get(method) if study else None))
    st.caption(f"{about.shows} {about.hides}")


def _figures(found: "Explanation", figures: "MapFigures", of_method) -> str:  # type: ignore[no-untyped-def]
    values = {
        "deletion": figures.curves.deletion_area[0],
        "insertion": figures.curves.insertion_area[0],
        "infidelity": figures.infidelity,
        "ink": figures.ink,
        "sensitivity": figures.sensitivity,
    }
    rows = "".join(
        f'<tr title="{escape(MEANINGS[name])}, {better} is better"><td>{label} {ARROWS[better]}</td>'
        f"<td><strong>{values[name]:.3f}</strong></td>"
        f"<td>{span(of_method.figures[name]) if of_method else 'not measured'}</td></tr>"
        for name, (label, better) in FIGURES.items()
    )
    owed = "promises no sum" if found.owed is None else ""
    if found.owed is not None and found.gap is not None:
        share = abs(found.gap) / max(abs(found.owed), 1e-9)
        owed = f"sums to {found.owed + found.gap:.2f}, owes {found.owed:.2f}: {percent(share)} off"
    return (
        '<table class="runs figures-of-map"><thead><tr><th></th><th>this map</th><th>the method, mean</th>'
        f"</tr></thead><tbody>{rows}<tr><td>Completeness</td><td colspan=2>{owed}</td></tr></tbody></table>"
    )


def span(found: Span) -> str:
    """A figure with its interval."""
    return f'{found.value:.3f} <span class="quiet">[{found.low:.3f}, {found.high:.3f}]</span>'


def _methods(study: Study | None, method: str, subject: Subject) -> None:
    if study is None:
        st.markdown("**The methods on 500 test digits**: not measured for this model.")
        st.code(f"python -m core faithfulness --model {quote(st.session_state.model)}", language="sh")
        return
    if study.outdated:
        again = f"`python -m core faithfulness --model {quote(st.session_state.model)}`"
        st.caption(f":material/history: Measured before a method or a figure was changed. Again: {again}.")
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**Which method foretells best what matters?**", help=_ranking_help())
        believe_charts.ranking(study, method)
    with right:
        st.markdown("**Does it change when weights are destroyed?**", help=_destroyed_help(study))
        believe_charts.likeness(study, method)
    st.caption(_verdict(study, method))
    with st.expander("All figures, with 95 % intervals"):
        st.html(_table(study))
        st.caption(_made(study))


def _ranking_help() -> str:
    return (
        "The mean of the ranks by deletion, insertion and infidelity. The digits are drawn anew 2,000 times: "
        "the bar is where 95 % of these rankings put the method. Bars that overlap are not told apart."
    )


def _destroyed_help(study: Study) -> str:
    return (
        "Adebayo et al. 2018: weights are shuffled layer by layer, from the outputs down. How much of the "
        f"map's order on the ink is left (Spearman's rank correlation, {study.few} digits)? A map of what "
        f"was learned must fall; one that stays above {SURVIVES:g} shows the picture, not the network."
    )


def _verdict(study: Study, method: str) -> str:
    one, label = study.methods[method], METHODS[method].label
    left = one.likeness[-1]
    word = "depends on what was learned" if one.passes else "may not depend on what was learned"
    return (
        f"{label} takes rank {one.rank.value:g} of {len(study.methods)}, {one.rank.low:g} to "
        f"{one.rank.high:g} in 95 % of the drawings. With all weights destroyed its maps keep a "
        f"correlation of {left.value:.2f} [{left.low:.2f}, {left.high:.2f}]: it {word}. "
        f"n = {study.n} of {study.dataset}."
    )


def _table(study: Study) -> str:
    heads = "".join(
        f"<th>{label} ({'↓' if better == 'lower' else '↑'})</th>" for label, better in FIGURES.values()
    )
    order = sorted(study.methods.items(), key=lambda item: item[1].rank.value)
    rows = "".join(
        f"<tr><td>{name_of(name)}</td><td>{one.rank.value:g} [{one.rank.low:g}, {one.rank.high:g}]</td>"
        + "".join(f"<td>{span(one.figures[figure])}</td>" for figure in FIGURES)
        + f"<td>{span(one.likeness[-1])} {'✓' if one.passes else '✗'}</td></tr>"
        for name, one in order
    )
    return (
        f'<div class="wide"><table class="runs"><thead><tr><th>Method</th><th>Rank</th>{heads}'
        f"<th>All weights destroyed (↓)</th></tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _made(study: Study) -> str:
    about = study.about
    versions = ", ".join(f"{package} {number}" for package, number in about["versions"].items())
    return plain(
        f"{study.n} digits of {study.dataset}, drawn by seed {about['seed']}; sensitivity and destroyed "
        f"weights on {study.few} of them. {about['when'][:10]}, {about['hardware']}, {versions}."
    )


def name_of(name: str) -> str:
    """A method's or a control's name for people."""
    return METHODS[name].label if name in METHODS else CONTROLS[name]
