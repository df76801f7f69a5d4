"""One hierarchy for everything that a user can mend; anything else is a bug."""


class DigitscopeError(Exception):
    """The message names the input, what was wrong with it and what to do."""


class PictureError(DigitscopeError):
    """A picture that can't be read or is over a limit."""


class PictureTooLarge(PictureError):
    """A picture of too many bytes or pixels."""


class NoPicture(PictureError):
    """A file of none of the formats that are read."""


class NothingDrawn(PictureError):
    """A picture without ink: there is no digit to name."""


class DatasetError(DigitscopeError):
    """A data set that is missing, damaged or not of the expected form."""


class UnusableFile(DatasetError):
    """One file of a data set that can't be read; the others may still do."""


class CheckpointError(DigitscopeError):
    """A checkpoint that is missing, damaged or does not match what it says of itself."""


class CheckpointReplaced(CheckpointError):
    """A checkpoint that another one took the place of while it was in use."""


class ExplanationError(DigitscopeError):
    """An explanation asked for a method, layer or class that the model does not have."""


class TrainingError(DigitscopeError):
    """Training that can't start or can't go on."""


class NotesError(DigitscopeError):
    """A note that can't be kept, or a database of notes that can't be used."""


class TakeAwayError(DigitscopeError):
    """Digits that can't be taken away in the form asked for."""


class DistortionError(DigitscopeError):
    """A corruption, a severity or a path that does not exist."""


class SettingError(DigitscopeError):
    """A setting in the environment that can't be used."""


class UnknownModel(DigitscopeError):
    """A model's name that no checkpoint has."""


class StoryError(DigitscopeError):
    """A story that can't be told, read or kept."""


class StoryChanged(StoryError):
    """A story that somebody else has changed meanwhile."""


class ReportError(DigitscopeError):
    """A report that can't be made as it was asked for, or can't be written."""
