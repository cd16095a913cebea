# The commands of this project; `make` alone lists them.

# Settings of a user's shell must not reach the tools.
unexport PYTHONPATH PYTHONHOME PYTHONDONTWRITEBYTECODE VIRTUAL_ENV
SHELL := /bin/sh
PORT ?= 8000
export PORT

RUN := .venv/bin/python
VENV := .venv/stamp
SERVE := .venv/serve-stamp
EMULATOR := .venv/emulator/stamp
# For every Python and machine that Satchel runs on, with the hash of each file of a package.
LOCK := UV_CUSTOM_COMPILE_COMMAND="make lock" $(RUN) -m uv pip compile --quiet --universal \
  --python-version 3.11 --generate-hashes --no-annotate

.PHONY: help serve sweep reconcile reset test quick coverage model fuzz check audit lock bench reference release deploy

help: ## list the commands
	@sed -n 's/^\([a-z]*\):.*## /\1: /p' Makefile | awk -F': ' '{printf "make %-10s%s\n", $$1, $$2}'

serve: $(SERVE) $(EMULATOR) ## run Satchel at http://127.0.0.1:8000, or on PORT=
	@exec $(RUN) -m local.serve

sweep: ## run the scheduled work of a running `make serve` now
	@curl --silent --show-error --fail --request POST http://127.0.0.1:$(PORT)/_sweep

reconcile: ## tell what the reconciliation of a running `make serve` would do; CONFIRMED=1 does it
	@curl --silent --show-error --fail --request POST \
	  "http://127.0.0.1:$(PORT)/_reconcile$(if $(CONFIRMED),?confirmed)"

reset: $(SERVE) ## delete the data of `make serve`
	@$(RUN) -m local.serve --reset

test: $(VENV) $(EMULATOR) ## all tests, in random order
	@$(RUN) -m pytest -q -n 2 --dist worksteal

quick: $(VENV) $(EMULATOR) ## all tests but the exhaustive ones
	@$(RUN) -m pytest -q -n 2 --dist worksteal -m "not slow"

coverage: $(VENV) $(EMULATOR) ## those with the lines and branches that no test runs; fails below the floor
	@$(RUN) -m pytest -q -n 2 --dist worksteal -m "not slow" --cov --cov-report=term

model: $(VENV) ## compare 50,000 random steps, or STEPS=, with a model of sharing; SEED= repeats a run
	@STEPS=$(or $(STEPS),50000) $(RUN) -m pytest -q tests/stateful/test_model.py -k "ever or caught"

fuzz: $(VENV) ## compare 200 random requests to each route, or EXAMPLES=, with the OpenAPI document
	@EXAMPLES=$(or $(EXAMPLES),200) $(RUN) -m pytest -q -n 2 --dist worksteal tests/fuzz

check: $(VENV) ## lint, formatting and types
	@command -v node >/dev/null || { echo "pyright needs Node.js: install node, then again."; exit 1; }
	@$(RUN) -m pre_commit run --all-files
	PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(RUN) -m pyright --pythonpath $(RUN)

audit: $(VENV) ## ask PyPI for known vulnerabilities of all packages; fails where it cannot ask
	@$(RUN) -m local.audit

lock: $(VENV) ## write the requirements.txt files anew, after pyproject.toml has changed
	$(LOCK) --group dev --output-file requirements.txt
	$(LOCK) --group serve --constraint requirements.txt --output-file local/requirements.txt
	$(LOCK) --group lambda --constraint requirements.txt --output-file function/requirements.txt
	$(LOCK) --group emulator --output-file local/emulator/requirements.txt

bench: $(VENV) $(if $(LARGE),$(EMULATOR)) ## measure AWS calls, CPU and sizes beside references; LARGE=1 sends 1 GiB
	@$(RUN) -m bench$(if $(LARGE),.transfer)

reference: $(VENV) ## write what is made from the code: docs/reference, the Postman collection
	@$(RUN) -m docs.reference

release: $(VENV) ## build the commit twice, compare; checksum and notes. TAG= must fit the version
	@$(RUN) -m release "$$TAG"

deploy: $(SERVE) ## create or update the stack in your AWS account
	@command -v pulumi >/dev/null || { \
	  echo "Deploying needs Pulumi's command line: https://www.pulumi.com/docs/install/"; exit 1; }
	pulumi up

$(SERVE): local/requirements.txt
	@sh local/install.sh .venv $<
	@touch $@

$(VENV): requirements.txt $(SERVE)
	@sh local/install.sh .venv $<
	@touch $@

$(EMULATOR): local/emulator/requirements.txt $(SERVE)
	@sh local/install.sh .venv/emulator $<
	@touch $@
