#!/usr/bin/env bash
# Provides a Chromium for the browser tests: one that is there, Playwright's own, or the system's package.
# Where none can be had the browser tests are skipped, and say so.
set -u
python=.venv/bin/python

for name in chromium chromium-browser google-chrome chrome; do
  command -v "$name" >/dev/null && echo "browser: $(command -v "$name")" && exit 0
done

as_root=""
if [ "$(id -u)" != 0 ]; then
  sudo -n true 2>/dev/null && as_root="sudo -n" || as_root="false"
fi
if timeout 300 $python -m playwright install chromium; then
  [ "$as_root" = false ] || timeout 300 $python -m playwright install-deps chromium
  $python - <<'END' && echo "browser: Playwright's own" && exit 0
from playwright.sync_api import sync_playwright

with sync_playwright() as playwright:
    playwright.chromium.launch(args=["--no-sandbox"]).close()
END
fi
if command -v apt-get >/dev/null && [ "$as_root" != false ]; then
  $as_root apt-get update -q && $as_root apt-get install -y -q chromium && exit 0
fi
echo "browser: NONE COULD BE INSTALLED. The browser tests will be skipped." >&2
exit 0
