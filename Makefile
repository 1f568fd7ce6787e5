# Two commands for a newcomer: `make run`, `make test`. The rest is for developers.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 2
RUN_STAMP := $(VENV)/.installed
DEV_STAMP := $(VENV)/.installed-dev

WEB := $(wildcard desk/web/src/*.* desk/web/src/*/*.* desk/web/*.json desk/web/vite.config.ts desk/web/hatch_build.py)

.PHONY: run test check fix web bench pictures eval faults kafka clean

run: $(RUN_STAMP) ## set up if need be, start the hub with the fictional demonstration
	$(BIN)/minsheng run --demo

test: $(DEV_STAMP) ## set up if need be, run every test this machine can
	$(BIN)/pytest -q -n $(WORKERS) --dist worksteal

check: $(DEV_STAMP) ## format, lint, types, import contracts, dependencies, spelling
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .
	$(BIN)/codespell
	@command -v npm >/dev/null || { echo "check: npm is missing; install Node 20 or newer to check the pages' scripts"; exit 2; }
	cd desk/web && npm run --silent check
	$(BIN)/minsheng check --data $(VENV)/check

fix: $(DEV_STAMP) ## repair format and what lint can repair
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

web: ## build the pages' scripts again after a change in desk/web
	cd desk/web && npm ci --ignore-scripts --no-audit --no-fund && npm run build

bench: $(DEV_STAMP) ## the whole pipeline against the naive composition, in one paired run; what the doors take in
	$(BIN)/python tests/bench/pipeline.py
	$(BIN)/python tests/bench/intake.py
	$(BIN)/python tests/bench/forum.py
	$(BIN)/python tests/bench/lists.py
	$(BIN)/python tests/bench/clocks.py
	$(BIN)/python tests/bench/delivery.py
	$(BIN)/python tests/bench/leaving.py
	$(BIN)/python tests/bench/grouping.py
	$(BIN)/python tests/bench/routing.py
	$(BIN)/python tests/bench/queueing.py
	$(BIN)/python tests/bench/bursts.py
	$(BIN)/python tests/bench/trends.py
	MINSHENG_TEST_BENCH=1 $(BIN)/pytest -q -s tests/desk/test_pace.py

pictures: $(DEV_STAMP) ## every page for the docs, from a running demonstration: make pictures URL=http://127.0.0.1:8470
	$(BIN)/python tests/pictures.py $(URL)

eval: $(DEV_STAMP) ## measure the classifier: make eval DATA=labelled.jsonl
	@test -n "$(DATA)" || { echo "eval: name labelled messages: make eval DATA=path/to/labelled.jsonl"; exit 2; }
	$(BIN)/python tests/bench/classifier.py --data $(DATA)

faults: $(DEV_STAMP) ## the fault harness at full length: 10,000 messages, kills everywhere
	MINSHENG_TEST_FAULTS=full $(BIN)/pytest -q tests/faults

kafka: $(DEV_STAMP) ## a real Apache Kafka broker by hand, on port 9092
	$(BIN)/python tests/kafka/broker.py --port 9092

clean: ## remove what was built; data in var/ stays
	rm -rf $(VENV) dist desk/static/dist desk/web/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; set PYTHON=python3.11"; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(RUN_STAMP): $(BIN)/python pyproject.toml constraints.txt $(WEB)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(DEV_STAMP): $(BIN)/python pyproject.toml constraints.txt $(WEB)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@ $(RUN_STAMP)
