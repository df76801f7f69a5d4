# Every target sets up what it needs: on a fresh machine `make app` or `make test` is the only command.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
PORT ?= 8501
RUNTIME := .venv/.runtime
DEV := .venv/.dev
BROWSER := .venv/.browser

.PHONY: help app test check bench screenshots readme clean

help:  ## Show what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/:/' | column -t -s ':'

app: $(RUNTIME)  ## Set up and open the dashboard (PORT=8501)
	$(BIN)/streamlit run dashboard/server.py --server.port $(PORT)

test: $(DEV) $(BROWSER)  ## Set up and run every test, the browser journeys too
	$(BIN)/python -m pytest

check: $(DEV)  ## Lint, types and the fast tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -m "not journey"

bench: $(DEV) $(BROWSER)  ## Measure speed and accuracy beside their baselines
	$(BIN)/python -m core bench --out docs/results/bench-core.json
	$(BIN)/python -m tests.bench_dashboard --out docs/results/bench-dashboard.json
	$(BIN)/python -m scripts.readme

screenshots: $(DEV) $(BROWSER)  ## Take the README's screenshots again
	DIGITSCOPE_SCREENSHOTS=1 $(BIN)/python -m pytest tests/test_journeys.py -k screenshot

readme: $(DEV)  ## Write the generated tables of the README again
	$(BIN)/python -m scripts.readme

clean:  ## Remove the environment and the caches; data/ stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache digitscope.egg-info

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Digitscope needs Python 3.11 or newer; give it with PYTHON=python3.11")'
	$(PYTHON) -m venv .venv

$(RUNTIME): requirements.txt pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --disable-pip-version-check -r requirements.txt -e .
	@touch $@

$(DEV): requirements-dev.txt $(RUNTIME)
	$(BIN)/python -m pip install --disable-pip-version-check -r requirements-dev.txt
	@touch $@

$(BROWSER): $(DEV)
	scripts/browser.sh
	@touch $@
