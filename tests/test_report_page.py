"""The Report page by AppTest: what it asks for, what it remembers, what it hands over."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core import paths
from core.report_options import SECTIONS, ReportOptions
from dashboard import reports
from tests.test_report import HOSTILE

APP = str(paths.ROOT / "dashboard" / "app.py")


@pytest.fixture(autouse=True)
def bundled_digits(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("data")
    monkeypatch.setenv("DIGITSCOPE_DATA", str(folder))
    reports._kept().clear()
    yield folder
    reports._kept().clear()


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=120)
    for name, value in query.items():
        app.query_params[name] = value
    app.switch_page("views/report.py")
    app.run()
    assert not app.exception
    return app


def make(app: AppTest) -> list[Any]:
    return [button for button in app.button if button.label == "Make the report"]


def preview(app: AppTest) -> str:
    (frame,) = app.get("iframe")
    return str(frame.proto.srcdoc)


def test_a_report_is_made_when_asked_and_then_follows_its_title_and_sections_at_once():
    app = opened(model="linear", sections="claim.classes")
    assert "**The claim**" in app.markdown[-1].value
    assert "**Limits**" not in app.markdown[-1].value
    assert not app.get("iframe")
    make(app)[0].click().run()
    assert not app.exception
    assert 'id="classes"' in preview(app)
    assert 'id="limits"' not in preview(app)
    app.text_input[0].set_value("For the <b>board</b>").run()
    assert '<h1 dir="auto">For the &lt;b&gt;board&lt;/b&gt;</h1>' in preview(app)
    assert app.query_params["title"] == "For the <b>board</b>"
    app.get("button_group")[0].set_value(["claim", "limits"]).run()
    assert 'id="limits"' in preview(app)
    assert app.query_params["sections"] == "claim.limits"
    (download,) = app.get("download_button")
    assert download.proto.label.startswith("Download (0.")


def test_the_link_brings_everything_back_and_nonsense_in_it_is_passed_over():
    app = opened(model="linear", sections="limits.colours.claim", title=HOSTILE, comment="x" * 3000)
    assert app.session_state["report-sections"] == ["claim", "limits"]
    assert app.text_input[0].value == HOSTILE
    assert len(app.text_area[0].value) == 2000


def test_what_is_under_way_is_found_by_a_page_that_was_loaded_anew(monkeypatch: pytest.MonkeyPatch):
    """Somebody left while it was made; nothing that was typed there is part of it."""
    from core import report_findings

    gathered, let_go, left = report_findings.gather, threading.Event(), []

    def slow(*arguments: Any, progress: Any, **options: Any) -> Any:
        progress(0.3, "Half way …")
        assert let_go.wait(30)
        return gathered(*arguments, **options)

    def leave(share: float, words: str) -> None:
        left.append(words)
        raise KeyboardInterrupt

    monkeypatch.setattr(report_findings, "gather", slow)
    with pytest.raises(KeyboardInterrupt):
        reports.follow(reports.begin("linear", ("claim",)), leave)
    assert reports.under_way("linear", ("claim",)) is not None
    assert reports.under_way("linear", ("claim", "limits")) is None
    threading.Timer(1.0, let_go.set).start()
    app = opened(model="linear", sections="claim", title="Mine")
    assert not make(app)
    assert '<h1 dir="auto">Mine</h1>' in preview(app)
    assert reports.under_way("linear", ("claim",)) is None


def test_more_than_the_server_takes_are_refused_in_words(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reports._jobs, "most", 0)
    app = opened(model="linear", sections="claim")
    make(app)[0].click().run()
    (error,) = app.error
    said = error.value.replace("\\", "")  # Markdown
    assert "as many as this server takes at a time. Try again in half a minute." in said
    assert make(app)


def test_without_a_section_it_asks_for_one():
    app = opened(sections="none")
    assert [info.value for info in app.info] == ["Choose at least one section."]
    assert not make(app)


def test_what_the_model_lacks_is_said_before(
    cnn_folder: Path, linear_folder: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("DIGITSCOPE_CHECKPOINTS", str(cnn_folder.parent))
    outline = opened(model="cnn").markdown[-1].value
    assert outline.count("Not measured for this model") == 4
    assert "no detector was fitted" in outline


def test_reports_are_kept_by_checkpoint_and_options():
    said: list[str] = []
    assert reports.finished("linear", ReportOptions(sections=("claim",))) is None
    reports.follow(reports.begin("linear", ("claim",)), lambda share, words: said.append(words))
    first = reports.finished("linear", ReportOptions(sections=("claim",)))
    assert first is reports.finished("linear", ReportOptions(sections=("claim",)))
    assert first is not reports.finished("linear", ReportOptions(sections=("claim",), title="another"))
    assert reports.finished("linear", ReportOptions(sections=tuple(SECTIONS))) is None
    assert reports.finished("cnn", ReportOptions(sections=("claim",))) is None
    assert said[-1] == "Setting the page …"
