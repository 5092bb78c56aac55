# The two commands a newcomer needs: make demo, make test.
PY ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test soak check setup bench golden screens lock clean chromium

demo: setup  ## a simulated hotline on an embedded server; prints the hall's address
	@exec $(BIN)/wallboard demo

test: setup chromium  ## every test, the browser's included
	@$(BIN)/python -m pytest -n 2 --dist worksteal

soak: setup  ## three thousand random faults; a failure says how to run it again alone
	@WALLBOARD_FAULT_REPLAYS=300 $(BIN)/python -m pytest -q -n 2 --dist worksteal tests/conformance/test_faults.py

check: setup  ## format, lint, types, import rules, fast tests; under a minute
	@$(BIN)/ruff format --check -q .
	@$(BIN)/ruff check -q .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-cache > /tmp/wallboard-imports.$$$$ 2>&1 || { cat /tmp/wallboard-imports.$$$$; exit 1; }
	@$(BIN)/python -m pytest -q -n 2 -m "not slow and not browser"

setup: $(STAMP)  ## .venv with every dependency, pinned by version and hash

$(STAMP): pyproject.toml constraints.txt
	@$(PY) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "wallboard needs Python 3.11 or newer; $(PY) is older. Name another: make setup PY=python3.13"; exit 2; }
	@$(PY) -m venv $(VENV) || { echo "Python's venv module is missing. On Debian or Ubuntu: sudo apt-get install python3-venv"; exit 2; }
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r constraints.txt
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

chromium:  ## installs Debian's Chromium and a CJK font where it may; otherwise the browser tests say that they skip
	@sh tests/install_chromium.sh

bench: setup  ## the measured figures, beside their limits; writes benchmarks/RESULTS.md
	@$(BIN)/python -m benchmarks

golden: setup  ## rewrites expected files; review their diff like code
	@WALLBOARD_GOLDEN=1 $(BIN)/python -m pytest -q -m "not browser"

screens: setup chromium  ## takes the README's pictures again
	@$(BIN)/python -m tests.browser.pictures

lock:  ## pins every dependency again (needs uv on the PATH)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra dev -q --upgrade pyproject.toml -o constraints.txt

clean:
	rm -rf $(VENV) var .mypy_cache .ruff_cache .pytest_cache .hypothesis
