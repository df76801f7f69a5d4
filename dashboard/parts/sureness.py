"""How sure the model is of what is no digit: distributions by set, and the pictures that it is surest of."""

from html import escape

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from core.inputs import SAMPLE
from dashboard.parts import charts, input_sets
from dashboard.parts.pictures import image
from dashboard.unusual_inputs import Seen
from dashboard.words import percent

BINS = 20
SURE = 0.99
SHOWN = 18
STYLE = """<style>
.fooled { display: grid; grid-template-columns: repeat(auto-fill, minmax(4.6rem, 1fr)); gap: 0.5rem 0.6rem; }
.fooled figure { margin: 0; text-align: center; font-size: 0.85rem; }
.fooled .noticed { border-bottom: 0.2rem solid #d55e00; }
.fooled .missed { border-bottom: 0.2rem solid transparent; }
</style>"""


def show() -> None:
    """The part."""
    st.html(STYLE)
    _show()


@st.fragment
def _show() -> None:
    usual, found = input_sets.everything(detectors=False)
    left, right = st.columns([6, 6], gap="medium")
    with right:
        key = input_sets.choose(found)
        seen = found[key]
        st.markdown(_sentence(seen))
        _gallery(seen)
    with left:
        st.markdown("**How sure the model is**: a row for each set, its pictures spread by confidence")
        _chart(usual, found, key)
        st.caption(
            f"Real digits: {input_sets.source(usual)}. Of each set at most {SAMPLE:,} pictures. "
            "The stronger the colour, the more of the row."
        )


def _sentence(seen: Seen) -> str:
    sure = float((seen.scores.confidence >= SURE).mean())
    text = f"**{percent(sure)}** of these are read with 99 % confidence or more"
    if seen.noticed is not None:
        text += f", and **{percent(float(seen.noticed.mean()))}** are told from digits by the verdict"
    skipped = len(seen.inputs.skipped)
    files = "file" if skipped == 1 else "files"
    return text + "." + (f" {skipped:,} {files} could not be used." if skipped else "")


def _gallery(seen: Seen) -> None:
    fooled = st.toggle(
        "Only what the verdict misses",
        key="missed",
        bind="query-params",
        disabled=seen.noticed is None,
        help="Pictures that even the verdict takes for digits.",
    )
    order = seen.scores.surest(len(seen.scores))
    if fooled and seen.noticed is not None:
        order = [row for row in order if not seen.noticed[row]]
    if not order:
        st.success("None: the verdict tells all of these from digits.", icon=":material/check_circle:")
        return
    surest = float(seen.scores.confidence[order[0]])
    st.markdown(f"**Not a digit, yet {percent(surest)} sure**")
    st.html(f'<div class="fooled">{"".join(_figure(seen, row) for row in order[:SHOWN])}</div>')
    if seen.noticed is not None:
        st.caption("Underlined: the verdict says “not like any digit it was trained on”.")


def _figure(seen: Seen, row: int) -> str:
    digit, sure = int(seen.scores.prediction[row]), float(seen.scores.confidence[row])
    noticed = seen.noticed is not None and bool(seen.noticed[row])
    words = f"{seen.inputs.name}: read as {digit}, {percent(sure)} sure"
    words += ", not like any digit" if noticed else ""
    shown = f"<b>{digit}</b> · {escape(percent(sure, 0 if sure < 0.995 else 1))}"
    picture = image(seen.inputs.images[row], words)
    marked = "noticed" if noticed else "missed"
    return f'<figure class="{marked}">{picture}<figcaption>{shown}</figcaption></figure>'


def _chart(usual: Seen, found: dict[str, Seen], chosen: str) -> None:
    rows = {"Real digits": usual.scores.confidence} | {
        seen.inputs.name: seen.scores.confidence for seen in found.values()
    }
    shares = np.array([np.histogram(each, BINS, (0, 1))[0] / max(1, len(each)) for each in rows.values()])
    sure = [float((each >= SURE).mean()) for each in rows.values()]
    marked = found[chosen].inputs.name
    names = [f"<b>{escape(name)}</b>" if name == marked else escape(name) for name in rows]
    figure = go.Figure(
        go.Heatmap(
            z=np.sqrt(shares),  # a few per cent matter here as well
            x=(np.arange(BINS) + 0.5) / BINS,
            y=names,
            customdata=shares,
            zmin=0,
            zmax=1,
            colorscale=[[0, "rgba(22,147,138,0.04)"], [1, charts.ACCENT]],
            showscale=False,
            xgap=1,
            ygap=3,
            hovertemplate="%{y}: %{customdata:.1%} are about %{x:.0%} sure<extra></extra>",
        )
    )
    for name, share in zip(names, sure, strict=True):
        figure.add_annotation(
            x=1.01, y=name, text=percent(share, 0), xanchor="left", showarrow=False, font_size=12
        )
    figure.add_annotation(
        x=1.01,
        y=1.0,
        yref="paper",
        yanchor="bottom",
        xanchor="left",
        text="≥ 99 %",
        showarrow=False,
        font_size=12,
    )
    figure.update_xaxes(
        range=[0, 1.13], tickvals=[0, 0.25, 0.5, 0.75, 1], tickformat=".0%", fixedrange=True, showgrid=False
    )
    figure.update_yaxes(autorange="reversed", fixedrange=True, ticks="")
    words = "; ".join(f"{name}: {percent(share)}" for name, share in zip(rows, sure, strict=True))
    alt = f"Distributions of confidence. Share that is read with 99 % confidence or more: {words}"
    figure.update_layout(height=70 + 31 * len(rows), margin={"l": 8, "r": 8, "t": 26, "b": 8})
    st.plotly_chart(figure, key="sureness-chart", config=charts.CONFIG, alt=alt)
