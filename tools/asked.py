# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the places that publish collections ask, how this one meets it, and what shows it: one table.

A row is shown by stages of make release-check, by facts of tools/facts.py, or by nothing here: then it waits for
what only the owner of a public repository and of a Galaxy namespace can do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterator, Tuple

from tools.contents import PARTS

COMMUNITY = "Inclusion in the ansible package"
HUB = "Certification for Automation Hub"
PRACTICE = "Good practices"
SOURCES = {
    COMMUNITY: "https://docs.ansible.com/projects/ansible/latest/community/collection_contributors/collection_requirements.html",
    HUB: "https://docs.ansible.com/projects/partner-certification-requirements/",
    PRACTICE: "https://redhat-cop.github.io/automation-good-practices/",
}
# The stages of other targets that release-check runs too, and the command that runs each alone.
OF_TEST = {
    "lint": "make lint",
    "sanity-newest": "make sanity",
    "sanity-oldest": "make sanity",
    "docs": "make docs",
}


@dataclass(frozen=True)
class Row:
    """A requirement: who asks, what, how it is met, and the stages and facts that show it; none where it waits."""

    source: str
    asks: str
    met: str
    shown_by: Tuple[str, ...] = ()


# Facts that cannot be so before the collection has a public address: until then they wait, and fail nothing.
WAITING = ("address", "full_links")

ROWS: Tuple[Row, ...] = (
    Row(
        COMMUNITY,
        "Published on Galaxy, 1.0.0 or later",
        "The version is 1.0.0 or later; `make release` makes the artifact.",
        ("version", "importer"),
    ),
    Row(COMMUNITY, "It is on Galaxy", "Waits: to upload takes the owner of the namespace."),
    Row(
        COMMUNITY,
        "A public repository, an issue tracker without cost, a tag on the Ansible forum",
        "Waits: there is no public address yet. The forms for issues are in `.github`.",
    ),
    Row(
        COMMUNITY,
        "A code of conduct that is compatible with Ansible's",
        "It is Ansible's, linked from README and CODE_OF_CONDUCT.md.",
        ("conduct",),
    ),
    Row(
        COMMUNITY,
        "Releases are tagged, and the artifact is built from the tag",
        "`make release` builds from the commit that it tags, and checks that nothing else is there.",
        ("tools",),
    ),
    Row(
        COMMUNITY,
        "Semantic versioning; a policy of versions and deprecation",
        "README, section Release notes.",
        ("version", "versioning"),
    ),
    Row(
        COMMUNITY,
        "A changelog, best with antsibull-changelog",
        "Fragments, `changelogs/changelog.yaml`, CHANGELOG.md.",
        ("lint", "changelog"),
    ),
    Row(
        COMMUNITY,
        "Licences: GPL-3.0-or-later, in every file",
        "SPDX heads, LICENSES, COPYING; checked by REUSE and by antsibull-nox.",
        ("licences", "nox"),
    ),
    Row(
        COMMUNITY,
        "No agreement to sign; it is said what contributions are accepted",
        "CONTRIBUTING.md.",
        ("contributions",),
    ),
    Row(
        COMMUNITY,
        "README.md with the usual headings",
        "They are those of the template of the community and of certification.",
        ("headings",),
    ),
    Row(
        COMMUNITY,
        "Only known folders in plugins; private utilities have an underscore",
        "All utilities are private.",
        ("plugin_folders", "private_utils", "nox"),
    ),
    Row(
        COMMUNITY,
        "Nothing outside of meta, plugins, roles and playbooks is used at runtime",
        "The artifact works alone. What ansible-rulebook loads is in `extensions/eda`, where it looks.",
        ("installed",),
    ),
    Row(
        COMMUNITY,
        "No large objects, no unnecessary files",
        "`tools/contents.py` lists what the artifact holds, with a reason for each; anything else fails the build.",
        ("artifact",),
    ),
    Row(
        COMMUNITY,
        "Documentation, examples and return values for everything, with full names",
        "Every example is played by the tests.",
        ("lint", "references", "sanity-newest"),
    ),
    Row(
        COMMUNITY,
        "Documentation that a site can be made of: `docs/docsite`, links, guides",
        "`make docs` builds the pages of modules, plugins, roles and playbooks with the guides. A warning is an error, and so is a link to nothing.",
        ("docs", "references"),
    ),
    Row(
        COMMUNITY,
        "Modules that only read are called _info; no state that only asks; check mode in all of them",
        "Check mode and idempotence are claims of the conformance tests for every module.",
        ("info_modules", "states"),
    ),
    Row(
        COMMUNITY,
        "All Pythons that its ansible-core supports, or it says which not",
        "Controllers: 3.10 to 3.13 are tested, and 3.14 where it is installed: see [What it was tested with](matrix.md). "
        "Targets: 3.7 or newer, in README and `tests/config.yml`.",
        ("python_versions", "sanity-oldest"),
    ),
    Row(COMMUNITY, "The oldest ansible-core in meta/runtime.yml", "2.16.", ("lowest_core", "cores")),
    Row(
        COMMUNITY,
        "tags in galaxy.yml; dependencies from a stable version on",
        "No other collection is needed.",
        ("tags", "dependencies"),
    ),
    Row(
        COMMUNITY,
        "ansible-test sanity passes, best without ignores",
        "There is no ignore file, and no comment that silences a checker.",
        ("sanity-newest", "sanity-oldest", "no_ignores"),
    ),
    Row(
        COMMUNITY,
        "CI with each ansible-core, for each pull request and once a week",
        "`.github/workflows/checks.yml` calls the targets of the Makefile. On GitHub it was never run; "
        "the matrix was played on a machine: see [What it was tested with](matrix.md).",
        ("workflows", "schemas"),
    ),
    Row(
        HUB,
        "It can be imported: galaxy-importer without error or warning",
        "With ansible-lint, ansible-doc and the tags of Automation Hub switched on. The importer wants a repository: "
        "as long as galaxy.yml names none, an address of nobody stands for it.",
        ("importer",),
    ),
    Row(
        HUB,
        "ansible-lint with the profile production, nothing skipped",
        "`.ansible-lint` has no list of what is skipped.",
        ("lint", "no_ignores"),
    ),
    Row(
        HUB,
        "ansible-test sanity without entries that are not allowed",
        "There is none at all.",
        ("sanity-newest", "sanity-oldest"),
    ),
    Row(
        HUB,
        "requires_ansible begins with a supported version",
        "2.16, the oldest that certification takes.",
        ("lowest_core",),
    ),
    Row(
        HUB,
        "Python libraries in requirements.txt: lower bounds only, nothing of Ansible",
        "requests and cryptography. aiohttp is left out: only the event source needs it, and ansible-rulebook, which runs that, brings it.",
        ("python_dependencies", "builder"),
    ),
    Row(
        HUB,
        "It works in an execution environment",
        "`ansible-builder create` takes it and `introspect` finds its libraries. `build` needs containers, and was not tried.",
        ("builder",),
    ),
    Row(
        HUB,
        "The changelog has the version, and README links to it",
        "README, section Release notes.",
        ("changelog", "headings"),
    ),
    Row(
        HUB,
        "README: purpose, requirements, installation, licence; no pip install of Ansible",
        "The headings of the community's template, and what certification asks besides.",
        ("headings", "no_pip_ansible"),
    ),
    Row(
        HUB,
        "README: links are full addresses",
        "Waits for a public address. `make address URL=…` writes them then.",
        ("full_links",),
    ),
    Row(
        HUB,
        "repository, issues and documentation in galaxy.yml",
        "Waits for a public address: they are empty rather than made up. `make address URL=…` writes them.",
        ("address",),
    ),
    Row(
        PRACTICE,
        "Roles: names with a prefix, argument specs, idempotent, check mode",
        "ansible-lint looks at the names; molecule and the conformance tests play them.",
        ("lint", "references"),
    ),
    Row(
        PRACTICE,
        "Typed code, one format, no leftovers",
        "mypy --strict for `module_utils`, tools, sandbox and event plugins; ruff.",
        ("lint", "nox"),
    ),
    Row(
        PRACTICE,
        "The module defaults of all modules are one group",
        "The action group and its documentation fragment are compared by antsibull-nox.",
        ("nox",),
    ),
    Row(
        PRACTICE,
        "No secret in the repository",
        "detect-secrets, in every file: known forms of keys, and texts as mixed as a token.",
        ("secrets",),
    ),
    Row(
        PRACTICE,
        "Files for CI, issues and pre-commit are valid",
        "Held against the schemas of GitHub and pre-commit.",
        ("schemas",),
    ),
    Row(
        PRACTICE,
        "From the artifact to a first result without reading",
        "The first example of the README, and a playbook that says what it lacks.",
        ("installed",),
    ),
)


def command(shown_by: str, stages: Tuple[str, ...]) -> str:
    """Return the command that shows a stage or a fact alone."""
    if shown_by in OF_TEST:
        return OF_TEST[shown_by]
    return "make release-check ARGS=%s" % (shown_by if shown_by in stages else "facts")


# \x3a is a colon: what reads licences would take the line for this file's own.
HEAD = """\
<!--
Copyright (c) 2026, fonnte.whatsapp contributors
GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
SPDX-License-Identifier\x3a GPL-3.0-or-later
-->

# What is asked of a collection, and how this one meets it

`make release-check` writes this page, runs the commands, and prints the table with its verdicts.
A row without a command waits for a public repository and the owner of the namespace.
"""
CONTENTS = """
## What the artifact holds

Each file of it is in one of these rows, or the build fails. `make release-check ARGS=artifact` tells what they weigh.

| files | what a user needs them for |
|---|---|
"""


def page(stages: Tuple[str, ...]) -> str:
    """Return the page of all rows, without verdicts."""
    return HEAD + "".join(_sections(stages)) + CONTENTS + "".join(_parts())


def _sections(stages: Tuple[str, ...]) -> Iterator[str]:
    for source, address in SOURCES.items():
        yield "\n## %s\n\nAsked on [this page](%s).\n\n" % (source, address)
        yield "| requirement | how it is met | shown by |\n|---|---|---|\n"
        for row in ROWS:
            if row.source == source:
                commands = sorted({"`%s`" % command(name, stages) for name in row.shown_by})
                yield "| %s | %s | %s |\n" % (row.asks, row.met, ", ".join(commands))


def _parts() -> Iterator[str]:
    for part in PARTS:
        yield "| %s | %s |\n" % (", ".join("`%s`" % pattern for pattern in part.patterns), part.why)
