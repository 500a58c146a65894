# strongroom: every task, from a fresh clone. `make help` lists them.

# The first that is new enough and can make virtual environments (Debian keeps that in python3-venv).
PYTHON ?= $(shell for p in python3.11 python3 python3.12 python3.13 python3.14; do \
	$$p -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo run vault test campaign campaign-backup campaign-rotation lint format bench docs dist lock clean

help: ## list these tasks
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/dev.stamp ## set up .venv with everything that tests need

demo: $(VENV)/run.stamp ## tokenize 10,000 made-up customers, reveal them and compare
	@$(BIN)/python examples/demo.py

run: $(VENV)/run.stamp ## start a development service and leave it running; Ctrl-C ends it
	@exec $(BIN)/python examples/run.py

vault: $(VENV)/dev.stamp ## start a real HashiCorp Vault for development; builds it the first time, a quarter of an hour
	@PYTHONPATH=. exec $(BIN)/python -m tests.vault_server

PYTEST_ARGS ?= -n 2 --dist worksteal
test: lint ## run every check and test; STRONGROOM_REQUIRE_ALL=1 makes a missing part a failure
	$(BIN)/python -m pytest $(PYTEST_ARGS)

campaign: $(VENV)/dev.stamp ## the scenarios in their long form, some hours: kills, stops, races, audit logs tampered with
	STRONGROOM_REQUIRE_ALL=1 STRONGROOM_CAMPAIGN=full $(BIN)/python -m pytest tests/scenarios tests/vault/audit/test_mutations.py

campaign-backup: $(VENV)/dev.stamp ## backups harmed byte by byte; senders, places and networks that fail; on both databases; hours
	STRONGROOM_REQUIRE_ALL=1 STRONGROOM_CAMPAIGN=full $(BIN)/python -m pytest tests/scenarios/test_backup_campaign.py \
		tests/vault/backup tests/vault/recovery tests/vault/store

campaign-rotation: $(VENV)/dev.stamp ## 200 kills while the keys of 1,000,000 rows turn, on both databases; hours
	STRONGROOM_REQUIRE_ALL=1 STRONGROOM_CAMPAIGN=full $(BIN)/python -m pytest tests/scenarios/test_turning.py

lint: $(VENV)/dev.stamp ## ruff, mypy and the one direction of imports
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/dev.stamp ## lay out the source as `make lint` wants it
	$(BIN)/ruff format

bench: $(VENV)/dev.stamp ## measure rates and ratios on this machine
	$(BIN)/python -m bench

docs: $(VENV)/dev.stamp ## write the references of API and command anew from the source
	$(BIN)/python docs/reference.py

dist: $(VENV)/dev.stamp ## build both distributions into dist/
	rm -rf dist build client/build
	$(BIN)/python -m build --no-isolation --outdir dist . > $(VENV)/dist.log 2>&1 || { cat $(VENV)/dist.log; exit 1; }
	$(BIN)/python -m build --no-isolation --outdir dist client > $(VENV)/dist.log 2>&1 || { cat $(VENV)/dist.log; exit 1; }
	@ls dist/*.whl

lock: $(VENV)/dev.stamp ## pin dependencies with hashes into requirements*.txt; UPGRADE=--upgrade for the newest
	$(LOCK) requirements.in --output-file requirements.txt
	$(LOCK) requirements-dev.in --constraint requirements.txt --output-file requirements-dev.txt
LOCK := $(BIN)/uv pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --no-header $(UPGRADE)

clean: ## remove what the other tasks made, but no data under var/
	rm -rf $(VENV) dist build client/build *.egg-info client/*.egg-info .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Set-up. A stamp is as old as the last set-up of its kind, so a changed requirement or Makefile runs it again.

$(VENV)/made.stamp:
	@test -n "$(PYTHON)" || { echo "strongroom needs Python 3.11 or newer with its venv module, and found none"; \
		echo "hint: apt-get install python3 python3-venv, or make PYTHON=/path/to/python3.11"; exit 1; }
	@echo "setting up $(VENV) with $(PYTHON), a minute the first time"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

# The build backend alone, at the pin that requirements-dev.txt holds: it links the checkout into the environment.
$(VENV)/backend.txt: requirements-dev.txt $(VENV)/made.stamp
	@awk '/^[^ #]/ {keep = /^setuptools==/} keep' $< > $@

$(VENV)/run.stamp: requirements.txt setup.cfg client/setup.cfg $(VENV)/backend.txt
	@$(PIP) install --require-hashes -r requirements.txt -r $(VENV)/backend.txt
	@$(PIP) install --no-deps --no-build-isolation --config-settings editable_mode=compat -e ./client -e .
	@touch $@

$(VENV)/dev.stamp: requirements-dev.txt $(VENV)/run.stamp
	@$(PIP) install --require-hashes -r requirements-dev.txt
	@touch $@
