# DataForge: `make run` starts the product on this machine, `make test` proves it. Everything else is for contributors.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# The first of these that the locked packages exist for; `make PYTHON=/path/to/python3` chooses another.
PYTHON ?= $(shell for candidate in python3 python3.13 python3.12 python3.11; do \
	"$$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' >/dev/null 2>&1 && { command -v "$$candidate"; break; }; \
	done)
VENV := .venv/bin
RUN := $(VENV)/python
ENVIRONMENTS := "$(PYTHON)" -m infra.local.environments
SOURCES := layers/shared layers/columnar functions infra migrations clients tests

.PHONY: help
help: ## Show what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

.PHONY: python
python:
	@test -n "$(PYTHON)" || { echo "error: No Python from 3.11 to 3.13 found ($$(python3 --version 2>&1)). Install one, or name it: make PYTHON=/path/to/python3 run" >&2; exit 1; }

.PHONY: setup
setup: python ## Install the tools into .venv and .local/tools
	@$(ENVIRONMENTS) dev emulator sam

.PHONY: setup-dev
setup-dev: python
	@$(ENVIRONMENTS) dev

.PHONY: setup-browser
setup-browser: setup
	@$(ENVIRONMENTS) node clients
	@$(RUN) -m infra.local.browser

.PHONY: run
run: setup ## Start everything on this machine and stay in the foreground (PORT=4566)
	@exec $(RUN) -m infra.local run $(if $(PORT),--port $(PORT))

.PHONY: stop
stop: setup-dev ## Stop a 'make run' of another terminal or in the background; the data stays
	@$(RUN) -m infra.local stop

.PHONY: reset
reset: setup-dev ## Delete the local stack and its data
	@$(RUN) -m infra.local reset

.PHONY: test
test: setup-browser ## Everything: lint, types, unit, integration, functions, e2e, browser, architecture
	@$(RUN) -m infra.local.checks

.PHONY: test-fast
test-fast: setup-dev ## The inner loop: lint, unit and architecture tests that are not slow; no stack
	@$(RUN) -m infra.local.checks --fast

.PHONY: test-scale
test-scale: setup ## A published table of 10 million rows on a Ray cluster (downloads 300 MB once; not part of `make test`)
	@$(ENVIRONMENTS) scale
	@$(RUN) -m pytest -q -s -p no:cacheprovider tests/scale/test_daft_on_ray.py

.PHONY: explore
explore: setup ## Property tests with many new examples; what they find becomes an example of its test
	@$(RUN) -m infra.local.checks --explore

.PHONY: lint
lint: setup-dev ## Style, import rules, and that the API breaks no client of the last release
	@$(VENV)/ruff check $(SOURCES)
	@$(VENV)/ruff format --check $(SOURCES)
	@PYTHONPATH=layers/shared:layers/columnar $(VENV)/lint-imports
	@$(RUN) -m infra.openapi.breaking

.PHONY: format
format: setup-dev ## Rewrite the sources in the house style
	@$(VENV)/ruff check --fix $(SOURCES)
	@$(VENV)/ruff format $(SOURCES)

.PHONY: types
types: setup-dev ## Strict types
	@$(VENV)/mypy layers/shared/dataforge layers/columnar/versioned_tables functions infra migrations clients/python/src/dataforge_client

.PHONY: coverage
coverage: setup ## Unit, architecture and integration tests, and the lines they do not reach
	@PYTEST_PLUGINS=infra.local.coverage PYTHONPATH=layers/shared:layers/columnar $(RUN) -m pytest -q -n auto --maxprocesses 4 -m 'not build' tests/unit tests/architecture tests/integration

.PHONY: bench
bench: setup ## The figures of the README, measured here (ONLY="imports etl")
	@$(RUN) -m infra.bench $(ONLY)

.PHONY: bench-gate
bench-gate: setup ## Short benches beside a commit, the parent by default; above 1.1 × CPU fails (BASE=commit ONLY="tables cold")
	@$(RUN) -m infra.bench.gate $(if $(BASE),--base $(BASE)) $(if $(ONLY),--only $(ONLY))

.PHONY: sizes
sizes: setup ## Package sizes as AWS counts them, for arm64 and this machine
	@$(RUN) -m infra.packaging.sizes

.PHONY: docs
docs: setup-dev ## Build docs/ into static pages (.local/site), with every link checked
	@NO_MKDOCS_2_WARNING=1 $(VENV)/mkdocs build --quiet --strict --config-file infra/site/mkdocs.yml
	@echo "open .local/site/index.html"

.PHONY: openapi
openapi: setup-dev ## Write infra/openapi from the code
	@PYTHONPATH=layers/shared:layers/columnar $(RUN) -m infra.openapi.generate

.PHONY: access
access: setup-dev ## Write docs/access.md from the table of who may do what
	@PYTHONPATH=layers/shared:layers/columnar $(RUN) -m infra.access

.PHONY: lock
lock: setup-dev ## Resolve pyproject.toml into hashed requirements
	@$(RUN) -m infra.packaging.lock

.PHONY: audit
audit: setup-dev ## Known vulnerabilities of the locked packages, and what could not be judged
	@$(RUN) -m infra.packaging.audit

.PHONY: deploy
deploy: setup ## Deploy to AWS: make deploy ENV=dev|staging|prod (infra/runbooks/deployment.md)
	@$(RUN) -m infra.packaging.deploy "$(ENV)"
