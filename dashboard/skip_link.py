"""The way past the navigation for those who have no mouse: the first stop of the Tab key on every page."""

STYLE = """<style>
#skip-link { position: fixed; top: -4rem; left: 0.5rem; z-index: 1000000; padding: 0.6rem 1rem;
             border: 0; border-radius: 0.6rem; background: #0f766e; color: #fff; font: 600 1rem sans-serif; }
#skip-link:focus { top: 0.5rem; outline: 2px solid #fff; outline-offset: -4px; }
</style>"""

# A button: the main part has no id that a link could lead to, and takes no focus by itself.
SCRIPT = """<script>
document.getElementById("skip-link").addEventListener("click", () => {
  const main = document.querySelector('[data-testid="stMain"]');
  if (main) { main.tabIndex = -1; main.focus(); }
});
</script>"""

LINK = '<nav aria-label="Skip"><button id="skip-link">Skip to the content</button></nav>'


def with_skip_link(html: str) -> str:
    """A whole page with the link in front of everything else."""
    return html.replace("<body>", f"<body>{STYLE}{LINK}{SCRIPT}", 1)
