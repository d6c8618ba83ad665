# The commands of the project. `make demo` and `make test` need Python 3.11 or newer with venv, and make.
# A set-up leaves a stamp in its environment; it runs again only when pyproject.toml or constraints.txt change.

.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
SHELL := /bin/sh

# The first of these that runs and is new enough.
PYTHON ?= $(shell for python in python3.11 python3; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$python" && break; done)

VENV ?= .venv
DEMO_VENV ?= .venv-demo
BIN := $(VENV)/bin
PINS := pyproject.toml constraints.txt
CORE := errors.py model/* segments/* policy/* experiments/* identity/* journeys/* ports.py
comma := ,
space := $(subst ,, )
# -q hides the noise of a set-up that works, not its errors.
INSTALL := -m pip install -q --disable-pip-version-check -c constraints.txt

.PHONY: help
help: ## list the commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 10

# --- set-up -----------------------------------------------------------------------------------------------

define new_venv
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; say make PYTHON=/path/to/python" >&2; exit 1; }
	$(PYTHON) -m venv $(1)
	$(1)/bin/python $(INSTALL) --upgrade pip # Debian's pip knows no --group
endef

$(BIN)/python:
	$(call new_venv,$(VENV))

$(DEMO_VENV)/bin/python:
	$(call new_venv,$(DEMO_VENV))

# One stamp for each dependency group: tests need no linters, and only benchmarks need peers.
$(VENV)/.has-%: $(PINS) | $(BIN)/python
	$(BIN)/python $(INSTALL) --build-constraint constraints.txt --editable '.[all]' --group $*
	@touch $@

$(DEMO_VENV)/.has-demo: $(PINS) | $(DEMO_VENV)/bin/python
	$(DEMO_VENV)/bin/python $(INSTALL) --build-constraint constraints.txt --editable '.[demo]'
	@touch $@

.PHONY: setup
setup: $(VENV)/.has-test $(VENV)/.has-lint $(VENV)/.has-docs ## install the development tools

# --- the two commands -------------------------------------------------------------------------------------

.PHONY: demo
demo: $(DEMO_VENV)/.has-demo ## run the main job on real purchases
	@$(DEMO_VENV)/bin/crmsdk demo $(args)

.PHONY: test
test: $(VENV)/.has-test ## run the whole suite (args='-k name' narrows it)
	@$(BIN)/python -m pytest -q -n 2 --dist worksteal $(args)

# --- the gate ---------------------------------------------------------------------------------------------

.PHONY: check
check: setup ## lint, floors, types, docs, changelog
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy
	$(BIN)/towncrier build --draft --version next >/dev/null
	$(MAKE) --no-print-directory docs

.PHONY: fmt
fmt: $(VENV)/.has-lint ## format, and mend what ruff can mend
	$(BIN)/ruff check --fix-only --quiet
	$(BIN)/ruff format

.PHONY: docs
docs: $(VENV)/.has-docs ## build the documentation into site/; a warning is an error
	$(BIN)/zensical build --strict --clean

.PHONY: reference
reference: $(VENV)/.has-test ## write the reference pages of new modules
	@$(BIN)/python -m scripts.reference

.PHONY: face
face: $(VENV)/.has-test ## write the sync twins of the async Crm
	@$(BIN)/python -m scripts.blocking_face

.PHONY: api
api: $(VENV)/.has-lint ## compare the public names with the last tag
	@tag=$$(git describe --tags --abbrev=0 2>/dev/null); \
	if [ -z "$$tag" ]; then echo "no tag yet, so nothing to compare with"; \
	else $(BIN)/griffe check crmsdk --search src --against "$$tag"; fi

# --- longer runs ------------------------------------------------------------------------------------------

.PHONY: proofs
proofs: $(VENV)/.has-test $(VENV)/.has-engines ## the long property, chaos and differential runs, at full size
	@HYPOTHESIS_PROFILE=proofs $(BIN)/python -m pytest -q -n 2 --dist worksteal -m 'proof or hypothesis' $(args)

.PHONY: suite
suite: $(VENV)/.has-test ## one port's suite over all its implementations (of=stores)
	@$(BIN)/python -m pytest -q tests/conformance/test_$(or $(of),$(error say which: make suite of=stores)).py $(args)

.PHONY: cover
cover: $(VENV)/.has-test ## line and branch coverage of the core, held to 95 %
	@$(BIN)/python -m pytest -q -n 2 --dist worksteal --cov --cov-report= $(args)
	@$(BIN)/coverage report --fail-under=95 --include='$(subst $(space),$(comma),$(CORE:%=src/crmsdk/%))'

.PHONY: bench
bench: $(VENV)/.has-test $(VENV)/.has-bench ## compare with peers, side by side (of=policy for one topic)
	@$(BIN)/python -m bench $(if $(of),of=$(of))

.PHONY: mutants
mutants: $(VENV)/.has-test $(VENV)/.has-mutation ## break the policy and the machine on purpose; tests must notice
	HYPOTHESIS_PROFILE=ci $(BIN)/mutmut run $(args)
	$(BIN)/mutmut results

# --- pins -------------------------------------------------------------------------------------------------

.PHONY: lock
lock: ## resolve everything anew and write constraints.txt
	rm -rf .venv-lock
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install -q --disable-pip-version-check --upgrade pip
	.venv-lock/bin/python -m pip install -q --disable-pip-version-check '.[all]' \
		--group dev --group bench --group mutation --group data --group engines --group build
	.venv-lock/bin/python scripts/pins.py >constraints.txt.new
	mv constraints.txt.new constraints.txt
	rm -rf .venv-lock
