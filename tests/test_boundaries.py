"""Imports point one way: views → parts → resources → core, and inside core down a list of layers."""

import ast
import sys
from pathlib import Path

import pytest

from core.paths import ROOT

# A module may import from the layers below its own, not from its own and not from above.
CORE_LAYERS = (
    ("api",),
    ("api_explain",),
    ("api_desk",),
    ("api_form", "api_docs", "api_openapi", "api_guard"),
    ("api_metrics", "api_schema", "served"),
    ("api_route",),
    ("api_problem", "api_settings", "api_paths", "inline_scripts", "raw_headers"),
    ("__main__",),
    ("cli",),
    ("studies", "detector_commands", "reporting"),
    ("training_bench", "unusual_bench"),
    ("bench",),
    ("report_bench",),
    ("report",),
    ("report_words", "report_provenance"),
    ("report_findings",),
    ("table_bench", "explanation_bench", "release", "progress_line", "tensorboard", "model_card"),
    ("card_results",),
    ("faithfulness", "card_sections"),
    (
        "report_unusual",
        "report_charts",
        "map_metrics",
        "study",
        "counterfactual",
        "known_truth",
        "inside",
        "excitation",
    ),
    ("overlay", "training", "scale", "fitting", "answers", "smoothing"),
    ("unusual_choice",),
    ("unusual_fit",),
    ("unusual_material",),
    ("made_up",),
    ("side_by_side", "linear_training", "one_digit", "divergence", "course"),
    ("scratch_torch",),
    (
        "calibration",
        "scratch",
        "distillation",
        "published",
        "confusion",
        "label_issues",
        "comparison",
        "take_away",
        "shards",
    ),
    ("what_if", "answer"),
    ("fooled", "ahead"),
    ("robustness", "walk", "detectors", "input_scores", "several", "inputs", "fetched_inputs"),
    ("detector_kinds", "generated_inputs", "found_inputs", "pen_letters"),
    ("letter_strokes",),
    (
        "readings",
        "explanation",
        "reading",
        "evaluation",
        "learner",
        "tabulation",
        "neighbours",
        "embedding_map",
        "channels",
    ),
    ("graphed", "attribution"),
    ("predictor", "training_data"),
    ("checkpoint", "allographs", "table", "canonical", "randomisation", "energy", "stories"),
    ("story", "models", "augmentation", "parts", "uploads", "chimeras", "textures", "masses", "drawn"),
    ("outliers", "story_facts"),
    ("card",),
    ("card_fields",),
    ("datasets", "results", "runs"),
    ("collection", "own", "bundle", "glyphs", "manifest"),
    ("mnist", "pendigits", "preprocess", "hardware", "labelling", "archive", "corruptions"),
    ("noises", "marks"),
    ("live_training", "ink", "picture", "idx", "strokes", "listing", "notes", "unusual"),
    (
        "config",
        "paths",
        "figures",
        "processes",
        "labelled",
        "files",
        "selection",
        "spreadsheet",
        "array_cache",
        "abstention",
        "detection",
        "warp",
        "outputs",
        "verdict",
        "palette",
        "parabola",
        "pickled_arrays",
        "live_worker",
        "methods",
        "pieces",
        "wording",
        "report_options",
        "report_template",
        "file_parts",
        "graph_parts",
        "plain_files",
        "cores",
        "api_batch",
    ),
    ("errors",),
)
LEVELS = {module: level for level, layer in enumerate(CORE_LAYERS) for module in layer}
SCREENS = {"streamlit", "streamlit_drawable_canvas", "plotly", "dashboard", "tests", "train"}
HEAVY = {
    "torch",
    "captum",
    "torchvision",
    "sklearn",
    "onnxruntime",
    "openTSNE",
    "pytorch_ood",
}  # the dashboard has core for these


def imports(source: str) -> set[str]:
    """Every module that a source imports, also within functions; `from core import x` gives `core.x`."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "write imports from the root"
            if node.module in ("core", "dashboard", "dashboard.parts", "dashboard.views"):
                found |= {f"{node.module}.{alias.name}" for alias in node.names}
            else:
                found.add(str(node.module))
    return found


def problems_of_core(module: str, source: str) -> list[str]:
    """What a module of core imports against the rules."""
    if module not in LEVELS:
        return [f"core.{module} is in no layer: give it its place in CORE_LAYERS"]
    problems = []
    for name in sorted(imports(source)):
        top, _, rest = name.partition(".")
        if top in SCREENS:
            problems.append(f"core.{module} imports {name}")
        if top == "core":
            target = rest.partition(".")[0]
            if target not in LEVELS or LEVELS[target] <= LEVELS[module]:
                problems.append(f"core.{module} imports {name}, which is not below it")
    return problems


def problems_of_dashboard(path: str, source: str) -> list[str]:
    """What a file of the dashboard imports against the rules; `path` is relative to dashboard/."""
    problems = []
    part = path.partition("/")[0] if "/" in path else ""
    for name in sorted(imports(source)):
        words = name.split(".")
        if words[0] in HEAVY:
            problems.append(f"dashboard/{path} imports {name}")
        upwards = words[0] == "dashboard" and (
            (part == "parts" and words[1:2] == ["views"])
            or (path in ("resources.py", "state.py") and words[1:2] in (["views"], ["parts"]))
            or (part == "views" and words[1:2] == ["views"])
        )
        if upwards:
            problems.append(f"dashboard/{path} imports {name}, which is not below it")
    return problems


@pytest.mark.parametrize("path", sorted((ROOT / "core").glob("*.py")), ids=lambda path: path.stem)
def test_core_imports_downwards_and_knows_no_screen(path: Path):
    if path.stem != "__init__":
        assert problems_of_core(path.stem, path.read_text(encoding="utf-8")) == []


def test_the_package_itself_imports_nothing_of_weight():
    assert imports((ROOT / "core" / "__init__.py").read_text(encoding="utf-8")) <= {"os"}


@pytest.mark.parametrize("path", sorted((ROOT / "dashboard").rglob("*.py")), ids=lambda path: path.stem)
def test_the_dashboard_leaves_the_heavy_work_to_core(path: Path):
    relative = path.relative_to(ROOT / "dashboard").as_posix()
    assert problems_of_dashboard(relative, path.read_text(encoding="utf-8")) == []


def test_every_layer_names_modules_that_exist():
    files = {path.stem for path in (ROOT / "core").glob("*.py")} - {"__init__"}
    assert set(LEVELS) == files


@pytest.mark.parametrize(
    ("module", "source", "reported"),
    [
        ("models", "import streamlit as st", "core.models imports streamlit"),
        ("models", "def f():\n    from streamlit import cache_data", "core.models imports streamlit"),
        ("overlay", "import plotly.express", "core.overlay imports plotly.express"),
        ("paths", "from dashboard.state import drawing", "core.paths imports dashboard.state"),
        ("ink", "from core.preprocess import prepare", "core.ink imports core.preprocess"),
        ("ink", "from core import preprocess", "core.ink imports core.preprocess"),
        ("ink", "import core.picture", "core.ink imports core.picture"),
        ("ink", "from core.novelty import x", "core.ink imports core.novelty"),
        (
            "predictor",
            "if True:\n    import core.explanation as e",
            "core.predictor imports core.explanation",
        ),
        ("novelty", "", "core.novelty is in no layer"),
    ],
)
def test_the_checker_of_core_would_notice(module: str, source: str, reported: str):
    (problem,) = problems_of_core(module, source)
    assert problem.startswith(reported)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("views/draw.py", "import torch"),
        ("resources.py", "def f():\n    import captum.attr"),
        ("parts/canvas.py", "from torchvision import datasets"),
        ("parts/canvas.py", "from dashboard.views import draw"),
        ("resources.py", "from dashboard.parts.canvas import canvas"),
        ("views/draw.py", "from dashboard.views.overview import page"),
    ],
)
def test_the_checker_of_the_dashboard_would_notice(path: str, source: str):
    (problem,) = problems_of_dashboard(path, source)
    assert problem.startswith(f"dashboard/{path} imports ")


def test_the_checkers_let_pass_what_is_allowed():
    assert (
        problems_of_core("predictor", "import numpy\nfrom core import card\nfrom core.picture import x") == []
    )
    assert (
        problems_of_dashboard("views/draw.py", "import streamlit\nfrom dashboard.parts import canvas") == []
    )


def test_a_relative_import_is_refused():
    with pytest.raises(AssertionError, match="write imports from the root"):
        imports("from . import models")


def test_the_standard_library_is_not_shadowed():
    names = {path.stem for path in (ROOT / "core").glob("*.py")} - {"__init__", "__main__"}
    assert not names & set(sys.stdlib_module_names)
