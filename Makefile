# Every target sets up what it needs: on a fresh machine `make app` or `make test` is the only command.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
PORT ?= 8501
RUNTIME := .venv/.runtime
DEV := .venv/.dev

.PHONY: help app test check lint train bench hostile soak letters screenshots readme audit image clean browser data

help:  ## Show what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

app: $(RUNTIME)  ## Set up and open the dashboard (PORT=8501)
	$(BIN)/streamlit run dashboard/server.py --server.port $(PORT)

# A file's tests share what is expensive, so a process takes whole files. A browser mostly waits: two of them, too,
# but not beside the others.
TESTS := $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder
FAST := $(TESTS) -m "not journey"

test: $(DEV) browser data  ## Set up and run every test, the browser journeys too
	$(FAST)
	$(TESTS) -m journey

check: lint audit  ## Lint, types, known vulnerabilities and the fast tests
	$(FAST)

lint: $(DEV)  ## Lint and types alone
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

STAGE := $(BIN)/python train.py cnn --resume --record --seed 1
RUNS := $(or $(DIGITSCOPE_RUNS),runs)

train: $(RUNTIME)  ## Train all recorded networks and ship the best (long without a GPU; goes on where it was stopped)
	$(STAGE) --recipe plain --seeds 5
	$(STAGE) --recipe teacher --seeds 4 --out $(RUNS)/stages/cnn
	$(STAGE) --recipe distilled --seeds 5 --out $(RUNS)/stages/cnn --teachers $(RUNS)/cnn-teacher-seed{1,2,3,4}/checkpoint
	$(STAGE) --recipe reference --seed 23 --peek --out $(RUNS)/stages/reference
	$(STAGE) --recipe quick --out $(RUNS)/stages/quick
	$(BIN)/python -m core calibrate
	$(BIN)/python -m scripts.label_smoothing $(RUNS)/stages/reference
	$(BIN)/python train.py linear --record --seed 1 --seeds 5
	$(BIN)/python train.py linear --record --seed 1 --seeds 5 --recipe reference --out $(RUNS)/stages/linear
	$(BIN)/python -m core calibrate --model linear
	$(BIN)/python -m core choose-detector --out docs/results/unusual-choice.json
	$(BIN)/python -m core fit-detector --model cnn
	$(BIN)/python -m core fit-detector --model linear
	$(BIN)/python -m core faithfulness --model cnn
	$(BIN)/python -m core faithfulness --model linear
	$(BIN)/python -m core channels --model cnn
	$(BIN)/python -m core measure-detector --out docs/results/unusual.json
	$(BIN)/python -m core card --model cnn
	$(BIN)/python -m core card --model linear
	$(BIN)/python -m scripts.ship_map

bench: $(DEV) browser data  ## Measure speed and accuracy beside their baselines
	$(BIN)/python -m core bench --out docs/results/bench-core.json
	$(BIN)/python train.py cnn --benchmark
	$(BIN)/python -m core measure-detector --out docs/results/unusual.json
	$(BIN)/python -m scripts.bench_dashboard --out docs/results/bench-dashboard.json
	$(BIN)/python -m scripts.bench_api --out docs/results/bench-api.json
	@$(MAKE) readme

hostile: $(DEV)  ## Send a thousand hostile and broken files through every door (20 minutes; HOSTILE="--route API")
	$(BIN)/python -W ignore -m scripts.hostile --out docs/results/hostile.json $(HOSTILE)
	@$(MAKE) readme

soak: $(DEV) browser  ## Let 30 visitors draw, ask and browse at once for 5 minutes (SOAK="--visitors 10 --minutes 1")
	$(BIN)/python -m scripts.soak --out docs/results/soak.json $(SOAK)

LETTERS := $(or $(DIGITSCOPE_DATA),data)/pen-letters

letters: $(DEV)  ## Fetch letters of other hands for measure-detector (23 MB; needs npm)
	mkdir -p $(LETTERS)
	$(BIN)/python -m pip download --disable-pip-version-check --no-deps -q -d $(LETTERS) kanjivg==20260714
	npm pack --silent --pack-destination $(LETTERS) hersheytext@2.0.0

screenshots: $(DEV) browser  ## Take the screenshots of the README and the tour again
	DIGITSCOPE_SCREENSHOTS=1 $(BIN)/python -m pytest tests/test_journeys.py -k screenshot

readme: $(DEV)  ## Write the generated tables of the README and docs/ and the model cards again
	$(BIN)/python -m scripts.readme
	$(BIN)/python -m core card --model cnn
	$(BIN)/python -m core card --model linear

audit: $(DEV)  ## Ask the vulnerability databases about every installed package
	$(BIN)/python -m scripts.audit

image:  ## Build the container (TORCH_INDEX=… for processors alone)
	docker build --build-arg TORCH_INDEX="$(TORCH_INDEX)" -t digitscope .

clean:  ## Remove the environment and the caches; data/ stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache digitscope.egg-info

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Digitscope needs Python 3.11 or newer; give it with PYTHON=python3.11")'
	$(PYTHON) -m venv .venv || { rm -rf .venv; echo "No virtual environment: install python3-venv (apt-get install python3-venv)."; exit 1; }

$(RUNTIME): requirements.txt pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --disable-pip-version-check -r requirements.txt -e .
	@touch $@

$(DEV): requirements-dev.txt requirements-scale.txt requirements-auth.txt $(RUNTIME)
	$(BIN)/python -m pip install --disable-pip-version-check -r requirements-dev.txt
	@touch $@

# Both may fail, say so, and be tried again next time: the tests that need them skip.
browser: $(DEV)
	@scripts/browser.sh || true

data: $(RUNTIME)
	@$(BIN)/python -m scripts.fetch_mnist || true
