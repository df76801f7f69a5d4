"""What the Errors page says in words."""

from core.confusion import Confusion
from core.table import EvaluationTable
from dashboard import evaluations
from dashboard.errors_link import link
from dashboard.parts import data_picker
from dashboard.words import percent, plain


def words(table: EvaluationTable, confusion: Confusion, dataset: str) -> str:
    """How good the model is on the data set, in a line or two of Markdown."""
    low, high = confusion.interval_95
    name = data_picker.name_of(dataset)
    if dataset not in data_picker.NAMES:
        name = f"digits of {name}"
    text = (
        f"**{confusion.errors:,} of {confusion.n:,}** {plain(name)} are read wrongly: "
        f"**{percent(confusion.accuracy, 2)}** right (95 % interval {percent(low, 2)} to {percent(high, 2)})"
    )
    corrected = evaluations.corrected(table)
    if corrected:
        text += f", {percent(corrected.accuracy, 2)} with doubtful labels corrected"
    text += "."
    if table.about.left_out:
        text += f" {table.about.left_out:,} digits are of classes that this model does not know."
    if table.about.skipped:
        text += f" {skipped(table)} could not be used."
    return text


def skipped(table: EvaluationTable) -> str:
    """How many files could not be used."""
    n = len(table.about.skipped)
    return f"{n:,} {'file' if n == 1 else 'files'}"


def asked() -> str:
    """Which digits the gallery shows, behind their number."""
    view = link()
    text = {"wrong": " read wrongly", "right": " read rightly", "all": ""}[view.shown]
    text = f", a {view.true}{text}" if view.true is not None else text
    return text + (f" as {view.read}" if view.read is not None and view.read != view.true else "")
