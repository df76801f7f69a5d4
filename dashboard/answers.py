"""Cached access to how sure the answers of an evaluation were."""

import streamlit as st

from core.abstention import OperatingPoint, RiskCoverage
from core.answers import Answers, answers_of, calibrations_of
from core.calibration import Calibration
from core.smoothing import RECORD, Lesson, read_lesson
from core.table import EvaluationTable
from dashboard.resources import card, predictor


def temperature(model: str, table: EvaluationTable) -> float | None:
    """What the table's probabilities were made with: 1 for a model that none was fitted to, and None for
    a table that was made before what is fitted now."""
    return card(model).temperature if table.about.fitted == predictor(model).fitted else None


def answers(model: str, table: EvaluationTable) -> Answers:
    """The answers of a table, before and after the temperature."""
    return _answers(table.key, temperature(model, table), table)


@st.cache_resource(max_entries=8, show_spinner=False)
def _answers(key: str, divided_by: float | None, _table: EvaluationTable) -> Answers:
    return answers_of(_table, divided_by)


def curve(model: str, table: EvaluationTable) -> RiskCoverage:
    """What every threshold does on a table."""
    return _curve(table.key, answers(model, table))


@st.cache_resource(max_entries=8, show_spinner=False)
def _curve(key: str, _answers: Answers) -> RiskCoverage:
    return _answers.curve


def calibrations(model: str, table: EvaluationTable) -> dict[str, Calibration]:
    """How well a table's answers are calibrated, before and after the temperature."""
    return _calibrations(table.key, temperature(model, table), table)


@st.cache_resource(max_entries=32, show_spinner="Drawing the digits anew for the intervals …")
def _calibrations(key: str, divided_by: float | None, _table: EvaluationTable) -> dict[str, Calibration]:
    return calibrations_of(_table, divided_by)


def choices(model: str) -> tuple[OperatingPoint, ...]:
    """The thresholds that some costs would choose on the validation digits; none before they are fitted."""
    return tuple(OperatingPoint(**each) for each in card(model).verdict.get("choices", ()))


def lesson() -> Lesson:
    """The published figures of a network with label smoothing."""
    return _lesson(RECORD.stat().st_mtime_ns if RECORD.exists() else 0)


@st.cache_resource(max_entries=1, show_spinner=False)
def _lesson(changed: int) -> Lesson:
    return read_lesson()
