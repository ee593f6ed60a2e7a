# make setup | demo | serve | test | test-web | property | endurance | lint |
# coverage | api | bench | lock | export-setup | beam-setup: each does all its
# own set-up.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
REQUIREMENTS := requirements.txt $(wildcard requirements/*.txt)
LOCK := requirements/lock.txt
export JAX_COMPILATION_CACHE_DIR ?= $(HOME)/.cache/artjax/xla

.PHONY: setup demo serve test test-web property endurance lint coverage api \
  bench lock export-setup beam-setup clean

setup: $(VENV)/.ready

# Made anew only when a list of requirements changes. The package itself is
# installed as a link to this folder.
$(VENV)/.ready: $(LOCK) pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
	  "artjax needs Python 3.11 or newer: make PYTHON=python3.12 setup")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -r $(LOCK)
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	@touch $@

demo: setup
	@$(BIN)/python scripts/demo.py

serve: setup
	@$(BIN)/artjax serve --port=$(or $(PORT),8080)

# A file's tests in one process: it compiles each of their networks once.
IN_TWO := -n 2 --dist=loadfile --no-loadscope-reorder

test: setup
	@$(BIN)/python -m pytest -q $(IN_TWO)

# The page in a real browser, with what that takes (Debian's chromium).
test-web: setup
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || \
	  (apt-get update -qq && apt-get install -y -qq chromium)
	$(BIN)/python -m pip install --quiet 'playwright>=1.48,<2' \
	  'axe-playwright-python>=0.1.4,<0.2'
	@$(BIN)/python -m pytest -q tests/web/browser

# Picture files that are drawn, and such that are damaged, by the thousand.
property: setup
	@ARTJAX_DRAWS=$(or $(DRAWS),20000) $(BIN)/python -m pytest -q --timeout=0 \
	  tests/image_io/test_properties.py
	@$(BIN)/python tests/fuzz_image_file.py --count=$(or $(FILES),10000)

CORES ?= 0,1

# Long trainings: killed at random, their memory, two hosts beside one.
endurance: setup
	@$(BIN)/python tests/kill_training.py --kills=$(or $(KILLS),50)
	@$(BIN)/python tests/kill_training.py --kills=$(or $(HOST_KILLS),20) --hosts=2
	@$(BIN)/python tests/memory_training.py --steps=$(or $(STEPS),20000)
	@$(BIN)/python tests/speed_hosts.py --cores="$(CORES)"
	@$(BIN)/python tests/kill_collecting.py

# Style, layers of packages, types.
lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/mypy

# Line coverage of artjax/, subprocesses included.
coverage: setup
	@rm -f .coverage .coverage.*
	@$(BIN)/coverage run -m pytest -q $(IN_TWO)
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report

# Pages of every public function and class: api/index.html.
api: setup
	@$(BIN)/pdoc artjax '!artjax.configs' --docformat google --output-directory api

bench: setup
	@$(BIN)/artjax benchmark pipeline
	@$(BIN)/artjax benchmark step

# Exact versions of what the ranges allow today, for Python 3.11 to 3.14, Linux
# and macOS, x86 and Arm.
lock: setup
	@$(BIN)/uv pip compile --quiet --universal --upgrade --no-emit-index-url \
	  --python-version 3.11 --no-annotate --custom-compile-command 'make lock' \
	  requirements.txt requirements/test.txt requirements/dev.txt \
	  --output-file $(LOCK)

# ONNX, and what holds exported weights to other programs (torch is large).
export-setup: $(VENV)-export/.ready

$(VENV)-export/.ready: $(REQUIREMENTS)
	$(PYTHON) -m venv $(VENV)-export
	$(VENV)-export/bin/python -m pip install --quiet -r requirements.txt \
	  -r requirements/test.txt -r requirements/export.txt \
	  -r requirements/export-test.txt
	$(VENV)-export/bin/python -m pip install --quiet --no-deps --editable .
	@touch $@

# Apache Beam, and the tests of datasets that it makes.
beam-setup: $(VENV)-beam/.ready

$(VENV)-beam/.ready: $(REQUIREMENTS)
	$(PYTHON) -m venv $(VENV)-beam
	$(VENV)-beam/bin/python -m pip install --quiet -r requirements.txt \
	  -r requirements/test.txt -r requirements/beam.txt
	$(VENV)-beam/bin/python -m pip install --quiet --no-deps --editable .
	@touch $@

clean:
	rm -rf $(VENV) $(VENV)-export $(VENV)-beam runs api build dist
