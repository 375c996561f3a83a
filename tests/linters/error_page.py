# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m tests.linters.error_page``: check that each error has its action, or a row of docs/troubleshooting.md.

It reads the errors from the source: the arguments of each error that is created there. A text that is composed
elsewhere is not found this way. Such a text is searched for in all strings of the source only if the page has it. The
page must have no other text, and no row without an explanation.
"""

from __future__ import annotations

import ast
import functools
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
# Replaces a value in a string of the code.
VALUE = "\0"
# The index of the argument that describes the problem; for other errors it is 0. The functions that collect problems
# are included.
PLACES = {"OptionError": 1, "VariableError": 1, "CellError": 3, "add_problem": 1, "problems.append": 0}
# The required action follows the problem: after a semicolon, or as another sentence. The effect is no action.
ACTION = re.compile(r"(; |\. )(?!nothing was|it was not)\S", re.IGNORECASE)
# Not errors of the collection, not for users, or reported differently: the event source counts them, and its responses
# have their text.
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
# Its message is composed in its class, from the name of a library.
NOT_OURS |= {"MissingLibraryError"}
# Messages of Ansible.
ANSIBLE = (
    "Unsupported parameters",
    "Failed to parse inventory",
    "Failed to parse … with auto plugin",
    "no hosts matched",
    "Unable to create local directories",
    "Local RPC server did not start",
    "Ansible requires the locale encoding to be UTF-8",
    "Ansible could not initialize the preferred locale",
    "ERROR: [Errno 2] No such file or directory",
)


def text_of(node: ast.expr) -> str:
    """Return a string of the code, with a mark for each inserted value."""
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
    """Yield the texts of the errors that a file creates: the problem and the required action."""
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
    """Yield the failure messages of tasks."""
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
    """Yield all strings of a file except its documentation."""
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


@functools.cache
def pattern_of(snippet: str) -> re.Pattern[str]:
    """Return the pattern of a text of the page; … matches any value."""
    return re.compile(".*".join(re.escape(part.strip()) for part in snippet.split("…")), re.DOTALL)


def is_in(snippet: str, text: str) -> bool:
    """Return whether a text of the page matches a string of the code."""
    return pattern_of(snippet).search(text) is not None


def refusals() -> list[str]:
    """Return the texts with which the service refuses, with their actions."""
    from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import REFUSALS

    return [re.sub(r"\(\?P.*?\)|\.\*", VALUE, row.pattern).replace("\\", "") + f"; {row.advice}" for row in REFUSALS]


def errors() -> list[str]:
    """Return the texts of all errors."""
    played = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in PLAYS]
    return [
        *(text for path in CODE for text in made_in(path)),
        *(text for tasks in played for text in failures_in(tasks)),
        *refusals(),
    ]


def texts() -> list[str]:
    """Return all strings of the source, and those of Ansible that the page has."""
    return [
        *ANSIBLE,
        *(text for path in CODE for text in texts_in(path)),
        # Some texts are assigned to a variable first. They may be wrapped at any place.
        *(" ".join(path.read_text(encoding="utf-8").split()) for path in [*PLAYS, *VARIABLES]),
    ]


def snippets_of(page: str) -> list[str]:
    """Return the texts of errors on a page: those in backquotes in the first cell of a row."""
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    return [snippet for row in rows for snippet in re.findall("`([^`]+)`", row)]


def problems(page: str, said: Sequence[str], others: Sequence[str]) -> Iterator[str]:
    """Yield errors without an action that a page lacks, duplicate texts, and texts of the page that are no error.

    Args:
        page: The page in Markdown.
        said: The texts of all errors: each must contain its action, or be on the page.
        others: Further texts that may be on the page.
    """
    snippets = snippets_of(page)
    for text in said:
        if not ACTION.search(text) and not any(is_in(snippet, text) for snippet in snippets):
            yield "this error has no action and no row of the page: %s" % text.replace(VALUE, "…")
    yield from ("this row explains nothing: %s" % row for row in re.findall(r"^\| `.*\| *\|$", page, re.MULTILINE))
    for snippet in sorted(set(snippets)):
        if not any(is_in(snippet, text) for text in [*others, *said]):
            yield "no error has this text of the page: %s" % snippet
        if snippets.count(snippet) > 1:
            yield "the page has this text twice: %s" % snippet


def main() -> int:
    """Print each problem; return the exit code."""
    said, page = errors(), PAGE.read_text(encoding="utf-8")
    found = list(problems(page, said, texts()))
    # A search that finds almost nothing indicates a broken check.
    if len(said) <= 250 or len(snippets_of(page)) <= 40:
        found.append("only %d errors and %d texts of the page were found" % (len(said), len(snippets_of(page))))
    print("\n".join(found) or "%d errors have an action or a row of the page" % len(said))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
