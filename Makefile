# Everything runs from .venv, which holds what requirements/*.txt lock, hash by hash.

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
DATA ?= $(or $(DREAM_DATA),./data)
DURATION ?= 60
# One more than two cores: many tests wait for others' processes and for time to pass.
WORKERS ?= 3
OPENAPI_VENV := .venv-openapi
OPENAPI_NODE := tests/openapi
# A test that hangs is ended after five minutes, with a traceback of every thread. (The longest takes a tenth of that.)
HANGING := -o faulthandler_timeout=300 -o faulthandler_exit_on_timeout=true

# Without its bytecode, every start would compile all modules again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install install-dev run test test-rest test-all check lint format types imports statements pages bench bench-compare bench-growth bench-crash bench-peers \
  peers mutations openapi-tools soak lock clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(firstword $(MAKEFILE_LIST)) | \
	  while IFS='|' read -r name what; do printf '%-20s %s\n' "$$name" "$$what"; done

install: $(VENV)/.package ## create .venv with what the server needs
install-dev: $(VENV)/.dev ## the same, and what tests and checks need

run: install ## install and serve; PORT=8787 DATA=./data
	@exec env $(if $(PORT),DREAM_PORT='$(PORT)') DREAM_DATA='$(DATA)' $(BIN)/dream-api serve

PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(HANGING)

test: install-dev ## all tests on SQLite, and those of what depends on the database on PostgreSQL too; ARGS=…
	@$(PYTEST) $(ARGS)

test-rest: install-dev ## what `make test` leaves out: all other tests on PostgreSQL, long repetitions and slow checks; ARGS=…
	@$(PYTEST) --tier rest $(ARGS)

test-all: install-dev ## all tests on both databases, in one run; ARGS=…
	@$(PYTEST) --tier all $(ARGS)

check: lint format types imports statements pages ## lint, format, types, layers, tenants in statements, and generated pages

lint: install-dev
	$(BIN)/ruff check .

format: install-dev
	$(BIN)/ruff format --check .

types: install-dev
	$(BIN)/pyright --project pyproject.toml

imports: install-dev
	$(BIN)/lint-imports

PAGES := tests/docs/test_generated_pages.py \
  tests/docs/test_error_pages.py::test_every_code_has_a_page_and_every_page_a_code

pages: install-dev
	$(BIN)/python -m pytest -q -n 0 $(PAGES)

statements: install-dev ## build every SQL statement and check that it names its tenant; without a database
	$(BIN)/python -m pytest -q -n 0 tests/isolation/test_every_statement.py

bench: install-dev ## measure the metered call and the dashboard's pages
	$(BIN)/python -m bench.run $(ARGS)
	$(BIN)/python -m bench.slow_gateway
	$(BIN)/python -m bench.pages

bench-compare: install-dev ## measure the metered call and another commit's, in the same rounds; BASE=main
	$(BIN)/python -m bench.compare $(or $(BASE),main) $(ARGS)

bench-growth: install-dev ## the same among 10 million customers; takes minutes and 6 GB of disk
	$(BIN)/python -m bench.growth $(ARGS)

bench-crash: install-dev ## kill the server and its database under load, and count what was lost
	$(BIN)/python -m bench.crash $(ARGS)

bench-peers: install-dev ## measure it against what people would use instead; ARGS="--rounds 3 --only worker"
	@$(MAKE) --no-print-directory --keep-going --silent peers || echo 'What is missing is left out.' >&2
	$(BIN)/python -m bench.peers.run $(ARGS)

mutations: install-dev ## apply twenty small mistakes to the code, each of which `make test` must notice; takes an hour
	$(BIN)/python -m tests.mutations --workers $(WORKERS) $(ARGS)

openapi-tools: $(OPENAPI_VENV)/.tools $(OPENAPI_NODE)/node_modules/.package-lock.json ## install the generators and the linter that tests of the OpenAPI document use; needs Node

soak: install-dev ## compare the metering engine with a plain model of it, for longer; DURATION=60 (seconds)
	$(BIN)/python -m bench.soak --duration $(DURATION) $(ARGS)

# Generators of clients and a linter, which the tests of the OpenAPI document run: they need other versions than we do.
$(OPENAPI_VENV)/.tools: requirements/openapi.txt $(VENV)/.python
	$(BIN)/python -m venv $(OPENAPI_VENV)
	$(OPENAPI_VENV)/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes -r requirements/openapi.txt
	touch $@

$(OPENAPI_NODE)/node_modules/.package-lock.json: $(OPENAPI_NODE)/package-lock.json
	cd $(OPENAPI_NODE) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	touch $@

LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' $(UPGRADE)

lock: install-dev ## lock the requirements again; UPGRADE=--upgrade for newer versions
	$(LOCK) pyproject.toml requirements/run.in -o requirements/run.txt
	$(LOCK) --extra dev pyproject.toml requirements/run.in requirements/dev.in -c requirements/run.txt \
	  -o requirements/dev.txt
	$(LOCK) requirements/peers.in -o requirements/peers.txt
	$(LOCK) requirements/openapi.in -o requirements/openapi.txt

clean: ## remove .venv and what the tools leave behind; never the data
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis .import_linter_cache dist
	rm -rf $(OPENAPI_VENV) $(OPENAPI_NODE)/node_modules $(PEERS_VENV) $(WORKER)/node_modules $(POCKETBASE)/pocketbase
	find src tests bench -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp for each step, so that a step runs again only when its own files changed.

$(VENV)/.python:
	@for python in python3.11 python3; do \
	  if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo 'dream-api needs Python 3.11 or newer: neither python3.11 nor python3 is one.' >&2; exit 1; \
	fi; \
	echo "Creating $(VENV) with $$found (about 10 seconds, once) …"; \
	"$$found" -m venv $(VENV) || { \
	  echo "$$found could not make $(VENV). On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@touch $@

$(VENV)/.run: requirements/run.txt $(VENV)/.python
	@echo "Installing the server's packages into $(VENV) (about a minute, once) …"
	@$(PIP) install --quiet --require-hashes -r requirements/run.txt
	@touch $@

# The build backend is in run.txt, so this downloads nothing.
$(VENV)/.package: pyproject.toml $(VENV)/.run
	@echo 'Installing dream-api itself (a few seconds) …'
	@$(PIP) install --quiet --no-build-isolation --no-deps -e .
	@echo 'Installed. The first start takes a few seconds more than later ones.'
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.package
	@echo 'Installing what tests and checks need into $(VENV) (about a minute, once) …'
	@$(PIP) install --quiet --require-hashes -r requirements/dev.txt
	@touch $@

# What bench-peers measures next to us: each in its own folder, none needed for the others.

PEERS_VENV := .venv-peers
WORKER := bench/peers/worker
POCKETBASE := bench/peers/pocketbase

peers: $(PEERS_VENV)/.peers $(WORKER)/node_modules/.package-lock.json $(POCKETBASE)/pocketbase

$(PEERS_VENV)/.peers: requirements/peers.txt $(VENV)/.python
	$(BIN)/python -m venv $(PEERS_VENV)
	$(PEERS_VENV)/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes -r requirements/peers.txt
	touch $@

$(WORKER)/node_modules/.package-lock.json: $(WORKER)/package-lock.json
	cd $(WORKER) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	touch $@

# /usr/local/go is where Go's own installation goes, without being on everybody's path.
$(POCKETBASE)/pocketbase: $(addprefix $(POCKETBASE)/,main.go go.mod go.sum)
	cd $(POCKETBASE) && PATH="$$PATH:/usr/local/go/bin" CGO_ENABLED=0 go build -trimpath -o pocketbase .
