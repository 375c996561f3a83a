# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m tests.linters.error_page``: docs/troubleshooting.md lists each error that a user can meet, and no other one.

A linter: it reads the errors from the source, from the arguments of each error that is created there. A text that is
put together elsewhere is not visible there. It is searched for in all texts of the source only where the page has it.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from tools.paths import ROOT

PAGE = ROOT / "docs" / "troubleshooting.md"
CODE = sorted([*ROOT.glob("plugins/**/*.py"), *ROOT.glob("extensions/eda/plugins/**/*.py")])
PLAYS = sorted([*ROOT.glob("playbooks/*.yml"), *ROOT.glob("playbooks/tasks/*.yml"), *ROOT.glob("roles/*/tasks/*.yml")])
VARIABLES = sorted(ROOT.glob("roles/*/vars/*.yml"))
# What stands for a value in a text of the code.
VALUE = "\0"
# Which argument of an error says what came back or what is wrong; of all others it is the first. With them, what takes
# note of a problem where all are told at once.
PLACES = {"OptionError": 1, "CellError": 3, "add_problem": 1, "problems.append": 0}
# Not errors of ours, not for users, or told in another way: counted by the event source, and said by its answers.
NOT_OURS = {
    "ValueError",
    "OSError",
    "ConnectionError",
    "KeyError",
    "TypeError",
    "MaxRetryError",
    "ProtocolError",
    "PayloadError",
}
# Its sentence is made where it is declared, of the name of a library.
NOT_OURS |= {"MissingLibraryError"}
# What Ansible itself says.
ANSIBLE = (
    "Unsupported parameters",
    "Failed to parse inventory",
    "Failed to parse … with auto plugin",
    "no hosts matched",
    "Unable to create local directories",
    "Local RPC server did not start",
    "Ansible requires the locale encoding to be UTF-8",
    "ERROR: [Errno 2] No such file or directory",
)


def text_of(node: ast.expr) -> str:
    """A text of the code, with a mark for each value that is filled in."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else VALUE
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part) for part in node.values)
    if isinstance(node, ast.BinOp):
        return text_of(node.left) + text_of(node.right)
    return VALUE


def says_something(text: str) -> bool:
    return re.search("[a-z]{2}", text) is not None


def made_in(path: Path) -> Iterator[str]:
    """What errors say that are made in a file: what came back, and what to do."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func).replace("self.", "")
        name = name if name in PLACES else name.rsplit(".", maxsplit=1)[-1]
        if (name.endswith("Error") or name in PLACES) and name not in NOT_OURS:
            place = PLACES.get(name, 0)
            text = "; ".join(text_of(part) for part in node.args[place : place + 2])
            if says_something(text):
                yield text


def failures_in(tasks: Any) -> Iterator[str]:
    """What tasks say when they fail on purpose."""
    for task in tasks or []:
        for inner in ("tasks", "block", "rescue", "always"):
            yield from failures_in(task.get(inner))
        text = task.get("ansible.builtin.assert", {}).get("fail_msg", "") + task.get("ansible.builtin.fail", {}).get(
            "msg", ""
        )
        text = re.sub(r"{{.*?}}|{%.*?%}", VALUE, text, flags=re.DOTALL)
        if says_something(text):
            yield text


def texts_in(path: Path) -> Iterator[str]:
    """All texts of a file but its documentation."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    told |= {
        id(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in ("DOCUMENTATION", "EXAMPLES", "RETURN")
    }
    for node in ast.walk(tree):
        if isinstance(node, (ast.Constant, ast.JoinedStr, ast.BinOp)) and id(node) not in told:
            yield text_of(node)


def is_in(snippet: str, text: str) -> bool:
    """Whether a text of the page is a text of the code; … stands for what differs."""
    parts = [re.escape(part.strip()) for part in snippet.split("…")]
    return re.search(".*".join(parts), text, re.DOTALL) is not None


def refusals() -> list[str]:
    """The texts with which the service refuses."""
    from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import REFUSALS

    return [re.sub(r"\(\?P.*?\)|\.\*", VALUE, row.pattern).replace("\\", "") for row in REFUSALS]


def errors() -> list[str]:
    """All texts of errors."""
    played = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in PLAYS]
    return [
        *(text for path in CODE for text in made_in(path)),
        *(text for tasks in played for text in failures_in(tasks)),
        *refusals(),
    ]


def texts() -> list[str]:
    """All texts of the source, and those of Ansible that the page has."""
    return [
        *ANSIBLE,
        *(text for path in CODE for text in texts_in(path)),
        # What is put into a variable first. Lines may be broken anywhere.
        *(" ".join(path.read_text(encoding="utf-8").split()) for path in [*PLAYS, *VARIABLES]),
    ]


def snippets_of(page: str) -> list[str]:
    """The texts of errors on a page: those in backquotes in the first cell of a row."""
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    return [snippet for row in rows for snippet in re.findall("`([^`]+)`", row)]


def problems(page: str, said: Sequence[str], others: Sequence[str]) -> Iterator[str]:
    """What is missing on a page, is on it twice, or is on it without being said.

    Args:
        page: The page in Markdown.
        said: The texts of all errors: each must be on the page.
        others: Further texts that may be on the page.
    """
    snippets = snippets_of(page)
    for text in said:
        if not any(is_in(snippet, text) for snippet in snippets):
            yield "no row of the page has this error: %s" % text.replace(VALUE, "…")
    for snippet in sorted(set(snippets)):
        if not any(is_in(snippet, text) for text in [*others, *said]):
            yield "no error has this text of the page: %s" % snippet
        if snippets.count(snippet) > 1:
            yield "the page has this text twice: %s" % snippet


def main() -> int:
    """Print each problem; return the exit code."""
    said, page = errors(), PAGE.read_text(encoding="utf-8")
    found = list(problems(page, said, texts()))
    # A search that finds next to nothing is no check.
    if len(said) <= 250 or len(snippets_of(page)) <= 80:
        found.append("only %d errors and %d texts of the page were found" % (len(said), len(snippets_of(page))))
    print("\n".join(found) or "%d errors are on the page" % len(said))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
