# What a newcomer types. Every target makes what it needs by itself; `make help` lists them.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
EXTRAS := $(VENV)/.extras
SHELL  := /bin/bash

.DEFAULT_GOAL := help
.PHONY: browser extras help setup demo test run lint bench clean lock

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if (3, 11) <= v[:2] < (3, 14) else f"circularwatch needs Python 3.11 to 3.13; $(PYTHON) is {v[0]}.{v[1]}. Say which to use: make setup PYTHON=python3.12")'
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  v=$$($(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
	  echo "This Python cannot make virtual environments. On Debian or Ubuntu: sudo apt-get install python$$v-venv"; exit 1; }
	@echo "setup: making $(VENV) with $$($(PYTHON) --version)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "setup: installing the locked packages (about a minute the first time)"
	@$(BIN)/python -m pip --disable-pip-version-check install -qq --no-deps --require-hashes -r requirements.lock
	@$(BIN)/python -m pip --disable-pip-version-check install -qq --no-deps --no-build-isolation -e .
	@touch $@
	@echo "setup: done; the command is $(BIN)/circularwatch"

setup: $(STAMP) ## make .venv with the exact locked packages

$(EXTRAS): $(STAMP) requirements-extras.lock
	@echo "extras: installing OCR for scans and the optional third reader"
	@$(BIN)/python -m pip --disable-pip-version-check install -qq --no-deps --require-hashes -r requirements-extras.lock
	@touch $@

extras: $(EXTRAS) ## also OCR for scans and the optional third reader (about 350 MB)

demo: $(STAMP) ## the whole job once on the imitation web: no internet, ends by itself
	@$(BIN)/python -m tests.demo

# The browser tests drive a real Chromium. Installed where that needs no password; elsewhere those tests say that they
# are skipped and how to get it.
browser:
	@if command -v chromium >/dev/null && fc-list :lang=zh 2>/dev/null | grep -q .; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "test: installing Debian's chromium and Chinese fonts for the browser tests"; \
	  apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends \
	    chromium fonts-noto-cjk fontconfig >/dev/null; \
	else echo "test: no Chromium or no Chinese fonts, the browser tests will be skipped; sudo apt-get install chromium fonts-noto-cjk fontconfig"; fi

test: $(STAMP) browser ## every test
	@echo "test: running every test on all cores"
	@$(BIN)/python -m pytest -n auto --dist worksteal

run: $(STAMP) ## the live service until Ctrl-C: schedule, processor, Datasette
	@$(BIN)/circularwatch up

lint: $(STAMP) ## style and types
	@echo "lint: ruff and mypy"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

bench: $(STAMP) ## benchmarks: figures as ratios, measured in one run
	@$(BIN)/circularwatch bench

lock: ## resolve the newest allowed versions into requirements.lock (needs uv)
	@{ printf '%s\n' '# Exact versions with hashes of everything that circularwatch, its tests and its tools need; no addresses.' \
	  '# Made by `make lock`. Installed with --no-deps, since the resolver of pip before 24 fails on two of these together.'; \
	  uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --no-header --no-annotate --quiet; } > requirements.lock.new && mv requirements.lock.new requirements.lock
	@{ printf '%s\n' '# What the extras `ocr` and `llm` need beyond requirements.lock; made by `make lock`.'; \
	  uv pip compile pyproject.toml --extra ocr --extra llm --constraint requirements.lock --universal --python-version 3.11 \
	    --generate-hashes --no-emit-index-url --no-header --no-annotate --quiet | \
	  awk 'NR == FNR { if (/^[a-z0-9]/) { split($$0, a, "=="); have[a[1]] = 1 } next } \
	    /^[a-z0-9]/ { split($$0, a, "=="); keep = !(a[1] in have) } keep' requirements.lock -; \
	} > requirements-extras.lock.new && mv requirements-extras.lock.new requirements-extras.lock

clean: ## remove everything that these targets made, the database and the archive excepted
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
