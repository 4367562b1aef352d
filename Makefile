# `make help` lists the commands. A fresh machine needs Python 3.11 or newer, nothing else.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PORT   ?= 8501
ADDRESS ?= 127.0.0.1
CORPUS ?= ../shared/corpus/grimm.txt

# A file's tests stay together, because they share its models and servers.
PARALLEL := -n logical --dist loadfile

.PHONY: help run test quick lint types unit browser train-text evaluate-text train-code evaluate-code train-image judge-image evaluate-image train-audio judge-audio evaluate-audio clean

help: ## List the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

run: $(VENV)/.run ## Install what the app needs and serve it to this machine (PORT=8501 ADDRESS=127.0.0.1)
	DIPTYCH_LOCAL=$${DIPTYCH_LOCAL-1} $(BIN)/streamlit run Home.py --server.address $(ADDRESS) --server.port $(PORT)

test: lint types unit ## Install what the tests need; lint, types and every test, browser tests included

quick: lint types ## Style, types and every test but the browser's and the trainings'
	$(BIN)/python -m pytest $(PARALLEL) -m 'not browser' --ignore tests/training

lint: $(VENV)/.dev ## Style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev ## Types
	$(BIN)/mypy

unit: $(VENV)/.dev $(VENV)/.browser ## Every test: those without a browser on all cores, a file at a time; then the browser's alone
	$(BIN)/python -m pytest $(PARALLEL) -m 'not browser'
	$(BIN)/python -m pytest -m browser

browser: $(VENV)/.dev $(VENV)/.browser ## Only the tests that drive a browser
	$(BIN)/python -m pytest -m browser

train-text: $(VENV)/.dev ## Train models/tiny-text anew (about 100 minutes on two cores), then measure it
	$(BIN)/python -m training.text.train --preset cpu --corpus $(CORPUS)
	$(BIN)/python -m training.text.evaluate

evaluate-text: $(VENV)/.dev ## Measure models/tiny-text on held-out tasks and write its card's table
	$(BIN)/python -m training.text.evaluate

train-code: $(VENV)/.dev ## Train models/tiny-code anew (about half an hour on two cores), then measure it
	$(BIN)/python -m training.code.train --preset cpu
	$(BIN)/python -m training.code.evaluate

evaluate-code: $(VENV)/.dev ## Measure models/tiny-code on held-out tasks and write its card's table
	$(BIN)/python -m training.code.evaluate

train-image: $(VENV)/.dev ## Train models/tiny-image anew (about two hours on one core), then measure it
	$(BIN)/python -m training.image.train --preset cpu
	$(BIN)/python -m training.image.evaluate

judge-image: $(VENV)/.dev ## Train the judge of models/tiny-image anew (about twenty minutes)
	$(BIN)/python -m training.image.judge

evaluate-image: $(VENV)/.dev ## Measure models/tiny-image on held-out captions and write its card's table
	$(BIN)/python -m training.image.evaluate

train-audio: $(VENV)/.dev ## Train models/tiny-audio anew (about an hour on one core), then measure it
	$(BIN)/python -m training.audio.train --preset cpu
	$(BIN)/python -m training.audio.evaluate

judge-audio: $(VENV)/.dev ## Train the judge of models/tiny-audio anew (some minutes)
	$(BIN)/python -m training.audio.judge

evaluate-audio: $(VENV)/.dev ## Measure models/tiny-audio on held-out captions and write its card's tables
	$(BIN)/python -m training.audio.evaluate

clean: ## Remove what the commands installed (not data/)
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Diptych needs Python 3.11 or newer. Set PYTHON=python3.12, say.")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

$(VENV)/.dev: requirements-dev.txt requirements.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@ $(VENV)/.run

# Debian's Chromium where apt is at hand, else the one that Playwright fetches.
$(VENV)/.browser: $(VENV)/.dev
	@if [ -x /usr/bin/chromium ]; then :; \
	elif command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium; \
	else $(BIN)/playwright install chromium; fi
	touch $@
