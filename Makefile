# Every target installs what it needs into .venv; nothing has to be activated.

BIN := .venv/bin
WORKERS ?= 2
# The first Python on the path that is new enough; `make PYTHON=/path/to/python` overrides.
PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name && break; \
	done)

# The tools of other makers that tests write evidence with, one environment a version.
TOOLS := $(patsubst tests/tools/requirements/%.txt,.tools/%/.installed,$(wildcard \
	tests/tools/requirements/*.txt)) $(patsubst tests/tools/requirements/%/package-lock.json,\
	.tools/%/.installed,$(wildcard tests/tools/requirements/*/package-lock.json))
PIN := $(BIN)/uv pip compile --no-config --universal --python-version 3.11 --generate-hashes --quiet
# A lock of npm without addresses: each package stays pinned by the hash of its archive.
UNNAMED := const fs = require("fs"), path = process.argv[1]; \
	const lock = JSON.parse(fs.readFileSync(path)); \
	for (const one of Object.values(lock.packages)) { delete one.resolved; delete one.funding; \
		delete one.deprecated; } \
	fs.writeFileSync(path, JSON.stringify(lock, null, 1) + "\n");

.DEFAULT_GOAL := help
.PHONY: help demo test test-slow test-tools lint fuzz fuzz-coverage docs fixtures bench lock lock-tools clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv/.installed ## load, diagnose and report the bundled incident; prints the report's path
	@$(BIN)/casework demo --no-browser --out demo

test: .venv/.installed .venv/.browser ## run the default tests, with the notebooks
	$(BIN)/pytest --numprocesses $(WORKERS) --dist loadfile

test-slow: .venv/.installed .venv/.browser ## run the tests that take long, and properties on new draws
	$(BIN)/pytest -m slow
	$(BIN)/pytest -m "hypothesis and not tools" --hypothesis-profile drawn

test-tools: .venv/.installed $(TOOLS) ## run the tests that load what other tools write
	$(BIN)/pytest -m tools tests/tools

lint: .venv/.installed ## check style, types, import directions and the apps
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/marimo check --strict --ignore-scripts workbench/*.py

fuzz: .venv/.installed ## damage exports of every format and read them; SECONDS=600 for each
	$(BIN)/python -m tests.fuzz $(or $(SECONDS),600) $(IMPORTERS)

fuzz-coverage: .venv/.installed $(filter .tools/atheris-%,$(TOOLS)) ## the same, guided by coverage
	$(BIN)/python -m tests.fuzz.coverage $(or $(SECONDS),600) $(IMPORTERS)

docs: .venv/.installed ## write the catalogue in docs/ from the declarations in the code
	$(BIN)/python -m casework.catalogue

fixtures: .venv/.installed ## make the planted incidents and the demo's evidence again
	$(BIN)/python -m fixtures.make

bench: .venv/.installed ## measure time and memory
	$(BIN)/python -m benchmarks

lock: .venv/.installed ## write constraints.txt; UPGRADE=--upgrade takes newer versions
	$(PIN) pyproject.toml --extra test --extra lint --extra build \
		--custom-compile-command 'make lock' $(UPGRADE) --output-file constraints.txt

lock-tools: .venv/.installed ## pin what the tools of the tests need; UPGRADE=--upgrade as well
	@set -e; for input in tests/tools/requirements/*.in; do \
		left_out="$${input%.in}.left-out"; [ ! -f "$$left_out" ] || set -- --overrides "$$left_out"; \
		$(PIN) "$$input" --custom-compile-command 'make lock-tools' $(UPGRADE) "$$@" \
			--output-file "$${input%.in}.txt"; set --; done
	@set -e; for input in tests/tools/requirements/*/package.json; do \
		npm install --prefix "$${input%/*}" --package-lock-only --ignore-scripts --silent; \
		node --eval '$(UNNAMED)' "$${input%.json}-lock.json"; done

clean: ## remove what the other targets write, but no environment
	rm -rf demo dist build .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . \( -path ./.venv -o -path ./.tools \) -prune -o -name __pycache__ -type d -exec rm -rf {} +

# Pip cannot check the hash of a folder, so the package itself is installed in a second step.
.venv/.installed: constraints.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "no Python 3.11 or newer is on the path; install one" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --require-hashes --requirement constraints.txt
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# Without a browser the tests that need one are skipped, and the next `make test` looks again.
.venv/.browser: .venv/.installed
	@if { command -v chromium || command -v chromium-browser || command -v google-chrome; } \
			>/dev/null \
		|| { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
			&& apt-get update -qq && apt-get install -qq --yes chromium >/dev/null; } \
		|| $(BIN)/playwright install chromium >/dev/null 2>&1; \
	then touch $@; \
	else echo "no browser could be installed: the browser tests will be skipped" >&2; fi

# A tool that cannot be installed here is told of, and its tests are skipped. The pins are all that
# it needs, but for what `.left-out` names, so that pip has nothing to resolve.
.tools/%/.installed: tests/tools/requirements/%.txt
	@rm -rf .tools/$*
	@$(PYTHON) -m venv .tools/$* \
		&& .tools/$*/bin/pip install --quiet --no-compile --no-deps --require-hashes --requirement $< && touch $@ \
		|| echo "$* could not be installed: its tests will be skipped" >&2

# Only the library for SQLite is compiled: other scripts of packages would fetch from elsewhere.
.tools/%/.installed: tests/tools/requirements/%/package-lock.json
	@rm -rf .tools/$*
	@mkdir -p .tools/$* && cp $(<D)/package.json $< .tools/$* && cd .tools/$* \
		&& npm ci --omit=dev --omit=optional --omit=peer --ignore-scripts --silent \
		&& npm rebuild better-sqlite3 --silent && touch .installed \
		|| echo "$* could not be installed: its tests will be skipped" >&2
