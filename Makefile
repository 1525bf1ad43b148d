# Two commands: `make quickstart` sets up everything and runs the whole path, `make test` passes the tests.
# PYTHON chooses the interpreter, 3.11 or 3.12: make PYTHON=python3.12 quickstart

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: quickstart test test-slow lint browser clean

quickstart: $(VENV)/installed
	$(BIN)/sertk quickstart

test: $(VENV)/installed-dev
	$(BIN)/python -m pytest -m "not slow" -n 2 --dist worksteal

test-slow: $(VENV)/installed-dev
	$(BIN)/python -m pytest -m slow -n 2 --dist worksteal

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# What the tests of the page want; from Debian or its kin, as root. They skip where it is missing.
browser:
	command -v chromedriver || { test "$$(id -u)" = 0 && timeout 120 apt-get update && \
	DEBIAN_FRONTEND=noninteractive timeout 600 apt-get install -y --no-install-recommends chromium chromium-driver; }

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12) and "sertk needs Python 3.11 or 3.12; this is %d.%d: make PYTHON=python3.12" % sys.version_info[:2])'
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(BIN)/python setup.cfg
	$(BIN)/python -m pip install --progress-bar on -e .
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(BIN)/python -m pip install -e '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) build *.egg-info
