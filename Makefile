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

test: setup      ## all tests but the long proofs, two at a time
	$(BIN)/python -m pytest -m 'not proof' -n 2 --dist loadfile --no-loadscope-reorder

docs: setup      ## write the reference page from --help and docstrings
	$(BIN)/python tests/docs/reference.py > automl/docs/reference.md

check: setup     ## style, types and the direction of imports
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/python -m pytest tests/test_arrows.py

chaos: setup     ## 100 kill -9 over 150 slots with real workers
	$(BIN)/python -m pytest -m proof -s tests

bench: setup     ## every figure of reports/benchmarks.md, about 40 minutes on an idle machine
	for name in speed start coordinator window quality; do $(BIN)/python tests/benchmarks/bench_$$name.py || exit 1; done

bench-quality: setup ## tables: ours, scikit-learn and AutoGluon (AUTOGLUON_PYTHON=its python) in turn, about 25 minutes
	$(BIN)/python tests/benchmarks/bench_tables.py

.PHONY: help setup demo test docs check chaos bench bench-quality
