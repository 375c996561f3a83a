# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/troubleshooting.md knows each error that a user can meet, and none that is gone.

The errors are read from the code: what is given to an error where it is made. A text that is put together elsewhere
cannot be seen there, and is looked for among all texts of the code only where the page has it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import REFUSALS

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
CODE = sorted([*ROOT.glob("plugins/**/*.py"), *ROOT.glob("extensions/eda/plugins/**/*.py")])
PLAYS = sorted([*ROOT.glob("playbooks/*.yml"), *ROOT.glob("playbooks/tasks/*.yml"), *ROOT.glob("roles/*/tasks/*.yml")])
VARIABLES = sorted(ROOT.glob("roles/*/vars/*.yml"))
# What stands for a value in a text of the code.
VALUE = "\0"
# Which argument of an error says what came back or what is wrong; of all others it is the first. With them, what takes
# note of a problem where all are told at once.
PLACES = {"OptionError": 1, "Wrong": 3, "wrong": 1, "problems.append": 0}
# Not errors of ours, not for users, or told in another way: counted by the event source, and said by its answers.
NOT_OURS = {"ValueError", "OSError", "KeyError", "TypeError", "MaxRetryError", "ProtocolError", "PayloadError"}
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


ERRORS = [
    *((path.name, text) for path in CODE for text in made_in(path)),
    *((path.name, text) for path in PLAYS for text in failures_in(yaml.safe_load(path.read_text(encoding="utf-8")))),
    *(("Fonnte", re.sub(r"\(\?P.*?\)|\.\*", VALUE, row.pattern).replace("\\", "")) for row in REFUSALS),
]
ROWS = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `")]
SNIPPETS = [snippet for row in ROWS for snippet in re.findall("`([^`]+)`", row)]


def is_in(snippet: str, text: str) -> bool:
    """Whether a text of the page is a text of the code; … stands for what differs."""
    parts = [re.escape(part.strip()) for part in snippet.split("…")]
    return re.search(".*".join(parts), text, re.DOTALL) is not None


def test_there_is_something_to_compare() -> None:
    assert len(ERRORS) > 250 and len(ROWS) > 80


@pytest.mark.parametrize(("where", "text"), ERRORS, ids=[f"{where}-{text[:40]}" for where, text in ERRORS])
def test_an_error_is_on_the_page(where: str, text: str) -> None:
    assert any(is_in(snippet, text) for snippet in SNIPPETS), f"docs/troubleshooting.md does not know: {text!r}"


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


TEXTS = [
    *ANSIBLE,
    *(text for _where, text in ERRORS),
    *(text for path in CODE for text in texts_in(path)),
    # What is put into a variable first. Lines may be broken anywhere.
    *(" ".join(path.read_text(encoding="utf-8").split()) for path in [*PLAYS, *VARIABLES]),
]


@pytest.mark.parametrize("snippet", sorted(set(SNIPPETS)))
def test_a_text_of_the_page_is_one_that_is_said(snippet: str) -> None:
    assert any(is_in(snippet, text) for text in TEXTS), f"nothing says this any more: {snippet}"


def test_no_text_is_on_the_page_twice() -> None:
    assert sorted(SNIPPETS) == sorted(set(SNIPPETS))
