"""A run's figures as TensorBoard event files, for those who watch many runs there."""

from pathlib import Path

from tensorboardX import SummaryWriter

from core.errors import TrainingError
from core.runs import History, StepReport

VALIDATION = "validation/accuracy"


class EventLog:
    """Writes each report of one run after the other, a folder a seed; called like any receiver of reports."""

    def __init__(self, folder: Path, *, first: int):
        """
        Args:
            folder: where the runs' folders, `seedN`, shall lie.
            first: the first run's seed.

        Raises:
            TrainingError: the folder can't be written.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TrainingError(
                f"--tensorboard {folder} can't be written ({error}). Name another folder."
            ) from error
        self._folder, self._seed = folder, first
        self._writer: SummaryWriter | None = None
        self._measured = 0  # the last epoch whose validation accuracy is written

    def __call__(self, report: StepReport) -> None:
        """Training loss, accuracy and images/s by step, validation accuracy once an epoch."""
        if self._writer is None:
            self._writer = SummaryWriter(str(self._folder / f"seed{self._seed}"), flush_secs=2)
        for name in ("loss", "accuracy", "images_per_second"):
            self._writer.add_scalar(f"training/{name}", getattr(report, name), report.step)
        if report.validation_accuracy is not None and report.epoch - 1 > self._measured:
            self._measured = report.epoch - 1
            self._writer.add_scalar(VALIDATION, report.validation_accuracy, self._measured)

    def end(self, history: History) -> None:
        """A run has ended: its last epoch's measurement, for which no report comes. The next seed follows."""
        if self._writer is not None:  # a run that was finished long ago has nothing to add
            self._writer.add_scalar(VALIDATION, history[-1]["validation_accuracy"], int(history[-1]["epoch"]))
            self._writer.close()
        self._writer, self._measured = None, 0
        self._seed += 1
