# Two commands: `make start` and `make test`. `make help` lists the rest.
SHELL := /bin/sh
.DEFAULT_GOAL := help

# The first Python that is new enough; `make start PYTHON=…` names another.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	"$$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
	&& echo "$$python" && break; done)
BIN := .venv/bin

.PHONY: help setup start stop test check bench soak bundle clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-7s %s\n", $$1, $$2 }' Makefile

setup: ## Make the environment in .venv (again: a moment)
	@if [ -n "$(PYTHON)" ]; then "$(PYTHON)" lab_env/bootstrap.py; \
	elif command -v python3 >/dev/null; then python3 lab_env/bootstrap.py; \
	else echo "Python is missing: install 3.11, 3.12 or 3.13 (Debian: sudo apt install python3 python3-venv)." >&2; exit 2; fi

start: setup ## Environment, course site, JupyterLab and MLflow, in one step
	@$(BIN)/lab up

stop: ## End everything that `make start` started
	@if [ -x $(BIN)/lab ]; then $(BIN)/lab down; else echo "Nothing was started from here."; fi

test: ## The whole gate
	@if [ ! -d tests ]; then \
	echo "This is a published copy of the course: its tests stay in the full clone. Try make start." >&2; exit 2; fi
	@$(MAKE) --no-print-directory setup
	@$(BIN)/python tests/gate.py

check: setup ## The quick part of the gate, a few minutes
	@$(BIN)/python tests/gate.py --quick

bench: setup ## Measured seconds, with a peer in the same run
	@$(BIN)/python -m tests.bench

soak: setup ## The full-size runs, nothing taken from a cache
	@$(BIN)/grader verify --no-cache
	@$(BIN)/python -m tests.soak
	@$(BIN)/python -m tests.soak.replay
	@$(BIN)/pytest -q -n 0 --every-box -m every_box tests/grader/boxes tests/attacks tests/course

TO ?= ../offline
bundle: setup ## The course for a class without internet, in ../offline; TO=… names another folder
	@$(BIN)/grader publish $(TO)
	@$(BIN)/python -m lab_env.bundle $(TO)

clean: ## Remove the environment, caches and the built site; workspaces stay
	rm -rf .venv .cache site .mypy_cache .ruff_cache .coverage*
