"""docs/api.md says what the OpenAPI document says, and shows answers as they are."""

import json
import re
from dataclasses import fields

import pytest

from core.api import create_api
from core.api_metrics import Metrics
from core.api_openapi import PROBLEMS
from core.api_schema import Explained, Health, ManyPredicted, Predicted, ProblemDocument
from core.api_settings import Settings, variable
from core.methods import METHODS
from core.paths import ROOT
from dashboard.security import FRAMES

TEXT = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
DOCUMENT = create_api().openapi()
SECTIONS = dict(re.findall(r"^### ([A-Z]+ /\S+)\n(.*?)(?=^##)", TEXT, re.MULTILINE | re.DOTALL))
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}


def test_every_route_has_its_section():
    assert set(SECTIONS) == set(OPERATIONS)


@pytest.mark.parametrize("route", OPERATIONS)
def test_a_section_names_the_parameters_and_the_problems(route: str):
    section, operation = SECTIONS[route], OPERATIONS[route]
    named = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    assert named == [each["name"] for each in operation.get("parameters", [])]
    (problems,) = re.findall(r"^Problems: ([\d, ]+)\.$", section, re.MULTILINE)
    assert problems.split(", ") == sorted(set(operation["responses"]) - {"200"})
    for status, response in operation["responses"].items():
        if status != "200":
            assert list(response["content"]) == ["application/problem+json"]


def test_every_reference_of_the_document_leads_somewhere():
    for name in set(re.findall(r"#/components/schemas/(\w+)", json.dumps(DOCUMENT))):
        assert name in DOCUMENT["components"]["schemas"]


def test_every_problem_is_explained():
    table = TEXT.split("## Problems")[1].split("## Settings")[0]
    for status in PROBLEMS:
        assert re.search(rf"^\|[^|]*\b{status}\b[^|]*\|", table, re.MULTILINE), status


@pytest.mark.parametrize(
    ("place", "schema"),
    [
        ("### POST /predict", Predicted),
        ("### POST /api/predict", ManyPredicted),
        ("### GET /healthz", Health),
        ("## Problems", ProblemDocument),
    ],
)
def test_the_answers_shown_have_the_form_of_the_answers(place: str, schema):
    example = TEXT.split(place + "\n")[1].split("```json\n")[1].split("\n```")[0]
    schema.model_validate_json(example, strict=True)
    assert set(json.loads(example)) == set(schema.model_fields)


def test_the_fields_and_methods_of_an_explanation_are_named():
    section = SECTIONS["POST /api/explain"]
    for name in (*Explained.model_fields, *METHODS):
        assert f"`{name}`" in section, name


def test_every_setting_is_in_the_table_with_its_default():
    table = dict(re.findall(r"^\| `(DIGITSCOPE_\w+)` \| `?(\w+)`? \|", TEXT, re.MULTILINE))
    assert set(table) == {variable(each.name) for each in fields(Settings)} | {FRAMES}
    for each in fields(Settings):
        shown = {None: "none", (): "none", True: "on"}.get(each.default, str(each.default))
        assert table[variable(each.name)] == shown


def test_every_metric_is_named():
    names = re.findall(r"^# TYPE (digitscope_\w+) ", Metrics().response().body.decode(), re.MULTILINE)
    assert len(names) >= 5
    for name in names:
        if not name.endswith("_created"):
            assert f"`{name}`" in SECTIONS["GET /metrics"], name
