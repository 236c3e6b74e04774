# Everything a newcomer needs: `make run` and `make test` set up what they use, and start at once when it is there.
# Works with GNU make 3.81 (macOS) and any POSIX shell. Lines with `##` are the help.

.DEFAULT_GOAL := help
.NOTPARALLEL:

BIN := .venv/bin

# Options count only when given on the command line: bash keeps a variable SECONDS of its own, and an ARGS or PYTHON that
# somebody exported for another project must not change what happens here.
given = $(if $(filter command,$(firstword $(origin $1))),$($1))
unexport SECONDS

PYTHONS := $(or $(call given,PYTHON),python3.13 python3.12 python3.11 python3)
JOBS_   := $(or $(call given,JOBS),auto)
ARGS_   := $(call given,ARGS)

# In CI a skipped test is a failed one (tests/conftest.py); only optional data may be missing.
ifeq ($(CI),true)
export POINTSMAN_NO_SKIP := 1
endif

##@ Use it

run: .venv/ready-to-run ## Start the demo: a router, six worker processes, 200 messages (SECONDS=20 ends it, ARGS="...")
	@$(BIN)/pointsman demo $(if $(call given,SECONDS),--seconds $(call given,SECONDS)) $(ARGS_)

##@ Work on it

setup: .venv/ready-to-develop ## Make .venv with everything that development needs (other targets do it by themselves)

test: .venv/ready-to-develop ## Run every check: format, lint, types, imports, tests (ARGS goes to pytest, JOBS=4)
	@failed=; rm -f $(RESULTS); \
	step() { name=$$1; shift; printf '\n== %s: %s\n' "$$name" "$$*"; "$$@" || failed="$$failed $$name"; }; \
	step format $(CHECK_FORMAT); \
	step lint $(CHECK_LINT); \
	step types $(CHECK_TYPES); \
	step imports $(CHECK_IMPORTS); \
	step tests $(CHECK_TESTS) $(ARGS_); \
	printf '\n== result\n'; \
	$(BIN)/python .ci/not_run.py $(RESULTS); \
	if [ -n "$$failed" ]; then echo "FAILED:$$failed"; exit 1; fi; \
	echo 'All steps passed: format, lint, types, imports, tests.'

RESULTS       := .pytest_cache/results.xml
CHECK_FORMAT  := $(BIN)/ruff format --check .
CHECK_LINT    := $(BIN)/ruff check .
CHECK_TYPES   := $(BIN)/mypy
CHECK_IMPORTS := $(BIN)/lint-imports --no-cache --no-logo pyproject.toml .importlinter-runtime.toml
CHECK_TESTS   := $(BIN)/pytest -n $(JOBS_) --maxprocesses 4 --dist worksteal --junitxml $(RESULTS)

format: .venv/ready-to-develop ## Format the code and sort its imports
	@$(BIN)/ruff check --select I --fix .
	@$(BIN)/ruff format .

lint: .venv/ready-to-develop ## Check style and banned calls
	@$(CHECK_LINT)

types: .venv/ready-to-develop ## Check types
	@$(CHECK_TYPES)

imports: .venv/ready-to-develop ## Check who imports whom
	@$(CHECK_IMPORTS)

bench: .venv/ready-to-develop ## Print the figures of the benchmarks, with machine, date and versions
	@$(BIN)/python -m benchmarks $(ARGS_)

bench-gateway: .venv/ready-to-develop ## Measure beside nginx, haproxy, Envoy and LiteLLM (ARGS="--quick")
	@$(BIN)/python -m benchmarks gateway $(ARGS_)

docs: .venv/ready-to-develop ## Write the generated reference pages anew
	@$(BIN)/python docs/generate.py

deploy-files: .venv/ready-to-develop ## Write the generated alert rules, their tests and the dashboards anew
	@$(BIN)/python deploy/generate.py

default-model: .venv/ready-to-develop ## Train the model that comes along anew, from data/default
	@$(BIN)/pointsman train data/default/*.jsonl --no-pieces --name default-1 --output src/pointsman/core/classify/default_model.json

eval: .venv/ready-to-develop ## Judge the classifier: its bars, with machine, date and versions (DATA=folder of evaluation data)
	@$(BIN)/python -m benchmarks classification $(if $(call given,DATA),--data $(call given,DATA)) $(ARGS_)

lock: ## Choose dependency versions anew; needs uv (UPGRADE=1 takes newer ones, UV=path)
	@command -v $(UV) >/dev/null || { echo 'make lock needs uv, and nothing else does: pip install uv, or make lock UV=/path/to/uv' >&2; exit 1; }
	@$(COMPILE) --group build --output-file requirements/run.lock
	@$(COMPILE) --group dev --constraints requirements/run.lock --output-file requirements/dev.lock

# One lock for every platform and Python from 3.11: names, versions, markers and the hash of every file; no addresses.
UV      := $(or $(call given,UV),uv)
COMPILE  = $(UV) pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url --no-emit-find-links $(if $(call given,UPGRADE),--upgrade)

clean: ## Remove .venv, caches and build output (never ./var, where a router keeps its messages)
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist
	@find src tests benchmarks docs examples -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

help: ## Show this list
	@awk 'BEGIN { FS = ":.*## " } \
	/^##@ / { printf "\n%s\n", substr($$0, 5) } \
	/^[a-z][a-z-]*:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo

.PHONY: run setup test format lint types imports bench bench-gateway default-model eval docs deploy-files lock clean help new-venv

# ------------------------------------------------------------------------------------------------------------- set-up

# A virtual environment is bound to its folder and to its interpreter; when either has gone, it is made anew.
ifneq ($(shell [ -x $(BIN)/python ] && grep -qF " $$(pwd -P)/.venv" .venv/pyvenv.cfg && echo usable),usable)
NEW_VENV := new-venv
endif

new-venv:
	@for python in $(PYTHONS); do \
		if "$$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
			printf 'Making .venv with %s (%s) ...\n' "$$("$$python" -V)" "$$python"; \
			exec "$$python" -m venv --clear .venv; \
		fi; \
	done; \
	echo 'No usable Python found. Pointsman needs Python 3.11 or newer, with venv. Tried: $(PYTHONS).' >&2; \
	echo 'Install it (Debian, Ubuntu: apt-get install python3-venv), or name one: make PYTHON=/path/to/python3 ...' >&2; \
	exit 1

# The user's own pip settings (index, proxy, certificates) hold. Hashes make sure that what comes is what was tested.
PIP = PIP_USER=0 $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input
define install
@echo 'Installing the packages pinned in requirements/$1.lock, each checked against its hash ...'
@$(PIP) --require-hashes -r requirements/$1.lock
@$(PIP) --no-deps --no-build-isolation --editable .
endef

.venv/ready-to-run: requirements/run.lock pyproject.toml $(NEW_VENV)
	$(call install,run)
	@touch $@

.venv/ready-to-develop: requirements/dev.lock pyproject.toml $(NEW_VENV)
	$(call install,dev)
	@touch .venv/ready-to-run $@
