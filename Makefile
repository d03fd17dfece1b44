# Every target does its own set-up: a fresh machine needs Python 3.11 (or later) and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PROJECTS := pyproject.toml $(wildcard shared/pyproject.toml services/*/pyproject.toml deploy/local/pyproject.toml)

export UV_PYTHON_DOWNLOADS := never
export UV_PROJECT_ENVIRONMENT := $(VENV)

WEB := services/gateway/web
comma := ,

.PHONY: help install web contract run test lint check audit fuzz siege e2e-compose faults bench bench-history bench-presence release clean

help: ## this list
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

install: $(READY) ## set up .venv from the lock file

$(READY): uv.lock $(PROJECTS)
	@./.ci/setup "$(PYTHON)" "$(VENV)"
	@touch $@

web: ## build the web client, if Node.js is there and it has changed
	@./.ci/web

contract: $(READY) ## the published documents as files, from which the web client has its types, and the table of settings
	@$(BIN)/python -m gateway.contract $(WEB)/contract
	@$(BIN)/python -m messenger_local.configuration shared/docs/configuration.md

run: $(READY) web ## the whole product on this machine, at one URL
	@exec $(BIN)/messenger up --port "$${MESSENGER_PORT:-8080}" --data-dir "$${MESSENGER_DATA_DIR:-.messenger}"

test: $(READY) web ## every test, against real PostgreSQL and Valkey
	@$(BIN)/pytest

lint: $(READY) web ## format, lint, import rule, types
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/lint-imports
	@$(BIN)/mypy
	@if [ -d $(WEB)/node_modules ]; then cd $(WEB) && npm run --silent lint && npm run --silent types; fi

check: lint test ## what has to pass before a commit

e2e-compose: $(READY) ## docker-compose.yml for real, scaled, restarted and killed; needs Docker or podman
	@$(BIN)/python -m tests.compose

audit: $(READY) ## holes that are known in what the lock files name
	@./.ci/audit

fuzz: $(READY) ## 100,000 frames and requests from dice at a running stack (FRAMES=…)
	@MESSENGER_FUZZ_FRAMES=$(or $(FRAMES),100000) $(BIN)/pytest tests/fuzz/test_frames.py

siege: $(READY) ## attacks by load, and what they cost the others: NAMES=sockets,half-open,deaf,bomb,pings
	@$(BIN)/python -m tests.security.siege $(subst $(comma), ,$(NAMES))

faults: $(READY) ## harm and judge for ten minutes: CAMPAIGN=mixed|kills|… SCALE=6 is an hour
	@$(BIN)/python -m tests.faults $(CAMPAIGN) $(if $(SCALE),--scale $(SCALE))

bench-history: $(READY) ## latencies at ten million messages, beside those at ten thousand (5 GiB of disk)
	@$(BIN)/python -m tests.bench.history

bench: $(READY) ## what a unit of each workload costs, beside two references, in ten minutes: WORKLOADS="w1 w2"
	@$(BIN)/python -m tests.bench $(WORKLOADS)

bench-presence: $(READY) ## presence under flapping, and chat meanwhile
	@$(BIN)/python -m tests.bench.presence

release: $(READY) ## one version for all parts: VERSION=1.2.3; then commit, and tag v1.2.3
	@$(BIN)/python deploy/release.py "$(VERSION)"
	@$(BIN)/uv lock --quiet
	@$(BIN)/uv sync --frozen --quiet
	@$(MAKE) --no-print-directory contract

clean: ## forget the set-up (not the data)
	rm -rf $(VENV)
