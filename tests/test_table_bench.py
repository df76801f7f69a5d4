"""The table's benchmark measures what it says, on a small table."""

import numpy as np

from core.table_bench import table_rows


def test_every_figure_is_measured(cnn, optdigits):
    rows = {row.figure: row for row in table_rows(cnn, optdigits.take(np.arange(300)), size=700)}
    assert list(rows) == [
        "evaluation table of 300 images",
        "a table of 700 rows opened and counted",
        "a page of 100 from 700 rows, p50",
        "a page of 100 from 700 rows, slowest",
        "memory for 700 rows",
    ]
    made, opened, median, slowest, memory = rows.values()
    assert opened.value > 0
    assert made.value > 0
    assert made.baseline > 0
    assert 0 < median.value <= slowest.value
    assert 0 < memory.value < 1000
