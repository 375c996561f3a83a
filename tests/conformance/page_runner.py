# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Follow a page of the documentation: save its files, and run its commands.

Each command runs at a separate terminal, in the directory and the environment that the previous one left.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ansible_collections.fonnte.whatsapp.tests.sandbox.driver import Sandbox

from .terminal import Answer, converse

SHELLS = ("shell", "sh", "bash", "console")
DATA = ("yaml", "ini", "json")
LONGEST = 60

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_THIS = re.compile(r"[Ss]ave this as `([^`]+)`")
_THAT = re.compile(r"[Ss]ave (?:it|the play above) as `([^`]+)`")
_NAMED = re.compile(r"# ([\w./-]+\.(?:yml|yaml|ini|cfg|json))$")
# Parts of the output on a page that differ between runs.
_DIFFERS = (
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC"), "(time)"),
    (re.compile(r"#[0-9a-f]{6}\b"), "#digest"),
    (re.compile(r"https?://(?:127\.0\.0\.1:\d+|api\.fonnte\.com)"), "(service)"),
    (re.compile(r"\b[A-Z0-9]{4}-[A-Z0-9]{4}\b"), "(pairing code)"),
    (re.compile(r"/home/(?:you|me)\b"), "(home)"),
    (re.compile(r"\*{3,}"), ""),
    # A space without width, which reports insert so that untrusted text does not become a link.
    (re.compile("\u200b"), ""),
    # Control sequences before the output: a beep, or a cleared line.
    (re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|[\r\x07]"), ""),
)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page.

    Attributes:
        saved: The file in which the page saves it; empty if it is not saved.
    """

    language: str
    text: str
    heading: str
    saved: str

    @property
    def commands(self) -> list[str]:
        """The commands of the block; a command may have several lines."""
        lines = self.text.splitlines()
        if any(line.startswith("$ ") for line in lines):
            lines = [line[2:] for line in lines if line.startswith("$ ")]
        found: list[str] = []
        for line in lines:
            if found and (found[-1].endswith("\\") or not parses(found[-1])):
                found[-1] += "\n" + line
            elif line.strip() and not line.startswith("#"):
                found.append(line)
        return found


def parses(script: str) -> bool:
    """Return whether bash accepts a script as complete."""
    done = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True, check=False)
    return done.returncode == 0 and not done.stderr


def blocks_of(page: str) -> list[Block]:
    """Return the blocks of a page, in order."""
    found: list[Block] = []
    end, heading = 0, ""
    for fence in _FENCE.finditer(page):
        between = page[end : fence.start()]
        end = fence.end()
        headings = re.findall(r"^#+ (.*)$", between, re.MULTILINE)
        heading = headings[-1] if headings else heading
        paragraphs = [text for text in between.split("\n\n") if text.strip()]
        for name in _THAT.findall(between):
            place = max(index for index, block in enumerate(found) if block.language in DATA)
            found[place] = replace(found[place], saved=name)
        this = _THIS.findall(paragraphs[-1])[-1:] if paragraphs else []
        named = _NAMED.match(fence[2].splitlines()[0]) if fence[1] in DATA and fence[2] else None
        found.append(Block(fence[1], fence[2], heading, *(this or [named[1] if named else ""])))
    return found


@dataclass(frozen=True)
class Typed:
    """A command, its output at the terminal, and its exit code."""

    command: str
    shown: str
    code: int | None


@dataclass
class Follower:
    """The reader of a page: a home, a working directory, and the environment that the commands so far have left.

    Attributes:
        answers: A person's answers to questions, in the order of the page; each is used once.
        editor: The text that is written into a file when an editor opens it.
    """

    sandbox: Sandbox
    home: Path
    collections: Path
    answers: list[Answer] = field(default_factory=list)
    editor: str = ""

    def __post_init__(self) -> None:
        self.folder = self.home / "work"
        self.folder.mkdir(parents=True)
        self._state = self.home / ".state"
        self._state.mkdir()
        self._where = self.folder
        programs = self.home / "bin"
        programs.mkdir()
        self._editor(programs / "editor")
        self.env = {
            "PATH": os.pathsep.join([str(programs), str(Path(sys.executable).parent), os.environ["PATH"]]),
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "TERM": "dumb",
            "EDITOR": str(programs / "editor"),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_PAGER": "cat",
            "PAGER": "cat",
            **{f"GIT_{who}_{what}": "you@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
            "ANSIBLE_COLLECTIONS_PATH": str(self.collections),
            # By default, Ansible copies modules into the home from the user database.
            "ANSIBLE_REMOTE_TEMP": str(self.home / ".ansible" / "tmp"),
            "ANSIBLE_NOCOLOR": "true",
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
            "FONNTE_API_ENDPOINT": self.sandbox.url,
            "FONNTE_API_RETRIES": "0",
            "FONNTE_ACCOUNT_TOKEN": self.sandbox.account_token,
        }
        (self.home / ".fonnte-token").write_text(self.sandbox.account_token + "\n", encoding="utf-8")

    def _editor(self, path: Path) -> None:
        content = self.editor or self.sandbox.account_token
        path.write_text(f"#!/bin/sh\nprintf '%s\\n' {shlex.quote(content)} >\"$1\"\n", encoding="utf-8")
        path.chmod(0o755)

    def save(self, block: Block) -> None:
        """Save a block as the file that the page names."""
        path = self._where / Path(block.saved.replace("~", str(self.home), 1))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text, encoding="utf-8")

    def type(self, command: str) -> Typed:
        """Run a command, answer its questions, and keep its directory and environment for the next one."""
        left = self._state / "left"
        left.unlink(missing_ok=True)
        script = f"trap '{{ pwd; env -0; }} >{shlex.quote(str(left))}' EXIT\n{command}\n"
        reported = converse(["bash", "-c", script], self.env, self.answers, cwd=self._where, longest=LONGEST)
        where, _line, variables = left.read_text(encoding="utf-8").partition("\n")
        self._where = Path(where)
        pairs = (pair.partition("=") for pair in variables.split("\0") if pair)
        self.env = {name: value for name, _sign, value in pairs if name not in ("_", "SHLVL", "OLDPWD")}
        return Typed(command, reported.shown, reported.code)


def missing_from(block: Block, shown: str, folder: Path) -> list[str]:
    """Return the parts of a block that the output lacks; line breaks may differ, and ``...`` stands for any lines."""
    said = _plain(shown.replace(str(folder), "(home)").replace(str(folder.parent), "(home)"))
    at, missing = 0, []
    for part in re.split(r"^\s*\.\.\.\s*$", block.text, flags=re.MULTILINE):
        wanted = _plain(part)
        found = said.find(wanted, at)
        if found < 0:
            missing.append(wanted)
        else:
            at = found + len(wanted)
    return missing


def _plain(text: str) -> str:
    """Return text without line breaks, parts that differ between runs, and the quotes of lines in a debug task."""
    for pattern, word in _DIFFERS:
        text = pattern.sub(word, text)
    lines = (line.strip().removesuffix(",").strip('"').replace('\\"', '"') for line in text.splitlines())
    return " ".join(" ".join(lines).split())


def scripts_in(workflow: object) -> Iterator[tuple[str, Sequence[str], Mapping[str, str]]]:
    """Yield the job, the commands and the variables of each script in a GitHub workflow or a GitLab pipeline."""
    assert isinstance(workflow, dict)
    before = workflow.get("default", {}).get("before_script", [])
    for name, job in workflow.get("jobs", workflow).items():
        if isinstance(job, dict) and "script" in job:
            yield name, [*before, *job["script"], *job.get("after_script", [])], job.get("variables", {})
        for step in job.get("steps", []) if isinstance(job, dict) else []:
            if "run" in step:
                yield name, [step["run"]], step.get("env", {})
