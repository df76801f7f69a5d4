#!/usr/bin/env bash
# Provides a Chromium for the browser tests: one that is there, Playwright's own, or the system's package.
# Where none can be had the browser tests are skipped, and say so.
set -u
for name in chromium chromium-browser google-chrome chrome; do
  command -v "$name" >/dev/null && echo "browser: $(command -v "$name")" && exit 0
done
timeout 300 .venv/bin/python -m playwright install --with-deps chromium && exit 0
if command -v apt-get >/dev/null; then
  sudo=$([ "$(id -u)" = 0 ] || echo sudo)
  $sudo apt-get update -q && $sudo apt-get install -y -q chromium && exit 0
fi
echo "browser: NONE COULD BE INSTALLED. The browser tests will be skipped." >&2
exit 0
