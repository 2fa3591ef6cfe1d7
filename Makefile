# Main targets: `make train` and `make test`. Both set up .venv first, which takes minutes at the first time.
# PYTHON: interpreter, 3.10 to 3.13 (default: that of .venv, python3.11 for a new one).
# OPS: operators of mmcv, `torch` (on torchvision, no compiler) or `compiled` (default: those of .venv, torch if new).
INTERPRETER = $(or $(PYTHON),$(shell cat .venv/.setup/python 2>/dev/null),$(shell command -v python3.11),python3)
CONFIG ?= faster-rcnn_hrnetv2p-w18-small-v1_sample
WORK_DIR ?= work_dirs/$(CONFIG)
BIN := .venv/bin
# -W: warnings are errors. -E: read all pages, whose warnings would be lost otherwise.
BUILD_DOCS = $(BIN)/sphinx-build -W --keep-going -q -E docs build/docs
# Tests run in two processes, each with half of the cores. Most tests are too small for more than one.
HALF_OF_THE_CORES = $(shell echo $$(( ($$(nproc) + 1) / 2 )))
SLOW_LOG = build/slow_tests.txt

.PHONY: help setup train test default-tests slow-tests pages lint docs coverage clean

help:
	@echo "make train   install, generate the sample set, train and test Faster R-CNN + HRNetV2p, report the results"
	@echo "make test    install, lint, check types, run all tests, build the documentation"
	@echo "make setup   install only"
	@echo "make lint    check style, types, import layers, spelling, language"
	@echo "make docs    install, run the notebooks, build the documentation: build/docs/index.html"
	@echo "make coverage [TESTS=tests/hosts]   run the default tests, report line coverage"

setup:
	@command -v "$(INTERPRETER)" >/dev/null || { echo "PYTHON must be a Python, got $(INTERPRETER): make PYTHON=/path/to/python3.11"; exit 1; }
	"$(INTERPRETER)" scripts/setup_env.py --dev $(strip $(DOCS_OPTION) $(if $(OPS),--ops "$(OPS)"))

train: setup
	$(BIN)/hrnet sample-set data/sample
	$(BIN)/mim train hrnet_plugin "$(CONFIG).py" --work-dir "$(WORK_DIR)"
	$(BIN)/mim test hrnet_plugin "$(CONFIG).py" --checkpoint "$$(cat "$(WORK_DIR)/last_checkpoint")" --work-dir "$(WORK_DIR)" --show-dir pictures
	$(BIN)/hrnet report "$(WORK_DIR)"

lint:
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell
	$(BIN)/python scripts/check_language.py --strict

test docs: DOCS_OPTION = --docs

test: setup lint
	OMP_NUM_THREADS=$(HALF_OF_THE_CORES) $(MAKE) --no-print-directory --jobs=2 slow-tests default-tests pages

default-tests:
	$(BIN)/pytest

# Printed at the end, since both processes print a character per test.
slow-tests:
	@mkdir -p $(dir $(SLOW_LOG))
	$(BIN)/pytest -m "integration or slow" > $(SLOW_LOG) 2>&1; status=$$?; cat $(SLOW_LOG); exit $$status

pages:
	$(BUILD_DOCS)

# Also runs the notebooks, unless build/ has their results for this state of the package.
docs: setup
	$(BUILD_DOCS)
	@echo "first page: build/docs/index.html"

# Takes about 1.5 times as long as the tests alone. No coverage threshold.
coverage:
	$(BIN)/coverage run -m pytest $(TESTS)
	$(BIN)/coverage report

clean:
	rm -rf build dist *.egg-info work_dirs .pytest_cache .mypy_cache .ruff_cache
