# Needs only python3 (>= 3.11, with venv) and make. Everything else lives in .venv, rebuilt when its inputs change.
# make's own exit status is 2 whatever a command's was; the commands' statuses are in docs/contract.md section 2.
PYTHON ?= python3
PY     := .venv/bin/python
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Else each of the hundreds of processes that tests start would compile all of our sources anew.
export PYTHONDONTWRITEBYTECODE :=
# With its build tools in .venv (dev has them) an install needs no network; pip's isolated build fetches them anew.
HERE    = $(shell $(PY) -c 'import editables, hatchling' 2>/dev/null && echo --no-build-isolation)
INSTALL = $(PY) -m pip install -q $(HERE) -c constraints.txt -e
.DEFAULT_GOAL := help
.PHONY: help venv demo test check bench torture lock clean

help:            ## this list
	@sed -n 's/^\([a-z]*\):[^#]*## /\1\t/p' Makefile

venv: .venv/.stockyard-run   ## .venv with the pinned dependencies of the system

.venv/.stockyard-%: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "stockyard needs Python 3.11 or newer: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 3; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "$(PYTHON) has no venv module: apt-get install python3-venv (Debian, Ubuntu)"; exit 3; }
	@test -x $(PY) && $(PY) -c 'import pip' 2>/dev/null || { rm -rf .venv; $(PYTHON) -m venv .venv; }
	@echo "installing into .venv (about a minute the first time)"
	@$(INSTALL) '.[$(extras_$*)]'
	@touch $(stamps_$*)
extras_run := all
stamps_run := .venv/.stockyard-run
extras_dev := all,dev,e2e
stamps_dev := .venv/.stockyard-run .venv/.stockyard-dev

demo: venv       ## the whole system on loopback: make demo ARGS="--history 30 --for 60 --check"
	@.venv/bin/stockyard demo $(ARGS)

test: .venv/.stockyard-dev check   ## all tests: make test ARGS="tests/models -k epc"
	@$(PY) -m pytest -n 3 --dist worksteal $(or $(ARGS),--ignore=tests/test_tidy.py)

check: .venv/.stockyard-dev   ## format, lint, types, layers, tidy
	@.venv/bin/ruff format --check . && .venv/bin/ruff check .
	@.venv/bin/mypy & .venv/bin/pyright; types=$$?; wait $$! && exit $$types
	@.venv/bin/lint-imports && $(PY) -m pytest tests/test_tidy.py

bench: .venv/.stockyard-dev   ## measure, on a machine that does nothing else: make bench ONLY=edge,ingest,page
	@STOCKYARD_BENCH="$(ONLY)" $(PY) -m pytest tests/bench -s -p no:xdist $(ARGS)

torture: venv    ## faults of every kind, then nothing may be missing: make torture ARGS="--seed 100 --runs 5"
	@.venv/bin/stockyard-sim torture --runs 20 --seconds 60 $(ARGS)

lock:            ## write constraints.txt anew from pyproject.toml (newest versions)
	@rm -rf build/lock && $(PYTHON) -m venv build/lock
	build/lock/bin/pip install -q -e '.[all,dev,e2e]'
	@build/lock/bin/pip freeze --all --exclude-editable | LC_ALL=C grep -viE '^(pip|setuptools|wheel|stockyard)==' | LC_ALL=C sort -f > constraints.txt.new
	@! grep -nE '@|://|--hash|^-' constraints.txt.new
	@mv constraints.txt.new constraints.txt && rm -rf build/lock

clean:           ## remove .venv and build
	rm -rf .venv build
