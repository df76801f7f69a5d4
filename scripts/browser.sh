#!/usr/bin/env bash
# Provides a Chromium for the browser tests: one that is there, Playwright's own, or the system's package.
# Where none can be had the browser tests are skipped, and say so.
set -u
python=.venv/bin/python

launches() {
  $python -c 'import sys
from tests.browser import launch
from playwright.sync_api import sync_playwright
with sync_playwright() as playwright:
    browser = launch(playwright)
    sys.exit(browser is None or browser.close())' 2>/dev/null
}

launches && exit 0
as_root=""
if [ "$(id -u)" != 0 ]; then
  sudo -n true 2>/dev/null && as_root="sudo -n" || as_root="false"
fi
if $python -m playwright install chromium; then
  [ "$as_root" = false ] || $python -m playwright install-deps chromium
  launches && exit 0
fi
if command -v apt-get >/dev/null && [ "$as_root" != false ]; then
  $as_root apt-get update -q && $as_root apt-get install -y -q chromium
  launches && exit 0
fi
echo "browser: NONE COULD BE INSTALLED. The browser tests will be skipped." >&2
exit 1
