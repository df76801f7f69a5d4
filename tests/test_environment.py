"""Settings that can't be right end the start with a sentence; what visitors are told of the server."""

from pathlib import Path

import pytest

from core.api_problem import problem_of
from core.errors import DatasetError, DigitscopeError
from core.paths import ROOT, without_folders
from dashboard.environment import SETTINGS, check
from dashboard.words import plain


def test_what_is_usual_passes(tmp_path: Path):
    check({"PATH": "/bin", "DIGITSCOPE_DATA": str(tmp_path), "DIGITSCOPE_RUNS": str(tmp_path / "later")})
    check({"DIGITSCOPE_SIGN_IN": "required", "DIGITSCOPE_API_RATE": "5/second", "DIGITSCOPE_PORT": "80"})
    check(dict.fromkeys(SETTINGS, ""))


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("DIGITSCOPE_SIGN_IN", "maybe", "DIGITSCOPE_SIGN_IN is 'maybe'; it can be `required` or not set."),
        ("DIGITSCOPE_SIGNIN", "required", "DIGITSCOPE_SIGNIN is no setting; there are DIGITSCOPE_DATA, "),
        ("DIGITSCOPE_DATA", __file__, f"DIGITSCOPE_DATA is {__file__!r}, which is a file: give a folder."),
        ("DIGITSCOPE_CHECKPOINTS", __file__, "DIGITSCOPE_CHECKPOINTS is "),
    ],
)
def test_what_can_not_be_is_refused(name: str, text: str, said: str):
    with pytest.raises(DigitscopeError) as caught:
        check({name: text})
    assert str(caught.value).startswith(said)


def test_a_visitor_is_told_no_place_on_the_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DIGITSCOPE_DATA", str(tmp_path / "srv" / "data"))
    monkeypatch.setenv("DIGITSCOPE_CHECKPOINTS", str(tmp_path / "srv" / "data" / "models"))
    said = f"{tmp_path}/srv/data/own can't be written; {tmp_path}/srv/data: full. {ROOT}/docs/results"
    assert without_folders(said) == "data/own can't be written; data: full. docs/results"
    assert without_folders(f"'{tmp_path}/srv/data/models/cnn' is damaged") == "'checkpoints/cnn' is damaged"
    assert without_folders(f"{tmp_path}/srv/database and 3/7") == f"{tmp_path}/srv/database and 3/7"
    assert plain(f"{tmp_path}/srv/data/notes") == "data/notes"
    detail = problem_of(DatasetError(f"{tmp_path}/srv/data/x is gone")).detail
    assert detail == "data/x is gone"
