# Two commands: `make train` and `make test`. Both set up .venv first, which takes minutes the first time only.
# PYTHON: 3.10 to 3.13 (default: that of .venv, python3.11 for a new one).
# OPS: mmcv's operators, `torch` (on torchvision, no compiler) or `compiled` (default: those of .venv, torch for a new one).
INTERPRETER = $(or $(PYTHON),$(shell cat .venv/.setup/python 2>/dev/null),$(shell command -v python3.11),python3)
CONFIG ?= faster-rcnn_hrnetv2p-w18-small-v1_sample
WORK_DIR ?= work_dirs/$(CONFIG)
BIN := .venv/bin

.PHONY: help setup train test lint coverage clean

help:
	@echo "make train   install, generate the sample set, train and test Faster R-CNN + HRNetV2p, show the results"
	@echo "make test    install, lint, check types, run all tests"
	@echo "make setup   install only"
	@echo "make lint    style, types, direction of imports, spelling, language"
	@echo "make coverage [TESTS=tests/hosts]   default tests, and the share of lines that they run"

setup:
	@command -v "$(INTERPRETER)" >/dev/null || { echo "PYTHON must be a Python, got $(INTERPRETER): make PYTHON=/path/to/python3.11"; exit 1; }
	"$(INTERPRETER)" scripts/setup_env.py --dev $(if $(OPS),--ops "$(OPS)")

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
	$(BIN)/python scripts/check_language.py --summary

test: setup lint
	$(BIN)/pytest
	$(BIN)/pytest -m "integration or slow"

# Takes about 1.5 times as long as the tests alone. There is no threshold.
coverage:
	$(BIN)/coverage run -m pytest $(TESTS)
	$(BIN)/coverage report

clean:
	rm -rf build dist *.egg-info work_dirs .pytest_cache .mypy_cache .ruff_cache
