# One command each, on a machine with nothing but Python and make. `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# What is started here ends with make, whatever ends make: `exec` makes the program make's own child.
TETHERED = METERPOST_END_WITH_PARENT=$$PPID exec

.PHONY: help demo test up histories chaos chaos-long events events-long powercuts days periods crashpoints restores lanes signups fuzz-door bench bench-submit bench-door check format lock clean
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

$(STAMP): requirements.lock pyproject.toml client/pyproject.toml sandbox/pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed; set PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --require-hashes -r requirements.lock
	$(PIP) install --no-deps --no-build-isolation -e ./client -e ./sandbox -e .
	@touch $@

demo: $(STAMP) ## the main job, end to end, in under two minutes
	@$(TETHERED) $(BIN)/meterpost demo $(ARGS)

test: $(STAMP) ## all tests
	@$(TETHERED) $(BIN)/python -m pytest $(ARGS)

up: $(STAMP) ## everything running, until Ctrl-C
	@$(TETHERED) $(BIN)/meterpost up $(ARGS)

histories: $(STAMP) ## play 200,000 histories of a meter event by the workers' own rules
	@$(TETHERED) $(BIN)/python -m model $(ARGS)

chaos: $(STAMP) ## 100,000 rows through faults of every kind: nothing lost, nothing doubled
	@$(TETHERED) $(BIN)/python -m chaos $(ARGS)

chaos-long: $(STAMP) ## the same with 1,000,000 rows and 1,000 kills; half an hour
	@$(TETHERED) $(BIN)/python -m chaos --long $(ARGS)

events: $(STAMP) ## 5,000 of Stripe's events, tripled, shuffled, a tenth lost: every mirror is as Stripe has it
	@$(TETHERED) $(BIN)/python -m chaos.events $(ARGS)

events-long: $(STAMP) ## the same with 100,000 events and 500 kills; an hour
	@$(TETHERED) $(BIN)/python -m chaos.events --long $(ARGS)

powercuts: $(STAMP) ## 100 power cuts on the queue and the ledger: nothing acknowledged is lost
	@$(TETHERED) $(BIN)/python -m chaos.power $(ARGS)

days: $(STAMP) ## days of outages on a virtual clock: each unit is billed once, or stands before a person
	@$(TETHERED) $(BIN)/python -m chaos.days $(ARGS)

periods: $(STAMP) ## three billing periods to the last second: each unit is on its invoice, or in an alarm
	@$(TETHERED) $(BIN)/python -m chaos.periods $(ARGS)

crashpoints: $(STAMP) ## die at every crash point, in every way, and let the rest go on
	@$(TETHERED) $(BIN)/python -m chaos.crashes $(ARGS)

restores: $(STAMP) ## put the ledger back to an earlier time, 20 times: noticed each time, nothing billed twice
	@$(TETHERED) $(BIN)/python -m chaos.restores $(ARGS)

lanes: $(STAMP) ## eight submit processes share one limit: no two calls on a lane, nobody starved
	@$(TETHERED) $(BIN)/python -m chaos.lanes $(ARGS)

signups: $(STAMP) ## 10,000 subscription rows through refusals, lost replies and kills: each is made once; half an hour
	@$(TETHERED) $(BIN)/python -m chaos.signups $(ARGS)

fuzz-door: $(STAMP) ## a million requests of strangers: no 5xx, no event that nobody signed, no growing memory
	@$(TETHERED) $(BIN)/python -m chaos.door $(ARGS)

bench: $(STAMP) ## measure the sandbox: 200 clients for a minute, every answer checked
	@$(TETHERED) $(BIN)/python -m bench.sandbox $(ARGS)

bench-submit: $(STAMP) ## measure one submit process with 64 lanes, beside the bare calls
	@$(TETHERED) $(BIN)/python -m bench.submit $(ARGS)

bench-door: $(STAMP) ## measure the webhook door, beside a plain Flask endpoint
	@$(TETHERED) $(BIN)/python -m bench.door $(ARGS)

check: $(STAMP) ## lint and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(STAMP) ## rewrite the code as `make check` wants it
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

lock: $(STAMP) ## pin requirements.in into requirements.lock, with hashes and without addresses
	@$(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-header \
	  --no-emit-index-url --no-emit-find-links --output-file requirements.lock requirements.in
	@$(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-header \
	  --no-emit-index-url --no-emit-find-links --output-file deploy/requirements.lock deploy/requirements.in

clean: ## remove what the other targets made
	rm -rf $(VENV) .meterpost build *.egg-info client/*.egg-info sandbox/*.egg-info .mypy_cache .ruff_cache .pytest_cache .pytest_tmp .hypothesis
