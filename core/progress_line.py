"""The line in the terminal that moves while a network trains."""

from typing import Any

from tqdm import tqdm

from core.results import validation_accuracy
from core.runs import StepReport

LAYOUT = "{desc}{percentage:3.0f}%{postfix} |{bar:20}|"  # tqdm's own times know nothing of a resumed run


class ProgressLine:
    """Epoch, images/s, loss, validation accuracy and the time left; a line of its own for each finished run.

    Args:
        quiet: say nothing, as all processes but the first do.
    """

    def __init__(self, *, quiet: bool = False):
        self._quiet = quiet
        self._bar = tqdm(bar_format=LAYOUT, dynamic_ncols=True, disable=quiet, leave=False)

    def __call__(self, report: StepReport) -> None:
        """Moves on."""
        last = report.validation_accuracy
        known = "" if last is None else f", validation {last:.2%}"
        self._bar.total = report.steps
        self._bar.set_description(f"epoch {report.epoch}/{report.epochs}", refresh=False)
        self._bar.set_postfix_str(
            f"{report.images_per_second:,.0f} images/s, loss {report.loss:.4f}{known}, "
            f"{tqdm.format_interval(report.eta)} left",
            refresh=False,
        )
        self._bar.n = report.step
        self._bar.refresh()

    def ended(self, result: dict[str, Any]) -> None:
        """A run has ended."""
        test = result["metrics"][result["tested_on"]]
        self._bar.write(
            f"seed {result['seed']}: epoch {result['best_epoch']} chosen on {result['chosen_on']} "
            f"({validation_accuracy(result):.2%}); "
            f"{result['tested_on']}: {test['accuracy']:.2%} ({test['errors']} errors in {test['n']})"
        )
        self._bar.reset()

    def close(self, last: str) -> None:
        """All have ended."""
        self._bar.close()
        if not self._quiet:
            print(last)
