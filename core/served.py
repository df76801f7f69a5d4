"""The models that a server answers with: loaded when first asked for, and anew when they change."""

import re
import threading
from pathlib import Path

from core.errors import CheckpointError, UnknownModel
from core.paths import CARD, checkpoint_folder, checkpoint_names, checkpoints_folder
from core.predictor import Predictor

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")  # a name, never a path
MOST = 8  # kept at once

Version = tuple[int, int, int]


class Served:
    """Predictors by the names of their checkpoints; safe to share between threads.

    Args:
        default: the name that is meant where none is given.
    """

    def __init__(self, default: str = "cnn"):
        self.default = default
        self._kept: dict[str, tuple[Version, Predictor]] = {}
        self._lock = threading.Lock()

    def get(self, name: str | None = None) -> Predictor:
        """A checkpoint ready to predict, as it lies on disk now.

        Raises:
            UnknownModel: no checkpoint has this name.
            CheckpointError: the checkpoint is damaged or gone, or it is the default and there is none.
        """
        name = name or self.default
        folder = checkpoints_folder() / name
        found = self._kept.get(name)
        if found and found[0] == _version(folder):
            return found[1]
        with self._lock:
            return self._loaded(name, folder)

    def _loaded(self, name: str, folder: Path) -> Predictor:
        if name not in self._kept and (not NAME.fullmatch(name) or name not in checkpoint_names()):
            known = ", ".join(checkpoint_names()) or "none"
            wrong = CheckpointError if name == self.default else UnknownModel
            raise wrong(f"There is no model {name[:100]!r}; choose among {known}.")
        checkpoint_folder(folder)  # waits for who is just replacing it
        version, found = _version(folder), self._kept.get(name)
        if found and version and found[0] == version:  # another thread was here first
            return found[1]
        self._kept.pop(name, None)
        predictor = Predictor.load(folder)
        if version:
            self._kept[name] = (version, predictor)
        while len(self._kept) > MOST:
            self._kept.pop(next(iter(self._kept)))
        return predictor


def _version(folder: Path) -> Version | None:
    """What changes whenever a checkpoint is replaced or something is fitted to it."""
    try:
        found = (folder / CARD).stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size
