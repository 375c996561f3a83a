# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A reader who follows a page to the letter: saves the files that it says to save, and types what it shows.

Each command is typed at a terminal of its own, in the folder and with the environment that the one before it left.
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
# What differs from run to run in what a page shows.
_DIFFERS = (
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC"), "(time)"),
    (re.compile(r"#[0-9a-f]{6}\b"), "#digest"),
    (re.compile(r"https?://(?:127\.0\.0\.1:\d+|api\.fonnte\.com)"), "(service)"),
    (re.compile(r"\b[A-Z0-9]{4}-[A-Z0-9]{4}\b"), "(pairing code)"),
    (re.compile(r"/home/(?:you|me)\b"), "(home)"),
    (re.compile(r"\*{3,}"), ""),
    # It keeps a text of others from becoming a link in a report, and has no width.
    (re.compile("\u200b"), ""),
    # Before what is printed a terminal gets told to beep or to clear the line.
    (re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|[\r\x07]"), ""),
)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page.

    Attributes:
        saved: The file that the page says to save it as, or nothing.
    """

    language: str
    text: str
    heading: str
    saved: str

    @property
    def commands(self) -> list[str]:
        """What is typed: each command whole, also where it has several lines."""
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
    """Whether bash takes it for something whole."""
    done = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True, check=False)
    return done.returncode == 0 and not done.stderr


def blocks_of(page: str) -> list[Block]:
    """The blocks of a page, in order."""
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
    """A command that was typed: what the terminal showed, and the exit code. A code of None is not run at all."""

    command: str
    shown: str
    code: int | None


@dataclass
class Follower:
    """Where a page is followed: a home, a working folder, and what the commands so far have left.

    Attributes:
        answers: What a person answers to questions, in the order of the page; each is taken once.
        editor: What is written into a file that an editor is opened for.
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
            # Else a module is put into the home that the system knows.
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
        """Type a command, answer what it asks, and keep what it leaves in the environment."""
        left = self._state / "left"
        left.unlink(missing_ok=True)
        script = f"trap '{{ pwd; env -0; }} >{shlex.quote(str(left))}' EXIT\n{command}\n"
        told = converse(["bash", "-c", script], self.env, self.answers, cwd=self._where, longest=LONGEST)
        where, _line, variables = left.read_text(encoding="utf-8").partition("\n")
        self._where = Path(where)
        pairs = (pair.partition("=") for pair in variables.split("\0") if pair)
        self.env = {name: value for name, _sign, value in pairs if name not in ("_", "SHLVL", "OLDPWD")}
        return Typed(command, told.shown, told.code)


def missing_from(block: Block, shown: str, folder: Path) -> list[str]:
    """What a page shows and was not shown. Lines may be broken elsewhere, and ``...`` is what the page left out."""
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
    """A text without what differs from run to run, line breaks, and the quotes of a line in a list of a debug task."""
    for pattern, word in _DIFFERS:
        text = pattern.sub(word, text)
    lines = (line.strip().removesuffix(",").strip('"').replace('\\"', '"') for line in text.splitlines())
    return " ".join(" ".join(lines).split())


def scripts_in(workflow: object) -> Iterator[tuple[str, Sequence[str], Mapping[str, str]]]:
    """What the jobs of a workflow of GitHub or of a pipeline of GitLab type: the job, and the variables that it sets."""
    assert isinstance(workflow, dict)
    before = workflow.get("default", {}).get("before_script", [])
    for name, job in workflow.get("jobs", workflow).items():
        if isinstance(job, dict) and "script" in job:
            yield name, [*before, *job["script"]], job.get("variables", {})
        for step in job.get("steps", []) if isinstance(job, dict) else []:
            if "run" in step:
                yield name, [step["run"]], step.get("env", {})
