"""Takes files one by one, as a visitor or a program would send them, and says what became of each.

A process of its own, so that its memory can be measured and its end survived: paths come in and outcomes go
out as JSON, a line each.
"""

import contextlib
import html
import io
import json
import re
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.paths import ROOT
from scripts.hostile_case import CHECKPOINT, on_paper
from scripts.hostile_checkpoints import RAN

Outcome = dict[
    str, Any
]  # `digit` or `count` of an answer, `error`, `unsent`, or `crash` that nobody expected


def main(route: str) -> None:
    """Answers until there are no more lines."""
    said = sys.stdout
    with contextlib.redirect_stdout(io.StringIO()):
        send = ROUTES[route]()
    for line in sys.stdin:
        asked = json.loads(line)
        before, started, worked = _reset_peak(), time.perf_counter(), time.process_time()
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                outcome = send(Path(asked["path"]), asked["labelled"])
        except BaseException:
            outcome = {"crash": traceback.format_exc()[-2000:]}
        outcome |= {"seconds": time.perf_counter() - started, "worked": time.process_time() - worked}
        outcome["memory"] = _peak() - before
        print(json.dumps(outcome), file=said, flush=True)


def _status(name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def _reset_peak() -> int:
    """Bytes in use now, from where the peak is counted anew (Linux alone can)."""
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def _peak() -> int:
    return _status("VmHWM")


def command_line() -> Callable[[Path, bool], Outcome]:
    """`python -m core predict FILE` and `evaluate --data PATH`, the model loaded each time."""
    from core.cli import main as run

    def send(path: Path, labelled: bool) -> Outcome:
        out, complaints = io.StringIO(), io.StringIO()
        arguments = (
            ["evaluate", "--json", "--data", str(path)] if labelled else ["predict", "--json", str(path)]
        )
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(complaints):
            code = run(arguments)
        if labelled and code:
            return {"error": complaints.getvalue().removeprefix("error: ").strip()}
        row = json.loads(out.getvalue())
        if labelled:
            return {"count": row["n"]}
        return {"error": row["error"]} if "error" in row else {"digit": row["digit"]}

    return send


def page() -> Callable[[Path, bool], Outcome]:
    """The Draw page's uploader; for data sets what the Errors page's uploader calls."""
    from streamlit.testing.v1 import AppTest
    from streamlit.testing.v1.errors import AppTestError

    from core.errors import DigitscopeError
    from core.own import forget, stored
    from core.uploads import keep

    def opened() -> AppTest:
        app = AppTest.from_file(str(ROOT / "dashboard" / "app.py"), default_timeout=120)
        app.query_params["source"] = "Upload"
        return app.switch_page("views/draw.py").run()

    app = opened()

    def send(path: Path, labelled: bool) -> Outcome:
        nonlocal app
        content = path.read_bytes() if path.stat().st_size < 2**28 else b""
        if labelled:
            try:
                name = keep(content, path.name)
            except DigitscopeError as error:
                return {"error": str(error)}
            count = len(stored(name))
            forget(name)
            return {"count": count}
        uploader = app.file_uploader(key="upload")
        kinds = uploader.proto.type  # none: any
        if kinds and path.suffix.lower() not in kinds:  # the browser's side of it refuses these
            return {"unsent": f"not of the kinds {', '.join(kinds)}"}
        try:
            uploader.upload(path.name, content)
        except AppTestError as error:  # what the server refuses for its size or suffix
            return {"error": f"{path.name}: {error}"}
        app.run()
        if app.exception:
            crash = {"crash": f"{app.exception[0].message} {app.exception[0].proto.stack_trace}"[:2000]}
            app = opened()
            return crash
        if app.error:
            return {"error": app.error[0].value}
        words = "\n".join(element.proto.body for element in app.get("html"))
        if found := re.search(r'class="digit"[^>]*>(\d)<', words):
            return {"digit": int(found[1])}
        if found := re.search(r"Nothing to read in [^<]*", words):
            return {"error": html.unescape(found[0])}
        return {"crash": f"neither an answer nor a reason: {words[:1500]}"}

    return send


def api() -> Callable[[Path, bool], Outcome]:
    """`POST /predict`; every refusal must be a problem document (RFC 9457)."""
    from starlette.testclient import TestClient

    from core.api import create_api

    client = TestClient(create_api(), raise_server_exceptions=False)

    def send(path: Path, labelled: bool) -> Outcome:
        answer = client.post("/predict", files={"file": (path.name, path.read_bytes())})
        content = answer.json()
        if answer.status_code == 200:
            return {"digit": int(content["prediction"])}
        kind = answer.headers["content-type"]
        if answer.status_code >= 500 or not kind.startswith("application/problem+json"):
            return {"crash": f"{answer.status_code} {kind}: {answer.text[:300]}"}
        # What is too large is refused before its name is read; it is the request's only picture.
        return {"error": content["detail"], "unread": answer.status_code == 413}

    return send


def checkpoint() -> Callable[[Path, bool], Outcome]:
    """`Predictor.load`, all that a page reads of a checkpoint, and `import-weights` for files of others."""
    from core.card import read_history
    from core.channels import read_channels
    from core.checkpoint import load_model
    from core.errors import CheckpointError
    from core.predictor import Predictor
    from core.published import import_weights
    from core.study import read_study

    def send(path: Path, labelled: bool) -> Outcome:
        try:
            if path.is_dir():
                predictor = Predictor.load(path)
                load_model(path)
                for read in (read_history, read_study, read_channels):
                    read(path)
            else:
                predictor = Predictor.load(import_weights(path, path.with_name("imported")).name)
            found: Outcome = {"digit": predictor.predict(on_paper()).digit}
        except CheckpointError as error:
            found = {"error": str(error)}
        ran = list(path.parent.glob(f"**/{RAN}"))
        return {"crash": "code of the file was executed"} if ran else found

    return send


ROUTES = {"command line": command_line, "page": page, "API": api, CHECKPOINT: checkpoint}

if __name__ == "__main__":
    main(sys.argv[1])
