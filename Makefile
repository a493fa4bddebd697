# `make demo` and `make test` need nothing but Python 3.11 or newer: each makes .venv and installs what it needs there.
# A second run starts at once, until pyproject.toml or constraints.txt change.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: help demo test bench format clean

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
A ?= data/examples/ode_to_joy.mid
B ?= data/examples/ah_vous_dirai_je.mid
BENCH ?=

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/demo.stamp ## morph one tune into another with the bundled model, into demo/ (others: A=one.mid B=two.mid)
	@$(BIN)/musicvae interpolate "$(A)" "$(B)" --steps 8 --wav --out demo/ --force
	@printf '%s\n' '' \
	  'Listen to demo/morph.wav, look at demo/morph.png; demo/morph.mid and demo/01.mid … 08.mid open in any MIDI program.' \
	  'Next:' \
	  '  ls data/examples/                          the other tunes; or take two of your own:' \
	  '  $(BIN)/musicvae interpolate a.mid b.mid --steps 8 --wav --out mine/' \
	  '  $(BIN)/musicvae check midi/              what in a folder of MIDI could be learned from' \
	  '  $(BIN)/musicvae corpus folk folk/ && $(BIN)/musicvae train folk/ --minutes 10' \
	  '                                             train a model of your own on thousands of folk tunes'

test: $(VENV)/test.stamp ## lint, format, types, tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest

# OpenBLAS chooses its kernels by the processor, as it does for users, whatever this shell says to it.
bench: $(VENV)/test.stamp ## how fast everything is, and beside what (more: make bench BENCH='--with-magenta --json figures.json')
	unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE; PYTHONPATH=. $(BIN)/python scripts/benchmark.py $(BENCH)

format: $(VENV)/test.stamp ## rewrite the code in the project's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## remove what make made: .venv, demo/ and caches
	rm -rf $(VENV) demo .bench .hypothesis .mypy_cache .pytest_cache .ruff_cache

$(VENV)/demo.stamp: EXTRA := folk
$(VENV)/test.stamp: EXTRA := dev
$(VENV)/%.stamp: pyproject.toml constraints.txt
	@test -x $(BIN)/pip || { \
	  $(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit(f"error: Python {sys.version.split()[0]} is too old for constraints.txt: name Python 3.11 or newer, as in make PYTHON=python3.12 …")'; \
	  echo "Making a virtual environment in $(VENV)"; $(PYTHON) -m venv --clear $(VENV); }
	@echo "Installing musicvae-lite[$(EXTRA)] into $(VENV) (PyTorch is large; this takes a few minutes the first time)"
	@$(BIN)/python -m pip install --disable-pip-version-check --no-input --constraint constraints.txt \
	  --editable '.[$(EXTRA)]' | awk '/^Collecting/ { print "  " $$2; fflush() } /^Installing/ { print "  unpacking"; fflush() }'
	@touch $@
