# Two commands for a machine that has only Python 3.11 or newer:
#
#   make check    install, then check the standard models
#   make test     install, then run the tests
#
# Both create .venv where it is missing, and install again only when pyproject.toml has
# changed.  PYTHON=... chooses the interpreter that .venv is made from, VENV=... its folder.

PYTHON ?= python3
VENV ?= .venv
PIP = $(VENV)/bin/python -m pip --disable-pip-version-check --quiet
PYTEST_OPTIONS ?= -n 2

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help check test lint clean

help:
	@sed -n '1,/^$$/s/^# \{0,1\}//p' Makefile

check: $(VENV)/installed
	$(VENV)/bin/scrutator check

test: $(VENV)/installed-test
	$(VENV)/bin/pytest $(PYTEST_OPTIONS)

# Style, import bans and types.
lint: $(VENV)/installed-dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy

clean:
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis

# A stamp is written last, so an interrupted install starts again.
$(VENV)/created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	    || { echo "scrutator needs Python 3.11 or newer; set PYTHON=/path/to/python3" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/installed: pyproject.toml | $(VENV)/created
	$(PIP) install --editable .
	@touch $@

$(VENV)/installed-test: pyproject.toml | $(VENV)/created
	$(PIP) install --editable '.[test]'
	@touch $@ $(VENV)/installed

$(VENV)/installed-dev: pyproject.toml | $(VENV)/created
	$(PIP) install --editable '.[dev]'
	@touch $@ $(VENV)/installed $(VENV)/installed-test
