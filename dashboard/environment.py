"""The environment's settings, checked once at the start: a slip of the pen must not go unnoticed."""

from collections.abc import Mapping
from pathlib import Path

from core.api_settings import PREFIX
from core.errors import SettingError
from dashboard import security, sign_in

FOLDERS = ("DIGITSCOPE_DATA", "DIGITSCOPE_CHECKPOINTS", "DIGITSCOPE_RUNS")
SETTINGS = (*FOLDERS, sign_in.REQUIRED, security.FRAMES)
# Read by compose.yaml and by the tests, and so possibly there.
OF_OTHERS = {f"DIGITSCOPE_{name}" for name in ("PORT", "TAG", "CPUSET", "MEMORY", "SCREENSHOTS")}


def check(environment: Mapping[str, str]) -> None:
    """Looks at every setting but the API's, which `core.api_settings` reads.

    Raises:
        DigitscopeError: a setting that does not exist, or a value that it can't have.
    """
    given = {name: text for name, text in environment.items() if name.startswith("DIGITSCOPE_") and text}
    ours = {name for name in given if not name.startswith(PREFIX)}
    if unknown := sorted(ours - {*SETTINGS, *OF_OTHERS}):
        raise SettingError(f"{unknown[0]} is no setting; there are {', '.join(SETTINGS)} and {PREFIX}….")
    for name in FOLDERS:
        if name in given and Path(given[name]).exists() and not Path(given[name]).is_dir():
            raise SettingError(f"{name} is {given[name]!r}, which is a file: give a folder.")
    sign_in.demanded(environment)
