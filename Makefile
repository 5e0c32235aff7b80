# The whole developer interface: make demo | test | lint | bench | e2e
.DEFAULT_GOAL := help
.PHONY: help demo test lint bench e2e lock clean browser

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCK := requirements/all.txt
EXTRAS := gateway devnet photos
INSTALLED := $(VENV)/.installed
DIFFUSION_LOCK := requirements/diffusion.txt
DIFFUSION := $(VENV)/.diffusion
TOOLS := node_modules/.installed
PAGE := src/tollbrush/playground/.built
# Tests start hundreds of processes that load the same modules: their bytecode is kept, away from the sources.
export PYTHONPYCACHEPREFIX := $(CURDIR)/build/bytecode
unexport PYTHONDONTWRITEBYTECODE
PAGE_SOURCES := $(shell find playground -type f -not -path '*/node_modules/*' 2>/dev/null)

help:
	@echo "make demo   run the three commands on real photographs, paid on local Base and Solana; pictures in demo-out/"
	@echo "make test   every test"
	@echo "make e2e    only the tests with real processes, in their long form"
	@echo "make lint   ruff, mypy, import-linter"
	@echo "make bench  the benchmarks"
	@echo "make lock   pin the requirements anew (needs uv)"

$(INSTALLED): $(LOCK) pyproject.toml scripts/install.sh
	@PYTHON="$(PYTHON)" sh scripts/install.sh $(VENV) $(LOCK)
	@touch $@

# torch's CPU build, where pip finds one; without it those tests are skipped.
$(DIFFUSION): $(INSTALLED) $(DIFFUSION_LOCK) scripts/diffusion.sh
	@sh scripts/diffusion.sh $(VENV) $(DIFFUSION_LOCK)

# anvil (a fast local Base) and solc; without npm the Python chain serves and the recompile test is skipped.
$(TOOLS): package-lock.json
	@sh scripts/tools.sh
	@mkdir -p node_modules && touch $@

$(PAGE): $(PAGE_SOURCES)
	@sh scripts/page.sh
	@mkdir -p $(@D) && touch $@

browser:
	@sh scripts/browser.sh

demo: $(INSTALLED) $(TOOLS) $(PAGE)
	@$(BIN)/tollbrush demo

test: $(INSTALLED) $(DIFFUSION) $(TOOLS) $(PAGE) browser
	$(BIN)/python -m pytest -n auto --dist loadfile

e2e: $(INSTALLED) $(DIFFUSION) $(TOOLS) $(PAGE) browser
	TOLLBRUSH_E2E=long $(BIN)/python -m pytest -m e2e -n auto --dist loadfile

lint: $(INSTALLED) $(DIFFUSION)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(INSTALLED) $(DIFFUSION) $(TOOLS)
	$(BIN)/python -m bench

lock:
	uv pip compile pyproject.toml $(addprefix --extra ,$(EXTRAS)) --group dev --universal --generate-hashes \
		--no-emit-index-url --no-emit-find-links --python-version 3.11 --prerelease if-necessary-or-explicit --quiet \
		--custom-compile-command "make lock" --output-file $(LOCK)
	$(BIN)/python scripts/lock_diffusion.py

clean:
	rm -rf $(VENV) node_modules playground/node_modules src/tollbrush/playground demo-out
