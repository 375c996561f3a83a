# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Follow each page of the documentation exactly, on a new machine: its commands give the output that it shows."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from ansible_collections.fonnte.whatsapp.tests.conformance.page_fixtures import GUIDES, NOT_RUN, Guide, first_commit
from ansible_collections.fonnte.whatsapp.tests.conformance.page_runner import (
    SHELLS,
    Block,
    Follower,
    Typed,
    blocks_of,
    missing_from,
    parses,
    scripts_in,
)
from ansible_collections.fonnte.whatsapp.tests.conformance.phone_simulator import Person
from ansible_collections.fonnte.whatsapp.tests.conformance.workspace import EVERY_PAGE
from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox

COLLECTION = Path("ansible_collections") / "fonnte" / "whatsapp"
INSTALLED = Path(os.environ["ANSIBLE_COLLECTIONS_PATH"]) / COLLECTION
# test_inventory_plugin.py, test_systemd.py and tests/eda/test_events_service.py run these pages, with other devices.
ELSEWHERE = ("docs/inventory.md", "docs/systemd.md", "docs/events-service.md")
PAGES = {
    str(path.relative_to(INSTALLED)): blocks_of(path.read_text(encoding="utf-8"))
    for path in [
        INSTALLED / "README.md",
        # Not the pages in Bahasa Indonesia: a unit test compares their commands with those of the English pages.
        *(path for path in sorted(INSTALLED.glob("docs/*.md")) if not path.match("*.id.md")),
        *sorted(INSTALLED.glob("roles/*/README.md")),
    ]
}
TYPED = {
    page: [command for block in blocks if block.language in SHELLS for command in block.commands]
    for page, blocks in PAGES.items()
    if page not in ELSEWHERE
}
FIRST_PAGES = (
    "README.md",
    "docs/getting-started.md",
    "roles/audit/README.md",
    "roles/fleet/README.md",
)
FOLLOWED = [page for page in PAGES if EVERY_PAGE or page in FIRST_PAGES]
# Keys that identify the first entry of a playbook.
PLAYS = {"hosts", "ansible.builtin.import_playbook"}
WORKFLOWS = {".github/workflows/whatsapp.yml": "vendor.github-workflows", ".gitlab-ci.yml": "vendor.gitlab-ci"}


@pytest.fixture(scope="session")
def collections(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with the installed collection, without files of earlier runs."""
    root = tmp_path_factory.mktemp("collections")
    shutil.copytree(INSTALLED, root / COLLECTION)
    return root


def not_run(command: str) -> str | None:
    """Return the row of NOT_RUN that matches a command, or None if the command must run."""
    return next((row for row in NOT_RUN if command.startswith(row)), None)


class Reading:
    """The state of a page that a reader follows."""

    def __init__(self, guide: Guide, follower: Follower) -> None:
        self._guide = guide
        self._follower = follower
        self._shown = ""
        self._under: list[str] = []
        self._typed = False
        self.unused = {*guide.at, *guide.fails, *guide.beside}

    def follow(self, blocks: list[Block]) -> None:
        """Save files, run commands and compare output, block by block."""
        for block in blocks:
            self._come_to(block.heading)
            if block.saved:
                self._follower.save(block)
            if block.language in SHELLS:
                self._shown = "".join(self._type(command) for command in block.commands)
                self._typed = bool(self._shown)
            elif block.language == "text" and self._typed:
                self._compare(block)

    def _come_to(self, heading: str) -> None:
        if heading not in self._under:
            self._under.append(heading)
            self._typed = False
            self.unused.discard(heading)
            self._guide.at.get(heading, lambda follower: None)(self._follower)

    def _type(self, command: str) -> str:
        if not_run(command):
            assert parses(command), f"bash does not take it: {command}"
            return ""
        typed = self._follower.type(command)
        expected = [code for pattern, code in self._guide.fails.items() if re.search(pattern, command)]
        self.unused -= {pattern for pattern in self._guide.fails if re.search(pattern, command) and typed.code}
        assert typed.code in (expected or [0]), f"$ {command}\n{typed.shown}"
        self._search(typed)
        return typed.shown

    def _search(self, typed: Typed) -> None:
        """Check that the output has no traceback and no token of a device."""
        assert "Traceback" not in typed.shown, typed.shown
        for known in self._follower.sandbox.devices().values():
            assert known["token"] not in typed.shown, f"$ {typed.command}\nshows a token"

    def _compare(self, block: Block) -> None:
        aside = [begin for begin in self._guide.beside if block.text.startswith(begin)]
        self.unused -= set(aside)
        if not aside:
            missing = missing_from(block, self._shown, self._follower.folder)
            assert not missing, f"the page shows\n{missing}\nand this was shown:\n{self._shown}"

    def run_workflow(self, block: Block) -> None:
        """Run the commands of a workflow as a CI does: with the base commit, and with the token in jobs that get it."""
        base = first_commit(self._follower.folder)
        for job, script, variables in scripts_in(yaml.safe_load(block.text)):
            plain = {name: value for name, value in variables.items() if "${{" not in value}
            based = {"CI_MERGE_REQUEST_DIFF_BASE_SHA": base, "BASE_SHA": base}
            token = {"FONNTE_ACCOUNT_TOKEN": self._follower.sandbox.account_token}
            self._follower.env.pop("FONNTE_ACCOUNT_TOKEN", None)
            self._follower.env.update({**self._guide.given, **plain, **based})
            self._follower.env.update(token if job in self._guide.secret else {})
            for line in script:
                for command in Block("sh", line, "", "").commands:
                    self._type(command)


@pytest.mark.parametrize("page", [page for page in FOLLOWED if TYPED.get(page)])
def test_commands_of_page_give_the_output_that_it_shows(
    page: str, sandbox: Sandbox, tmp_path: Path, collections: Path
) -> None:
    guide = GUIDES.get(page, Guide())
    answers = [(question, lambda answer=answer: answer) for question, answer in guide.answers]
    follower = Follower(sandbox, tmp_path, collections, list(answers), guide.editor)
    guide.world(follower)
    reading = Reading(guide, follower)
    with Person(sandbox):
        reading.follow(PAGES[page])
        for block in PAGES[page]:
            if block.saved in WORKFLOWS:
                reading.run_workflow(block)
    assert not follower.answers, f"nobody asked: {follower.answers[0][0]}"
    assert not reading.unused, f"the table has what the page has not: {reading.unused}"


def test_each_row_of_not_run_matches_a_command() -> None:
    """A row that no command needs must be removed."""
    needed = {not_run(command) for commands in TYPED.values() for command in commands}
    needed |= {not_run(command) for command in _typed_by_workflows()}
    assert needed - {None} == set(NOT_RUN)


def _typed_by_workflows() -> Iterator[str]:
    for block in (block for blocks in PAGES.values() for block in blocks if block.saved in WORKFLOWS):
        for _job, script, _variables in scripts_in(yaml.safe_load(block.text)):
            for line in script:
                yield from Block("sh", line, "", "").commands


def test_each_guide_is_a_page_with_commands() -> None:
    assert set(GUIDES) <= {page for page, commands in TYPED.items() if commands}


@pytest.mark.parametrize("name", WORKFLOWS)
def test_workflow_matches_its_published_schema(name: str, tmp_path: Path) -> None:
    (block,) = [block for blocks in PAGES.values() for block in blocks if block.saved == name]
    path = tmp_path / Path(name).name
    path.write_text(block.text, encoding="utf-8")
    transform = ["--data-transform", "gitlab-ci"] if "gitlab" in name else []
    program = Path(sys.executable).parent / "check-jsonschema"
    command = [program, "--builtin-schema", WORKFLOWS[name], *transform, path]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={"HOME": str(tmp_path)})
    assert done.returncode == 0, done.stdout + done.stderr


def test_playbooks_of_pages_pass_ansible_lint(tmp_path: Path, collections: Path) -> None:
    """The profile is the strictest one. Findings in the roles are ignored, since another session checks the roles."""
    for page, blocks in ((page, PAGES[page]) for page in FOLLOWED):
        for place, block in enumerate(block for block in blocks if block.language == "yaml"):
            read = yaml.safe_load(block.text)
            # A rulebook is a list too.
            if isinstance(read, list) and "sources" not in read[0] and PLAYS & set(read[0]):
                name = f"{page.replace('/', '-')}-{place}.yml"
                (tmp_path / name).write_text(f"---\n{block.text}", encoding="utf-8")
    playbooks = sorted(path.name for path in tmp_path.iterdir())
    assert len(playbooks) > (14 if EVERY_PAGE else 1)
    done = subprocess.run(
        [Path(sys.executable).parent / "ansible-lint", "-p", "--offline", "--profile", "production", *playbooks],
        cwd=tmp_path,
        # A syntax check has no inventory, so a pattern without hosts must not be an error.
        env={
            **{name: value for name, value in os.environ.items() if name != "ANSIBLE_HOST_PATTERN_MISMATCH"},
            "HOME": str(tmp_path),
            "ANSIBLE_COLLECTIONS_PATH": str(collections),
            "NO_COLOR": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    looked_at = re.search(r"in (\d+) files processed", done.stderr)
    assert looked_at and int(looked_at[1]) >= len(playbooks), done.stderr
    assert [line for line in done.stdout.splitlines() if line.startswith(tuple(playbooks))] == []


def test_links_between_pages_are_valid() -> None:
    """Each link to a page, and to a heading on it, has a target."""
    lost = []
    for page in PAGES:
        text = (INSTALLED / page).read_text(encoding="utf-8")
        for target in re.findall(r"\]\((?!https?:)([^)]+)\)", re.sub(r"^```.*?^```", "", text, flags=re.S | re.M)):
            path, _sign, anchor = target.partition("#")
            linked = (INSTALLED / page).parent / path if path else INSTALLED / page
            if not linked.exists() or (anchor and anchor not in _anchors(linked)):
                lost.append(f"{page}: {target}")
    # Only a checkout has this directory.
    assert [link for link in lost if "tests/sandbox" not in link] == []


def test_index_lists_each_page() -> None:
    index = (INSTALLED / "docs" / "README.md").read_text(encoding="utf-8")
    pages = {Path(page).name for page in PAGES if page.startswith("docs/")} - {"README.md"}
    assert {page for page in pages if f"({page})" not in index} == set()


def _anchors(page: Path) -> list[str]:
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings]
