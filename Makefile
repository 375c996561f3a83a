# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Every target is a session of noxfile.py. nox and all environments are under .build, which git ignores.
# ARGS goes to the tool behind a target:
#   make units ARGS="-k number -x"

# The first Python that runs. A name on the PATH may be a shim of a version manager that runs nothing.
PYTHON ?= $(shell for name in python3.13 python3.12 python3.11 python3 python $$HOME/.pyenv/versions/3.1[123].*/bin/python; do \
	$$name -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' >/dev/null 2>&1 \
	&& echo $$name && break; done)
# uv writes no bytecode by default; without it, each playbook of a test compiles Ansible again.
NOX_PYTHON = PYTHONDONTWRITEBYTECODE=1 UV_COMPILE_BYTECODE=1 .build/nox/bin/python
NOX = $(NOX_PYTHON) -m nox
# Run two sessions at a time, print only the output of those that fail, and print the counts in the last lines.
SEVERAL = rm -f .build/report.json; \
	$(NOX) --parallel 2 --report .build/report.json $(1) -- $(2); $(NOX_PYTHON) -m tools.summary
SESSIONS = address bench bench-events browser build changelog conformance demo demo-events docs eda faults guides \
	integration molecule mutation recording sandbox schema simulation surroundings units
ARGS ?=
# The last four are sessions of antsibull-nox, which antsibull-nox.toml configures.
RELEASE = ansible-lint linters sanity-newest sanity-oldest docs importer builder secrets schemas installed \
	lint docs-check license-check extra-checks

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help test check lint sanity matrix release-check release address stages clean $(SESSIONS)

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo 'and the sessions of nox, each with ARGS:'; echo ' $(SESSIONS)' | fold -s -w 100

.build/nox/complete: tools/requirements/nox.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed, with the modules venv and ensurepip" >&2; exit 1; }
	@echo "setting up .build/nox with $(PYTHON) (once)"
	@$(PYTHON) -m venv --clear .build/nox
	@.build/nox/bin/python -m pip install -qq --disable-pip-version-check --requirement $<
	@touch $@

test: .build/nox/complete ## the checks that each change must pass
	@$(call SEVERAL,--tags test)

check: .build/nox/complete ## the quick checks, for while you work
	@$(call SEVERAL,--tags check)

lint: .build/nox/complete ## the linters
	@$(NOX) --parallel 2 --tags lint -- $(ARGS)

sanity: .build/nox/complete ## ansible-test sanity on the newest and on the oldest ansible-core
	@$(NOX) --tags sanity -- $(ARGS)

$(SESSIONS): .build/nox/complete
	@$(NOX) --sessions $@ -- $(ARGS)

address: ARGS = $(URL)

release: .build/nox/complete ## bump, changelog, check, commit, tag and build: make release VERSION=1.1.0
	@$(NOX) --sessions release -- $(VERSION)

release-check: .build/nox/complete ## the checkers of those who publish collections; ARGS="importer" runs one session
	@export CI=true PATH="$(CURDIR)/.build/venvs/newest-env/bin:$$PATH"; $(call SEVERAL,--sessions $(or $(ARGS),$(RELEASE)))

matrix: .build/nox/complete ## every ansible-core on every Python here. ARGS="2.16 2.21" runs two
	@$(call SEVERAL,--tags $(if $(ARGS),$(addprefix matrix-,$(ARGS)),matrix))

stages: .build/nox/complete ## the sessions
	@$(NOX) --list

clean: ## remove .build; ARGS=--keep-venvs leaves the virtual environments
	@$(if $(filter --keep-venvs,$(ARGS)),cd .build && ls | grep -vx -e venvs -e nox | xargs rm -rf,rm -rf .build)
