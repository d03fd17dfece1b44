# Every target sets itself up. A fresh machine needs only Python 3.11 (or later) and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PROJECTS := pyproject.toml $(wildcard shared/pyproject.toml shared/sdk/pyproject.toml services/*/pyproject.toml deploy/local/pyproject.toml)

# The environment contains the absolute path of the checkout, so a moved or copied checkout needs a new one.
MOVED := $(shell [ ! -e $(READY) ] || [ "$$(cat $(READY))" = "$$(pwd)" ] || echo moved)

export UV_PYTHON_DOWNLOADS := never
export UV_PROJECT_ENVIRONMENT := $(VENV)

WEB := services/gateway/web
comma := ,

.PHONY: help install web contract run test lint check audit fuzz siege e2e-compose faults hunts bench bench-containers bench-feed bench-history bench-peers bench-presence bench-search bench-storm bench-uploads release clean

help: ## show this list
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

install: $(READY) ## set up .venv from the lock file

.PHONY: moved
$(READY): uv.lock $(PROJECTS) $(MOVED)
	@./.ci/setup "$(PYTHON)" "$(VENV)"
	@pwd >$@

web: ## build the web client if Node.js is installed and its sources have changed
	@./.ci/web

contract: $(READY) ## write the published documents, the SDK's models and calls made from them, and the table of settings
	@$(BIN)/python -m gateway.edge.contract $(WEB)/contract
	@$(BIN)/python -m messenger_local.configuration shared/docs/configuration.md
	@$(BIN)/python shared/sdk/generate.py

run: $(READY) ## run the whole product on this machine, at one URL
	@./.ci/web || echo "continuing without the web client" >&2
	@exec $(BIN)/python -P -m messenger_local up --port "$${MESSENGER_PORT:-8080}" --data-dir "$${MESSENGER_DATA_DIR:-.messenger}"

test: $(READY) web ## run every test, against real PostgreSQL and Valkey
	@$(BIN)/python -P -m pytest -n 3 --dist loadfile -m "not alone"
	@$(BIN)/python -P -m pytest -m alone

lint: $(READY) web ## check format, lint, the import rule and types
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/python -P -c 'from importlinter.cli import lint_imports_command as run; run()'
	@$(BIN)/python -P -m mypy
	@$(BIN)/python -P -m mypy --python-version 3.10 -p messenger_sdk
	@if [ -d $(WEB)/node_modules ]; then cd $(WEB) && npm run --silent lint && npm run --silent types; fi

check: lint test ## run lint and test: both must pass before a commit

e2e-compose: $(READY) ## run docker-compose.yml, scaled, restarted and killed; needs Docker or podman
	@$(BIN)/python -m tests.compose

audit: $(READY) ## report known vulnerabilities in the locked dependencies
	@./.ci/audit

fuzz: $(READY) ## send 100,000 random frames and requests to a running stack (FRAMES=…)
	@MESSENGER_FUZZ_FRAMES=$(or $(FRAMES),100000) $(BIN)/python -P -m pytest tests/fuzz/test_frames.py

siege: $(READY) ## run load attacks and measure what they cost other users: NAMES=sockets,half-open,deaf,bomb,pings
	@$(BIN)/python -m tests.security.siege $(subst $(comma), ,$(NAMES))

faults: $(READY) ## inject faults for ten minutes and check the promises: CAMPAIGN=mixed|kills|… SCALE=6 is an hour
	@$(BIN)/python -m tests.faults $(CAMPAIGN) $(if $(SCALE),--scale $(SCALE))

hunts: $(READY) ## plant each known bug and check that a campaign finds it (20 minutes)
	@$(BIN)/python -m tests.faults.bugs.hunt

bench-containers: $(READY) ## measure w2 on 1 to 8 containers of gateway and chat-api, with a share of a core each, after e2e-compose
	@$(BIN)/python -m tests.compose.growth

bench-feed: $(READY) ## measure what the feed and webhooks cost those who chat, and how soon messages are pushed
	@$(BIN)/python -m tests.bench.feed

bench-history: $(READY) ## measure latencies at ten million messages and at ten thousand (5 GiB of disk)
	@$(BIN)/python -m tests.bench.history

bench: $(READY) ## measure the cost of each workload beside two references, in ten minutes: WORKLOADS="w1 w2"
	@$(BIN)/python -m tests.bench $(WORKLOADS)

bench-peers: $(READY) ## measure the same workloads on Centrifugo, NATS, Socket.IO and ours, in ten minutes: PEERS="nats socketio"
	@$(BIN)/python -m tests.bench.peers $(PEERS) $(if $(SIZES),--sizes $(SIZES))

bench-presence: $(READY) ## measure presence while users come and go, and chat meanwhile
	@$(BIN)/python -m tests.bench.presence

bench-search: $(READY) ## measure searches among 1 and 10 million messages, and the index (20 GiB of disk): SCALE=1 is 1 million alone
	@$(BIN)/python -m tests.bench.search $(if $(SCALE),--millions $(SCALE))

bench-storm: $(READY) ## measure a storm of 10,000 reactions to one message, and chat meanwhile
	@$(BIN)/python -m tests.bench.storm

bench-uploads: $(READY) ## measure 200 uploads of 10 MiB at once, and chat meanwhile
	@$(BIN)/python -m tests.bench.uploads

release: $(READY) ## write one version into all parts: VERSION=1.2.3; then commit, and tag v1.2.3
	@$(BIN)/python deploy/release.py "$(VERSION)"
	@$(BIN)/uv lock --quiet
	@$(BIN)/uv sync --frozen --quiet
	@$(MAKE) --no-print-directory contract

clean: ## remove the set-up, but not the data
	rm -rf $(VENV)
