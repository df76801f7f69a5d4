"""A walk: one real digit led out of the distribution, and what the model says on the way."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from plotly.subplots import make_subplots

from core.walk import PATHS, Walk
from dashboard import distortions, resources
from dashboard.parts import charts
from dashboard.parts.pictures import image
from dashboard.words import percent

FRAMES = 9  # pictures of the film strip
DIGIT, PATH = "walk_digit", "walk"  # widgets' keys, and their names in the link
STYLE = """<style>
.walk { max-width: 15rem; margin: 0 auto; }
.film { display: flex; gap: 0.35rem; }
.film figure { flex: 1 1 0; min-width: 0; margin: 0; text-align: center; font-size: 0.8rem; }
.film figure.here { font-weight: 700; }
.film figure.here img { outline: 2px solid currentColor; outline-offset: 1px; }
.walk-answer { text-align: center; min-height: 6.2rem; }
.walk-answer .digit { font-size: 3rem; line-height: 1.1; font-weight: 700; }
@media (max-width: 640px) { .walk { max-width: 10rem; } .film figure:nth-child(even) { display: none; } }
</style>"""


def show() -> None:
    """The digit, the path, the slider along it; the picture there, and confidence all along."""
    _show()


@st.fragment
def _show() -> None:
    st.html(STYLE)
    data = distortions.dataset()
    left, right = st.columns([4, 8], gap="medium")
    with left:
        index = _choose_digit(data)
        picture = st.container()
    with right:
        name = st.segmented_control(
            "What happens to the digit",
            list(PATHS),
            format_func=lambda path: PATHS[path].label,
            default=next(iter(PATHS)),
            required=True,
            key=PATH,
            bind="query-params",
            label_visibility="collapsed",
            wrap=True,
        )
        walk = distortions.walk(st.session_state.model, data, index, name)
        step = _choose_step(name)
        _chart(walk, step)
        _film(walk, step)
    with picture:
        _picture(walk, step, int(resources.samples(data).labels[index]))


def _choose_digit(data: str) -> int:
    last = len(resources.samples(data)) - 1
    first = distortions.well_read(st.session_state.model, data)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        index = st.number_input("Digit number", 0, last, first, key=DIGIT, bind="query-params")
        for words, icon, by in (("Previous digit", "chevron_left", -1), ("Next digit", "chevron_right", 1)):
            st.button(
                "",
                icon=f":material/{icon}:",
                help=words,
                key=f"walk-{icon}",
                disabled=not 0 <= index + by <= last,
                on_click=_turn,
                args=(by, last),
            )
    return int(index)


def _turn(step: int, last: int) -> None:
    st.session_state[DIGIT] = min(max(0, st.session_state[DIGIT] + step), last)


def _choose_step(name: str) -> int:
    """A slider in the path's own unit; it begins half-way."""
    path = PATHS[name]
    values = path.values
    low, high = sorted((path.start, path.stop))
    value = st.slider(
        f"{path.label}: from the digit as it is to far away",
        float(low),
        float(high),
        float(values[len(values) // 2]),
        abs(float(path.step)),
        format=f"%g{path.unit.replace('%', '%%')}",
        key=f"walk_{name}",
        bind="query-params",
        label_visibility="collapsed",
    )
    return int(np.abs(values - value).argmin())


def _value(walk: Walk, step: int) -> str:
    return f"{walk.values[step]:g}{walk.path.unit}"


def _picture(walk: Walk, step: int, label: int) -> None:
    answer, sure = int(walk.prediction[step]), float(walk.confidence[step])
    where = "as it is" if step == 0 else walk.path.words.format(_value(walk, step))
    alt = f"A digit labelled {label}, {where}; read as {answer}, {percent(sure)} sure"
    unusual = "" if walk.unusualness is None else f" · unusualness {walk.unusualness[step]:.2f}"
    st.html(
        f'<div class="walk">{image(walk.pictures[step], alt)}</div>'
        f'<div class="walk-answer"><div>Read as <span class="digit">{answer}</span>, '
        f"<b>{percent(sure)}</b> sure{unusual}</div>"
        f'<div class="quiet">A digit that people call {label}, {where}.</div></div>'
    )


def _film(walk: Walk, step: int) -> None:
    frames = np.linspace(0, len(walk) - 1, FRAMES).round().astype(int).tolist()
    nearest = min(frames, key=lambda frame: abs(frame - step))
    figures = "".join(
        f'<figure class="{"here" if frame == nearest else ""}">'
        f"{image(walk.pictures[frame], f'At {_value(walk, frame)}: read as {walk.prediction[frame]}')}"
        f"<figcaption>{_value(walk, frame)}</figcaption></figure>"
        for frame in frames
    )
    st.html(f'<div class="film">{figures}</div>')


def _chart(walk: Walk, step: int) -> None:
    scored = walk.unusualness is not None
    heights = [0.62, 0.38] if scored else [1.0]
    figure = make_subplots(
        rows=len(heights), cols=1, shared_xaxes=True, row_heights=heights, vertical_spacing=0.06
    )
    _line(figure, walk, walk.confidence, step, row=1, words="read as %{text}, %{y:.1%} sure")
    _name_answers(figure, walk)
    figure.update_yaxes(
        range=[0, 1.22], tickvals=[0, 0.5, 1], tickformat=".0%", title="confidence", row=1, col=1
    )
    if walk.unusualness is not None:
        _line(figure, walk, walk.unusualness, step, row=2, words="unusualness %{y:.2f}")
        figure.update_yaxes(title="unusualness", nticks=4, row=2, col=1)
    figure.add_vline(x=walk.values[step], line={"color": charts.QUIET, "width": 2, "dash": "dot"})
    reverse = "reversed" if walk.path.step < 0 else True
    figure.update_xaxes(autorange=reverse, fixedrange=True, showgrid=False, ticksuffix=walk.path.unit)
    figure.update_yaxes(fixedrange=True, zeroline=False)
    charts.show(
        figure, key="walk-chart", alt=_alt(walk, step), height=330 if scored else 230, showlegend=False
    )


def _line(figure: go.Figure, walk: Walk, heights: np.ndarray, step: int, *, row: int, words: str) -> None:
    look = {"row": row, "col": 1}
    figure.add_scatter(
        x=walk.values,
        y=heights,
        text=walk.prediction,
        mode="lines",
        line={"color": charts.ACCENT, "width": 2},
        hovertemplate=f"%{{x}}: {words}<extra></extra>",
        **look,
    )
    figure.add_scatter(
        x=[walk.values[step]],
        y=[heights[step]],
        mode="markers",
        marker={"size": 12, "color": charts.ACCENT, "line": {"width": 2, "color": "white"}},
        hoverinfo="skip",
        **look,
    )


def _name_answers(figure: go.Figure, walk: Walk) -> None:
    """The answer in bold at the top of each stretch where it stays; a line where it changes."""
    for first, last, answer in walk.runs:
        if first:
            between = float(walk.values[first - 1 : first + 1].mean())
            figure.add_vline(x=between, line={"color": charts.QUIET, "width": 1}, opacity=0.5, row=1, col=1)
        if last > first:  # the number would be wider than a single step
            middle = float(walk.values[[first, last]].mean())
            figure.add_annotation(
                x=middle, y=1.13, text=f"<b>{answer}</b>", font_size=16, showarrow=False, row=1, col=1
            )


def _alt(walk: Walk, step: int) -> str:
    stretches = "; ".join(
        f"{answer} from {_value(walk, first)} to {_value(walk, last)}" for first, last, answer in walk.runs
    )
    here = f"{percent(float(walk.confidence[step]))} sure at {_value(walk, step)}"
    return f"Confidence along the way, {here}. Read as {stretches}"
