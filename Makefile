# Recomesh. `make help` says what there is.
VENV ?= .venv
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := $(VENV)/bin
# EMBED=no leaves out torch (6 GB with the CUDA build): texts are then embedded by TF-IDF + SVD.
EMBED ?= yes
RUN_LOCK := requirements/$(if $(filter no,$(EMBED)),serve,run).lock
# A file stays in one worker, so that its mesh or server starts once; files in their order, the slow ones first.
PYTEST ?= $(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder
export TESTS_REQUIRE_SERVERS ?= $(if $(CI),1,)

.DEFAULT_GOAL := help
.PHONY: help run test lint format types imports proto proto-lint lock unit contract integration e2e browser bazel bench peers clean dev docs

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  \033[36m%-14s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/.run  ## Install what serving needs, then start the whole mesh with a demo shop
	@exec $(BIN)/recomesh up $(ARGS)

test: dev system lint types imports proto-lint tests  ## Everything CI checks but Bazel: lint, types, import rules, protos, all tests

dev: $(VENV)/.dev  ## Create the development environment

lint: $(VENV)/.dev  ## Ruff: style and format; bandit: weaknesses in the source
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m tests.pentest --only source

format: $(VENV)/.dev  ## Let ruff rewrite the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(VENV)/.dev  ## mypy --strict
	$(BIN)/mypy

imports: $(VENV)/.dev  ## Import rules between the rooms
	$(BIN)/lint-imports --no-cache

proto: $(VENV)/.dev  ## Regenerate gen/ from proto/
	$(BIN)/python tools/generate_stubs.py

proto-lint: $(VENV)/.dev  ## buf lint and buf breaking
	$(BIN)/python tools/check_protos.py

docs: $(VENV)/.dev  ## Regenerate the configuration reference
	$(BIN)/recomesh config --markdown > docs/configuration.md

.PHONY: tests system
tests: $(VENV)/.dev
	$(PYTEST) tests

system:  ## Install the Debian packages that the tests use (as root; else say which are missing)
	@sh tools/system_packages.sh
	@[ ! -x $(BIN)/python ] || $(BIN)/python -m tests.support.ferretdb_program

unit contract integration e2e browser: $(VENV)/.dev  ## One kind of tests
	$(PYTEST) tests/$@

.PHONY: ledger
ledger: $(VENV)/.dev  ## 100,000 events while everything is killed and frozen: none lost, none twice (ARGS="--seed 7")
	PYTHONPATH=gen $(BIN)/python -m tests.ledger $(ARGS)

bazel: $(VENV)/.dev  ## Build the stubs and run the unit tests with Bazel
	VENV=$(abspath $(VENV)) sh tools/bazel_test.sh

bench: $(VENV)/.dev  ## Figures beside targets, peers and bare servers, into bench/results/ (ARGS="--case hot --home DIR")
	$(BIN)/python -m bench $(ARGS)

.PHONY: bench-scale locust
bench-scale: $(VENV)/.dev  ## A million products: time, memory, latency and recall under filters (ARGS="--products 100000")
	$(BIN)/python -m bench.scale $(ARGS)

LOCUST_FILE ?= http
locust:  ## Locust against a running mesh: LOCUST="--host http://127.0.0.1:8080 -u 50 -t 30s --headless", LOCUST_FILE=grpc
	@[ -x $(VENV)-locust/bin/locust ] || { $(BIN)/uv venv --quiet $(VENV)-locust && \
	  $(BIN)/uv pip sync --quiet --python $(VENV)-locust/bin/python --require-hashes requirements/locust.lock; }
	PYTHONPATH=gen $(VENV)-locust/bin/locust -f bench/locust/$(LOCUST_FILE)_users.py $(LOCUST)

peers: $(VENV)/.dev  ## Published algorithms on an evaluation task, tuned, beside each other: TASK=folder, OUT=folder
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/bench.lock
	$(BIN)/python -m bench.peers $(TASK) --out $(or $(OUT),out/peers) $(ARGS)

.PHONY: spark
spark: $(VENV)/.dev  ## Install what `recomesh train --engine spark` needs (0.5 GB; Java 17 beside it), and test it
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/spark.lock
	TESTS_REQUIRE_SPARK=1 $(BIN)/pytest -q tests/integration/reco_svc/test_spark_*.py

.PHONY: fuzz
fuzz: $(VENV)/.dev  ## Thousands of generated requests (FUZZ_CASES, FUZZ_SEED), then atheris on filters and feeds (FUZZ_S each)
	FUZZ_CASES=$${FUZZ_CASES:-500} FUZZ_SEED=$${FUZZ_SEED:-$$(date +%s)} $(BIN)/pytest -q -s tests/e2e/test_fuzz.py
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/fuzz.lock
	PYTHONPATH=gen $(BIN)/python -m tests.fuzzing all --seconds $${FUZZ_S:-60}

.PHONY: pentest
pentest: $(VENV)/.dev out/pentest-tools/.installed  ## Attack a private mesh: probes, bandit, sqlmap, wapiti (under 10 min)
	PYTHONPATH=gen timeout --signal INT 600 $(BIN)/python -m tests.pentest $(ARGS)

out/pentest-tools/.installed: $(BIN)/uv requirements/pentest.lock
	$(BIN)/uv venv --quiet --python $(BIN)/python --clear $(@D)
	$(BIN)/uv pip install --quiet --python $(@D)/bin/python --require-hashes -r requirements/pentest.lock
	@touch $@

.PHONY: chaos
chaos: $(VENV)/.dev  ## Break every part of a mesh under load, beside what docs/resilience.md promises (under 20 min)
	timeout --signal INT 1140 $(BIN)/python -m bench.chaos $(ARGS)

lock: $(VENV)/.run  ## Resolve the dependencies again
	VENV=$(VENV) sh tools/lock.sh

clean:  ## Remove environments, caches and outputs; keeps .recomesh (your data)
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis out *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/uv: requirements/bootstrap.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Recomesh needs Python 3.11 or newer; set PYTHON=…")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.lock
	@touch $@

$(VENV)/.run: $(BIN)/uv $(RUN_LOCK) pyproject.toml
	$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes $(RUN_LOCK)
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(BIN)/uv requirements/dev.lock pyproject.toml
	$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements/dev.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $(VENV)/.run $@
