"""A training watched in a real Chromium while it goes on."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, expect

from core.paths import ROOT
from tests.browser import serve
from tests.stripes import digits
from tests.visitor import Visitor, browser

pytestmark = pytest.mark.journey
__all__ = ["browser"]


def test_a_run_appears_moves_on_and_goes_without_a_reload(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`train.py` in a process of its own, the page opened before it starts and never reloaded."""
    data = digits(600, 0)
    np.savez(tmp_path / "stripes.npz", images=data.images, labels=data.labels)
    monkeypatch.setenv("DIGITSCOPE_RUNS", str(tmp_path / "runs"))
    command = [sys.executable, "train.py", "cnn", "--data", str(tmp_path / "stripes.npz"), "--epochs", "1000"]
    command += ["--out", str(tmp_path / "out" / "mine"), "--batch-size", "64", "--drawn", "0"]
    with serve(tmp_path / "log") as server:
        visitor = Visitor(browser.new_page(), server.url)
        visitor.open("/")
        expect(visitor.page.get_by_text("Where it ends")).to_be_visible()
        assert visitor.page.get_by_text("In training").count() == 0
        training = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
        try:
            expect(visitor.page.get_by_text("In training: mine-plain-seed23")).to_be_visible()
            line = visitor.page.get_by_text(re.compile(r"Epoch \d+ of 1000 · .* images/s"))
            expect(line).to_be_visible()
            epoch = re.search(r"Epoch (\d+)", line.inner_text())
            later = re.compile(rf"Epoch (?!{epoch[1]} )\d+ of 1000")
            expect(visitor.page.get_by_text(later)).to_be_visible()
            expect(visitor.page.get_by_role("figure", name=re.compile("in the last epoch"))).to_be_visible()
        finally:
            training.kill()
            training.wait()
        expect(visitor.page.get_by_text("In training")).to_have_count(0)
        visitor.page.close()
        assert visitor.complaints == []
