# The same commands for people and for CI. Needs Python 3.11 or newer, pip and make; everything else lands in .venv.
PYTHON ?= python3
BIN = .venv/bin

help:            ## list the targets
	@grep -E '^[a-z-]+:.*##' Makefile | sed 's/:.*##/\t/'

setup: .venv/done ## make .venv with the tested versions

.venv/done: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet -c constraints.txt -e '.[dev]'
	@touch $@

demo: setup      ## search the digits task: the product in one command
	$(BIN)/automl search digits

test: setup      ## all tests but the long proofs
	$(BIN)/python -m pytest -m 'not proof'

check: setup     ## style, types and the direction of imports
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/python -m pytest tests/test_arrows.py

chaos: setup     ## 100 kill -9 over 150 slots with real workers
	$(BIN)/python -m pytest -m proof -s tests

bench: setup     ## speed against a hand-written script and the bare loop
	$(BIN)/python tests/benchmarks/bench_speed.py

.PHONY: help setup demo test check chaos bench
