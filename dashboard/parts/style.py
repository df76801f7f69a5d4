"""The few rules of style that the theme has no setting for."""

import streamlit as st

CSS = """
<style>
[data-testid="stMainBlockContainer"] { padding: 3.2rem 2.5rem 1.5rem; max-width: 84rem; }
[data-testid="stSlider"] { padding-inline: 0.25rem; }
.st-key-evidence [role="radiogroup"], .st-key-evidence [data-testid="stButtonGroup"] > div { gap: 0; }
.st-key-evidence button { padding: 0; min-width: 0; flex: 1 1 0; }
.st-key-errors-filters [data-testid="stButtonGroup"] button { min-height: 2.5rem; }
[class*="st-key-canvas"][class*="-name"] { position: absolute; }
.st-key-confidence-bin-bar { flex-wrap: nowrap; }
.st-key-tools { min-height: 2.5rem; }
img.pixels { image-rendering: pixelated; display: block; width: 100%; border-radius: 0.4rem; }
.answer { display: flex; align-items: center; gap: 1.4rem; min-height: 8rem; }
.answer .digit { font-size: 6.5rem; line-height: 1; font-weight: 700; }
.answer .words { display: flex; flex-direction: column; gap: 0.25rem; }
.answer .sure { font-size: 1.15rem; }
.verdict { font-weight: 600; border-left: 0.3rem solid #2e7d32; padding-left: 0.5rem; }
.verdict.is-unsure { border-left-color: #e69f00; }
.verdict.is-not-a-digit { border-left-color: #d55e00; }
.strip { width: 100%; max-width: 16rem; display: block; }
.st-key-noticing-table { overflow-x: auto; }
.answer.several { flex-direction: column; align-items: flex-start; gap: 0.4rem; }
.several .row { display: flex; gap: 0.9rem; flex-wrap: wrap; }
.several .each { text-align: center; border-bottom: 0.25rem solid #2e7d32; opacity: 0.72;
                 font-size: 0.875rem; }
.several .each.is-unsure { border-bottom-color: #e69f00; border-bottom-style: dashed; }
.several .each.is-not-a-digit { border-bottom-color: #d55e00; border-bottom-style: dotted; }
.several .each.chosen { opacity: 1; font-weight: 700; }
.several .each .digit { font-size: 3.6rem; }
.quiet, .steps figcaption { opacity: 0.72; font-size: 0.875rem; }
.steps { display: flex; gap: 1rem; flex-wrap: wrap; align-items: flex-start; }
.steps > div { flex: 1 1 11rem; }
.steps figure { margin: 0; text-align: center; flex: 0 0 auto; }
.steps .frame { width: 6rem; height: 6rem; background: #000; border-radius: 0.4rem; overflow: hidden; }
.steps .frame img { image-rendering: pixelated; width: 100%; height: 100%; object-fit: contain; }
.price { min-height: 4.6rem; }
.price > strong { font-size: 1.15rem; }
.figures { display: grid; grid-template-columns: repeat(4, minmax(0, 1fr)); gap: 1rem; }
.figures > div { border: 1px solid color-mix(in srgb, currentColor 18%, transparent); border-radius: 0.6rem;
                 padding: 0.7rem 1rem; }
.figures .quiet { overflow-wrap: anywhere; }
.st-key-evidence-note { min-height: 3.1rem; }
.figures .value { font-size: 1.9rem; line-height: 1.3; }
.runs { width: 100%; border-collapse: collapse; font-size: 0.925rem; }
.runs th, .runs td { text-align: left; padding: 0.45rem 0.5rem; font-variant-numeric: tabular-nums;
                     border-bottom: 1px solid color-mix(in srgb, currentColor 14%, transparent); }
.runs th { font-weight: 600; opacity: 0.72; }
.overlay { position: relative; width: 100%; max-width: 20rem; margin: 0 auto; }
.overlay img + img { position: absolute; inset: 0; }
.weights { max-width: 22rem; margin: 0 auto; }
.weights.none img { opacity: 0.12; filter: invert(0.5); }
.scale { display: flex; align-items: center; gap: 0.5rem; font-size: 0.8rem; padding: 0.35rem 0;
         font-variant-numeric: tabular-nums; }
.scale i { flex: 1; height: 0.5rem; border-radius: 0.25rem;
           background: linear-gradient(to right, #b35806, #f7f7f7, #542788); }
.scale i.cividis { background: linear-gradient(to right, #00224e, #404c6b, #7c7b78, #bbae6e, #fee838); }
.scale i.grey { background: linear-gradient(to right, #000, #fff); }
.subject { max-width: 13rem; }
.st-key-explain-other { max-width: 24rem; }
.st-key-explain-question button, .st-key-explain-other button { padding: 0; min-width: 0; flex: 1 1 0; }
.st-key-explain-question [data-testid="stButtonGroup"] > div,
.st-key-explain-other [data-testid="stButtonGroup"] > div { gap: 0; }
.st-key-explain-turn { display: grid; grid-template-columns: repeat(4, minmax(0, 1fr)); gap: 0.6rem 0.9rem; }
.st-key-explain-turn > * { width: auto !important; min-width: 0; }
.st-key-explain-maps { display: grid; grid-template-columns: repeat(5, minmax(0, 1fr)); gap: 0.6rem 0.9rem; }
.st-key-explain-maps > * { width: auto !important; min-width: 0; }
.st-key-explain-maps [data-stale="true"] { opacity: 1; transition: none; }
.map { margin: 0; }
.map figcaption { font-weight: 600; font-size: 0.9rem; padding-bottom: 0.25rem; white-space: nowrap;
                  overflow: hidden; text-overflow: ellipsis; }
.map .small { font-size: 0.75rem; line-height: 1.3; opacity: 0.8; padding-bottom: 0.2rem; }
.st-key-explain-compare .overlay { max-width: 7.2rem; }
.st-key-explain-source button { padding-inline: 0.2rem; }
.patches { display: grid; grid-template-columns: repeat(5, minmax(0, 1fr)); gap: 0.4rem; }
.patches figure, .filters figure { margin: 0; }
.filters { display: grid; grid-template-columns: repeat(8, 2.2rem); gap: 0.4rem; }
.bars { display: grid; grid-template-columns: 1.2rem 1fr 3.9rem; gap: 0 0.4rem; align-items: center;
        font-size: 0.75rem; line-height: 1.15; font-variant-numeric: tabular-nums; }
.bars i { height: 0.7rem; border-radius: 0.2rem; background: #8b979b; min-width: 1px; }
.bars i.top { background: #16938a; }
.changed { min-height: 1.6rem; }
.figures-of-map td, .figures-of-map th { padding: 0.28rem 0.4rem; line-height: 1.25; white-space: nowrap; }
.figures-of-map .quiet { font-size: 0.75rem; }
.wide { overflow-x: auto; }
.reason { aspect-ratio: 1; display: flex; align-items: center; justify-content: center; text-align: center;
          font-size: 0.75rem; padding: 0.5rem; border-radius: 0.4rem; overflow: hidden;
          border: 1px dashed color-mix(in srgb, currentColor 35%, transparent); margin-bottom: 1.6rem; }
.weights .quiet { min-height: 2.6rem; }
.product { display: flex; align-items: center; gap: 0.7rem; }
.product figure { margin: 0; flex: 1 1 0; min-width: 0; text-align: center; }
.product figcaption { font-size: 0.875rem; }
.product b { font-size: 1.6rem; padding-bottom: 3.2rem; }
.sum { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
.sum td { padding: 0.3rem 0; border-bottom: 1px solid color-mix(in srgb, currentColor 14%, transparent); }
.sum td + td { text-align: right; white-space: nowrap; padding-left: 0.8rem; }
.st-key-learn-live [data-stale="true"] { opacity: 1; transition: none; }
.st-key-learn-live [data-testid="stColumn"] { min-width: 17rem; }
.st-key-learn-said { min-height: 7.5rem; }
.st-key-learn-skipped { max-height: 9.5rem; overflow-y: auto; }
.st-key-learn-both-said { min-height: 4.5rem; }
.many img.pixels { width: 2.6rem; }
.many td { vertical-align: middle; overflow-wrap: anywhere; }
.pair, .five { display: flex; gap: 0.8rem; }
.pair figure, .five figure { margin: 0; flex: 1 1 0; text-align: center; }
.pair figcaption, .five figcaption { font-size: 0.875rem; padding-top: 0.3rem; }
[data-testid="stCaptionContainer"], [data-testid="stCaptionContainer"] * { color: inherit; }
[data-testid="stCaptionContainer"] { opacity: 0.76; }
[data-testid="stBaseButton-primary"]:enabled { background: #0f766e; border-color: #0f766e; color: #fff; }
[data-testid="stBaseButton-primary"]:enabled:hover { background: #0b5f58; border-color: #0b5f58; }
[data-testid="stSidebarNavLink"]:focus-visible { outline: 2px solid #16938a; outline-offset: -2px; }
[data-testid="stMain"]:focus-visible { outline: 2px solid #16938a; outline-offset: -3px; }
@media (prefers-reduced-motion: reduce) {
  *, *::before, *::after { animation-duration: 1ms !important; animation-iteration-count: 1 !important;
                           transition: none !important; scroll-behavior: auto !important; }
}
@media (max-width: 640px) {
  [data-testid="stMarkdownContainer"] :is(th, td) { padding: 0.2rem 0.3rem; font-size: 0.75rem;
                                                    overflow-wrap: anywhere; }
  [data-testid="stMainBlockContainer"] { padding: 3.2rem 1rem 1.5rem; }
  .st-key-digit-bar { gap: 0.4rem; }
  .st-key-digit-bar kbd { display: none; }
  .st-key-digit-bar button { padding-inline: 0.5rem; }
  .st-key-learn-tab button { padding-inline: 0.55rem; }
  .st-key-explain-maps, .st-key-explain-turn { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .st-key-learn-live [data-testid="stColumn"]:nth-child(2) { order: -1; }
  .st-key-learn-controls > :has(> .st-key-learn-buttons) { order: -2; }
  .st-key-learn-controls > :has(> .st-key-learn-said) { order: -1; }
  .st-key-learn-said { min-height: 5.5rem; }
  .weights { max-width: 16rem; }
  .product { gap: 0.3rem; }
  .product .scale { gap: 0.2rem; font-size: 0.68rem; }
  .product b { font-size: 1.1rem; }
  .figures { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 0.6rem; }
  .runs { font-size: 0.8rem; }
  .runs th, .runs td { padding: 0.35rem 0.25rem; }
  .steps figure { flex: 1 1 0; }
  .steps .frame { width: 100%; height: auto; aspect-ratio: 1; }
  .steps > div { flex: 1 0 100%; }
}
</style>
"""


def use_style() -> None:
    """Puts the rules into the page."""
    st.html(CSS)
