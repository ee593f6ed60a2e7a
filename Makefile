# make setup | demo | serve | test | test-web | bench | export-setup: each does
# all its own set-up.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export JAX_COMPILATION_CACHE_DIR ?= $(HOME)/.cache/artjax/xla

.PHONY: setup demo serve test test-web bench export-setup clean

setup: $(VENV)/.ready

# Made anew only when a list of requirements changes.
$(VENV)/.ready: requirements.txt requirements-test.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
	  "artjax needs Python 3.11 or newer: make PYTHON=python3.12 setup")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -r requirements.txt -r requirements-test.txt
	@touch $@

demo: setup
	@$(BIN)/python -m artjax.main --config=configs/unet.py:demo --workdir=runs/demo
	@$(BIN)/python -m artjax.main --config=configs/unet.py:demo --workdir=runs/demo \
	  --mode=evaluate
	@cp runs/demo/evaluation/before_after.png before_after.png

serve: setup
	@$(BIN)/python scripts/serve.py --port=$(or $(PORT),8080)

test: setup
	@$(BIN)/python -m pytest -q -n 2

# The page in a real browser, with what that takes (Debian's chromium).
test-web: setup
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || \
	  (apt-get update -qq && apt-get install -y -qq chromium)
	$(BIN)/python -m pip install --quiet 'playwright>=1.48,<2'
	@$(BIN)/python -m pytest -q tests/test_web_browser.py

bench: setup
	@$(BIN)/python scripts/benchmark.py pipeline
	@$(BIN)/python scripts/benchmark.py step

# ONNX, and what holds exported weights to other programs (torch is large).
export-setup: $(VENV)-export/.ready

$(VENV)-export/.ready: requirements.txt requirements-test.txt requirements-export.txt
	$(PYTHON) -m venv $(VENV)-export
	$(VENV)-export/bin/python -m pip install --quiet -r requirements.txt \
	  -r requirements-test.txt -r requirements-export.txt
	@touch $@

clean:
	rm -rf $(VENV) $(VENV)-export runs
