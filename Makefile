# make setup   .venv with all that the page and the shell need
# make app     the page, at the address that it prints
# make test    the fast tests
# make test-slow   those that take seconds each, which continuous integration runs too
# make test-all    both, and those that take minutes: kills, loads, storms
# make lint    ruff, pyright, and whether what is installed fits together and is free for any use
# make licences   of all that is installed, and of the data that comes with it
# make docs    the documentation as a site, in site/
# make wheel-check   wheel and sdist built, installed in a clean environment and used from an empty folder
# make constraints   newer versions of what is installed, within the ranges of requirements*.txt
# make clean   removes .venv and caches
#
# Each step leaves a stamp in .venv that is named after a checksum of what it installed, so a second call has nothing to do.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := setup
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check --quiet
# What is installed, and what builds it: older releases of pip read the first name there, newer ones the second.
export PIP_CONSTRAINT := constraints.txt
export PIP_BUILD_CONSTRAINT := constraints.txt
# Test processes; `make test PARALLEL=` runs everything in one.
PARALLEL ?= -n 2 --dist loadgroup --no-loadscope-reorder
# The first Python that TensorFlow has wheels for; override with `make PYTHON=...`.
PYTHON ?= $(firstword $(foreach p,python3.11 python3 python3.12 python3.13,$(shell \
	$(p) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo $(p))))

key = $(shell (echo '$(CURDIR)'; cat $(1)) | cksum | tr -d ' ')
RUNTIME := $(VENV)/.runtime-$(call key,constraints.txt requirements.txt pyproject.toml)
EXTRAS := $(patsubst %,requirements-%.txt,dev cluster docs formats parity soundfonts training)
DEV := $(VENV)/.dev-$(call key,constraints.txt $(EXTRAS) requirements-magenta.txt)

.PHONY: setup app test test-slow test-all test-setup lint licences docs wheel-check constraints clean

setup: $(RUNTIME)

app: setup
	@exec $(PY) app.py $(ARGS)

test: test-setup
	@exec $(PY) -m pytest -m "not slow and not long" $(PARALLEL) $(ARGS)

test-slow: test-setup
	@exec $(PY) -m pytest -m "slow and not long" $(PARALLEL) $(ARGS)

test-all: test-setup
	@exec $(PY) -m pytest $(ARGS)

test-setup: $(RUNTIME) $(DEV)
	@.ci/packages

lint: $(RUNTIME) $(DEV)
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m pyright --pythonpath $(PY)
	@! { $(PIP) --verbose check 2>&1 || true; } | grep -v '^magenta \|^No broken'
	@told=$$($(PY) scripts/licences.py) || { grep 'look at it' <<< "$$told"; exit 1; }

licences: $(RUNTIME) $(DEV)
	@$(PY) scripts/licences.py

docs: $(RUNTIME) $(DEV)
	@DISABLE_MKDOCS_2_WARNING=true $(PY) -m mkdocs build --strict --quiet
	@echo site/index.html

wheel-check:
	@.ci/wheel $(PYTHON)

constraints: $(RUNTIME) $(DEV)
	@PIP_CONSTRAINT= $(PIP) install --upgrade --upgrade-strategy eager -r requirements.txt $(addprefix -r ,$(EXTRAS))
	@$(PY) scripts/constraints.py > constraints.new && mv constraints.new constraints.txt
	@echo constraints.txt: now make test-all

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache build dist site *.egg-info
	find synth_explorer tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(RUNTIME): constraints.txt requirements.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "error: no Python 3.11, 3.12 or 3.13 found; install one or say make PYTHON=/path/to/python" >&2; exit 1; }
	@echo "setup: $(VENV) with $$($(PYTHON) --version), the first time takes a few minutes"
	@$(PYTHON) -m venv $(VENV) || { $(PYTHON) -m venv --without-pip $(VENV) && $(PYTHON) -m pip --python $(PY) install --quiet pip; }
	@$(PIP) install -r requirements.txt
	@$(PIP) install --no-deps -e .
	@rm -f $(VENV)/.runtime-* && touch $@

$(DEV): constraints.txt $(EXTRAS) requirements-magenta.txt | $(RUNTIME)
	@echo "setup: what the tests need"
	@$(PIP) install --no-warn-conflicts $(addprefix -r ,$(EXTRAS))
	@$(PIP) install --no-warn-conflicts --no-deps -r requirements-magenta.txt
	@rm -f $(VENV)/.dev-* && touch $@
