"""A run that is on its way, for tests that need any."""

from core.runs import StepReport

REPORT = StepReport(
    step=20,
    steps=60,
    epoch=1,
    epochs=2,
    loss=0.5,
    accuracy=0.75,
    validation_accuracy=None,
    seconds=2.0,
    images_per_second=640.0,
    eta=4.0,
)
