# `make demo` and `make test` need Python 3.11 or later, git and make; they set up the rest in .venv.
# Another Python: make setup PYTHON=/path/to/python3.12

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed
RECENT := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	command -v $$name >/dev/null 2>&1 && $$name -c '$(RECENT)' 2>/dev/null && echo $$name && break; \
	done)
# pyright brings its own Node.js, so that an old one on the machine does not matter.
export PYRIGHT_PYTHON_GLOBAL_NODE := 0

.PHONY: help setup demo test check fuzz bench pages

help:
	@echo "make setup   install what the project needs into .venv (done by the others as well)"
	@echo "make demo    render a clip, find its poses in 2D and 3D, make a mannequin dance so: visualizations/demo/"
	@echo "make test    everything that is checked before a change goes in"
	@echo "make check   the quick part of it: style, types, imports"
	@echo "make fuzz    10,000 damaged files for every reader, three quarters of an hour"
	@echo "make bench   measure the speed of this machine"
	@echo "make pages   write docs/commands/ anew from the options"

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "error: no Python 3.11 or later on the PATH; install one, or" \
		"name it: make setup PYTHON=/path/to/python3" >&2; exit 2; }
	@"$(PYTHON)" -c '$(RECENT)' || { echo "error: $(PYTHON) is not Python 3.11 or later" >&2; exit 2; }
	test -x $(BIN)/python || "$(PYTHON)" -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt ".[dev]"
	@touch $@

demo: $(STAMP)
	$(BIN)/python run.py demo

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

test: check
	$(BIN)/python -m pytest -n auto --dist loadfile

fuzz: $(STAMP)
	$(BIN)/python -m pytest -n auto tests/fuzz --hypothesis-profile fuzz

pages: $(STAMP)
	$(BIN)/python -m docs.command_pages

bench: $(STAMP)
	$(BIN)/python -m benchmarks
