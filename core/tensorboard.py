"""A run's figures as TensorBoard event files, for those who watch many runs there."""

from pathlib import Path

from tensorboardX import SummaryWriter

from core.errors import TrainingError
from core.runs import History, StepReport


class EventLog:
    """Writes each report of a run; called like any other receiver of reports."""

    def __init__(self, folder: Path):
        """
        Raises:
            TrainingError: the folder can't be written.
        """
        try:
            self._writer = SummaryWriter(str(folder), flush_secs=2)
        except OSError as error:
            raise TrainingError(
                f"--tensorboard {folder} can't be written ({error}). Name another folder."
            ) from error
        self._measured: int | None = None

    def __call__(self, report: StepReport) -> None:
        """Training loss, accuracy and images/s by step, validation accuracy once an epoch."""
        for name in ("loss", "accuracy", "images_per_second"):
            self._writer.add_scalar(f"training/{name}", getattr(report, name), report.step)
        epoch = report.epoch - 1
        if report.validation_accuracy is not None and epoch != self._measured:
            self._measured = epoch
            self._writer.add_scalar("validation/accuracy", report.validation_accuracy, epoch)

    def end(self, history: History) -> None:
        """The last epoch's measurement, for which no further report comes."""
        last = history[-1]
        self._writer.add_scalar("validation/accuracy", last["validation_accuracy"], int(last["epoch"]))
        self._writer.close()
