# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Every target sets up what it needs under .build, which git ignores. ARGS goes to the tool behind a target:
#   make units ARGS="-k number -x"

# The first Python that runs: a name on the PATH may be a version manager's shim that does not.
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11 python; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 8))' >/dev/null 2>&1 && echo $$name && break; done)
RUN = PYTHONDONTWRITEBYTECODE=1 $(or $(PYTHON),python3) -m tools
ARGS ?=

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo demo-events test check sandbox bench bench-events faults mutation browser docs guides surroundings lint sanity units conformance integration eda molecule build changelog \
	matrix release-check release address stages clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: ## see the collection at work on a sandbox, in about a minute
	@$(RUN) demo $(ARGS)

demo-events: ## see a rulebook report devices that drop off
	@$(RUN) demo-events $(ARGS)

test: ## the checks that each change has to pass
	@$(RUN) test

check: ## the quick checks, for while you work
	@$(RUN) check

sandbox: ## a server on this machine that behaves like the service, to try playbooks by hand; Ctrl-C ends it
	@$(RUN) sandbox $(ARGS)

bench: ## how fast it is, beside a loop over uri and a bare client; a quarter of an hour, or ARGS="--quick"
	@$(RUN) bench $(ARGS)

bench-events: ## a thousand webhooks a second into the event source, for two minutes; writes docs/events-bench.md
	@$(RUN) bench-events $(ARGS)

faults: ## play every fault at every call, and write docs/faults.md
	@$(RUN) faults $(ARGS)

mutation: ## break the code in small ways, see whether the unit tests notice, and write docs/mutation.md
	@$(RUN) mutation $(ARGS)

browser: ## look at the page of fonnte_audit in the Chromium of this machine, and make the pictures in docs
	@$(RUN) browser $(ARGS)

guides: ## follow every page of the documentation to the letter, on the installed artifact, against the sandbox
	@$(RUN) guides $(ARGS)

surroundings: ## every main operation in every environment that starts it; writes docs/dev/surroundings.md
	@$(RUN) surroundings $(ARGS)

docs: ## the documentation as a site in .build/site/html: modules, plugins, roles, playbooks, guides
	@$(RUN) docs $(ARGS)

lint: ## ansible-lint, documentation, changelog, types
	@$(RUN) lint $(ARGS)

sanity: ## ansible-test sanity on the newest and on the oldest ansible-core
	@$(RUN) sanity $(ARGS)

units: ## unit and functional tests
	@$(RUN) units $(ARGS)

conformance: ## real playbooks against the sandbox
	@$(RUN) conformance $(ARGS)

integration: ## ansible-test integration
	@$(RUN) integration $(ARGS)

eda: ## the real ansible-rulebook, from a webhook to a message
	@$(RUN) eda $(ARGS)

molecule: ## molecule scenarios
	@$(RUN) molecule $(ARGS)

build: ## build the artifact into .build/artifact and install it into .build/installed
	@$(RUN) build

changelog: ## write CHANGELOG.md from changelogs/fragments
	@$(RUN) changelog $(ARGS)

matrix: ## every ansible-core on every Python here; writes docs/matrix.md. ARGS="2.16 2.21" plays some and writes nothing
	@$(RUN) matrix $(ARGS)

release-check: ## the checkers of those who publish collections; ARGS="importer" runs one stage
	@$(RUN) release-check $(ARGS)

release: ## bump, changelog, build, check and tag, up to the upload: make release VERSION=1.1.0
	@$(RUN) release $(VERSION)

address: ## write the public address into galaxy.yml and the README: make address URL=https://...
	@$(RUN) address $(URL)

stages: ## the stages of make test
	@$(RUN) list

clean: ## remove .build
	@$(RUN) clean $(ARGS)
