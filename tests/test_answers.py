"""The answers of a table by how sure they were, against the rows of the table itself."""

from pathlib import Path

import numpy as np
import pytest

from core.answers import answers_of, calibrations_of
from core.calibration import measure
from core.evaluation import bins_of
from core.labelled import LabelledDigits
from core.outputs import softmax
from core.predictor import Predictor
from core.table import EvaluationTable
from core.tabulation import write_table


@pytest.fixture(scope="module")
def data(random_pictures: np.ndarray) -> LabelledDigits:
    return LabelledDigits("noise", random_pictures[:300], np.arange(300) % 10, "a test")


@pytest.fixture(scope="module")
def table(cnn: Predictor, data: LabelledDigits, tmp_path_factory: pytest.TempPathFactory) -> EvaluationTable:
    folder = tmp_path_factory.mktemp("table")
    write_table(folder, cnn, data)
    return EvaluationTable(folder)


def test_a_temperature_is_undone_from_the_tables_own_probabilities(
    cnn: Predictor, data: LabelledDigits, table: EvaluationTable
):
    # As if the network's logits had been 2.5 times what they are and were divided by 2.5.
    found = answers_of(table, 2.5)
    logits = cnn.run(data.images).logits
    np.testing.assert_allclose(
        found.confidence["before"], softmax(np.float32(2.5) * logits).max(axis=1), atol=1e-5
    )
    np.testing.assert_allclose(found.confidence["after"], softmax(logits).max(axis=1), atol=1e-5)
    np.testing.assert_array_equal(found.correct, logits.argmax(axis=1) == data.labels)


def test_without_a_known_temperature_there_is_no_before(table: EvaluationTable):
    assert set(answers_of(table, None).confidence) == {"after"} == set(calibrations_of(table, None))


def test_the_figures_are_those_of_the_tables_probabilities(table: EvaluationTable):
    found = calibrations_of(table, 1.0)
    assert found["before"].nll.value == pytest.approx(found["after"].nll.value, abs=1e-6)
    assert found["after"] == measure(table.probabilities(), table.column("label").astype(np.int64))
    assert found["after"].nll.value == pytest.approx(table.column("loss").mean(), rel=1e-4)


def test_every_digit_lies_in_exactly_one_bin_the_wrong_ones_first(table: EvaluationTable):
    found = answers_of(table, 1.0)
    seen = []
    for number in range(15):
        indices = found.in_bin("after", number)
        assert len(indices) == found.reliability("after").counts[number]
        rows = table.rows(indices)
        order = [(row.label == row.prediction, -row.confidence, row.index) for row in rows]
        assert order == sorted(order)
        assert {int(bins_of(np.array([row.confidence]))[0]) for row in rows} <= {number}
        seen += indices
    assert sorted(seen) == list(range(300))


def test_the_digits_beside_a_threshold_are_the_nearest_on_each_side(table: EvaluationTable):
    found = answers_of(table, 1.0)
    threshold = float(np.median(found.confidence["after"]))
    refused, answered = found.beside(threshold, 4)
    rising = np.sort(found.confidence["after"])
    assert found.sure(refused, "after") == rising[rising < threshold][::-1][:4].tolist()
    assert found.sure(answered, "after") == rising[rising >= threshold][:4].tolist()
    assert found.beside(0.0, 4)[0] == []
    assert found.beside(1.01, 4)[1] == []


def test_places_that_have_no_row_are_no_hindrance(linear: Predictor, data: LabelledDigits, tmp_path: Path):
    write_table(tmp_path, linear, data)  # only every 3 and 7 has a row
    found = answers_of(EvaluationTable(tmp_path), 1.0)
    assert set(found.index.tolist()) == {place for place in range(300) if place % 10 in (3, 7)}
    assert found.sure([3, 297], "after") == found.confidence["after"][[0, -1]].tolist()
