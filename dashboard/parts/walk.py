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
MARGINS = {"l": 64, "r": 18, "t": 8, "b": 30}  # px; fixed, so that the marker finds its place
NAMES_ROOM = 26  # px at the top of the chart for the names of the answers
DIGIT, PATH = "walk_digit", "walk"  # widgets' keys, and their names in the link
STYLE = """<style>
.walk { max-width: 15rem; margin: 0 auto; }
.film { display: flex; gap: 0.35rem; }
.film figure { flex: 1 1 0; min-width: 0; margin: 0; text-align: center; font-size: 0.8rem; }
.film figure.here { font-weight: 700; }
.film figure.here img { outline: 2px solid currentColor; outline-offset: 1px; }
.st-key-walk-place { position: relative; gap: 0; }
.st-key-walk-place [data-testid="stElementContainer"]:has(.walk-here) { position: absolute; inset: 0;
    pointer-events: none; width: 100%; }
.st-key-walk-place :has(> .walk-here) { height: 100%; }
.walk-here { position: absolute; inset: 0 auto 0 0; width: 0; }
.walk-here b { position: absolute; left: -1px; border-left: 2px dotted; opacity: 0.6; }
.walk-here i { position: absolute; left: -7px; width: 14px; height: 14px; margin-bottom: -7px;
    border-radius: 50%; border: 2px solid white; background: #16938a; }
.walk-answer { text-align: center; min-height: 6.2rem; }
.walk-answer .digit { font-size: 3rem; line-height: 1.1; font-weight: 700; }
@media (max-width: 640px) { .walk { max-width: 10rem; } .film figure:nth-child(even) { display: none; } }
</style>"""


def show() -> None:
    """The digit, the path, the slider along it; the picture there, and confidence all along."""
    st.html(STYLE)  # outside the fragment, or the chart would be built anew at its first rerun
    _show()


@st.fragment
def _show() -> None:
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
    """The lines are Plotly's, the place of the slider on them is not: a figure that changes is built anew."""
    figure = _figure(walk)
    with st.container(key="walk-place"):
        st.plotly_chart(figure, key="walk-chart", config=charts.CONFIG, alt=_alt(walk))
        st.html(_marker(walk, step, figure))


def _figure(walk: Walk) -> go.Figure:
    rows = [0.62, 0.38] if walk.unusualness is not None else [1.0]
    figure = make_subplots(rows=len(rows), cols=1, shared_xaxes=True, row_heights=rows, vertical_spacing=0.06)
    _line(figure, walk, walk.confidence, row=1, words="read as %{text}, %{customdata} sure")
    _name_answers(figure, walk)
    figure.update_yaxes(
        range=[0, 1.22], tickvals=[0, 0.5, 1], tickformat=".0%", title="confidence", row=1, col=1
    )
    if walk.unusualness is not None:
        _line(figure, walk, walk.unusualness, row=2, words="unusualness %{y:.2f}")
        low, high = float(walk.unusualness.min()), float(walk.unusualness.max())
        room = 0.08 * max(high - low, 1e-6)
        figure.update_yaxes(title="unusualness", nticks=4, range=[low - room, high + room], row=2, col=1)
    path = walk.path
    figure.update_xaxes(
        range=[path.start, path.stop], ticksuffix=path.unit, fixedrange=True, showgrid=False, automargin=False
    )
    figure.update_yaxes(fixedrange=True, zeroline=False, automargin=False)
    height = 330 if walk.unusualness is not None else 230
    return figure.update_layout(height=height, margin=MARGINS, showlegend=False)


def _line(figure: go.Figure, walk: Walk, heights: np.ndarray, *, row: int, words: str) -> None:
    figure.add_scatter(
        x=walk.values,
        y=heights,
        text=walk.prediction,
        customdata=[percent(float(share)) for share in walk.confidence],
        mode="lines",
        line={"color": charts.ACCENT, "width": 2},
        hovertemplate=f"%{{x}}: {words}<extra></extra>",
        row=row,
        col=1,
    )


def _marker(walk: Walk, step: int, figure: go.Figure) -> str:
    """A line down the chart at the slider's place, and a dot on each of its lines."""
    inside = figure.layout.height - MARGINS["t"] - MARGINS["b"]
    lines = [(walk.confidence, figure.layout.yaxis)]
    if walk.unusualness is not None:
        lines.append((walk.unusualness, figure.layout.yaxis2))
    dots = ""
    for values, axis in lines:
        share = (float(values[step]) - axis.range[0]) / (axis.range[1] - axis.range[0])
        bottom = MARGINS["b"] + inside * (axis.domain[0] + share * (axis.domain[1] - axis.domain[0]))
        dots += f'<i style="bottom: {bottom:.1f}px"></i>'
    along = step / (len(walk) - 1)
    left = f"calc({MARGINS['l']}px + (100% - {MARGINS['l'] + MARGINS['r']}px) * {along:.4f})"
    line = f"bottom: {MARGINS['b']}px; height: {inside - NAMES_ROOM}px"
    return f'<div class="walk-here" style="left: {left}"><b style="{line}"></b>{dots}</div>'


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


def _alt(walk: Walk) -> str:
    stretches = "; ".join(
        f"{answer} from {_value(walk, first)} to {_value(walk, last)}" for first, last, answer in walk.runs
    )
    least, most = (percent(float(share)) for share in (walk.confidence.min(), walk.confidence.max()))
    return f"Confidence along the way, between {least} and {most}. Read as {stretches}"
