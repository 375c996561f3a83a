# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m tests.linters.wording``: prose uses plain words and the terms of the field.

It prints how often each group of texts breaks each rule per 1,000 words, and fails if a group is over the limit of a
rule. ``--list GROUP`` prints the places. Code in backticks, quoted strings and questions are not checked.
"""

from __future__ import annotations

import argparse
import ast
import io
import re
import sys
import tokenize
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
# A pattern, the limit of matches per 1,000 words, and the replacement. Prose of the field has about these numbers.
RULES: dict[str, tuple[str, float, str]] = {
    "what clause": (r"\bwhat(ever)?\b(?![^.?!]*\?)", 0.0, "name the noun: the declaration, the request"),
    "tell, say, ask": (
        r"\b(tells?|told|telling|says?|said|saying|asks?|asked|asking)\b",
        0.4,
        "returns, reports, lists, warns, requires",
    ),
    "somebody": (r"\b(some|any|no|every)body('s)?\b|\bwhoever\b|\bno one\b", 0.0, "you, another run, a colleague"),
    "make": (r"\b(makes?|made|making)\b(?! (test|check|demo|lint|[a-z]+-[a-z]+)\b)", 1.3, "create, or the exact verb"),
    "look": (r"\b(look(s|ed|ing)?(?! up)|see that)\b", 1.7, "check, verify, read, list"),
    "is there, as declared": (
        r"\b(is|are|was|were) there\b(?![^.?!]*\?)|\b(is|are|was|were|it's) as (it |they )?(is |are |was |were )?declared",
        0.0,
        "exists, matches",
    ),
    "of its own": (r"\bof (its|your|their|his|our|one's) own\b", 0.0, "its, separate, custom"),
    "antique": (
        r"\b(for ever|all the same|in the end|beside|in place of|anew|afresh|thereby|hence(forth)?|whereby|thereof"
        r"|therein|lest|mere|by and by|to the letter|nowhere)\b",
        0.0,
        "indefinitely, still, finally, next to, instead of",
    ),
    "metaphor": (
        r"\b(house|brakes?|heal(s|ed|ing)?|vouch(es|ed)?|patience|truth lives|hands? on|dialect|stranger|rivals?"
        r"|in good health|puts? back|left-?overs?|foresees?|foreseen|sealed|unsealed|errands?|parcels?)\b",
        0.0,
        "the term of the field",
    ),
    "play": (r"\b(plays?|played|playing) (it|them|a page|the page|an example|with)\b", 0.0, "run, test"),
    "have to": (r"\b(has|have|had|having) to\b|\bshall\b|\b(is|are) to (be|do|get|go|have)\b", 0.2, "must"),
    "term": (
        r"\b(hidden settings?|taking over|takes? over|taken over|replies|reply to a call|folders?)\b",
        0.0,
        "write-only setting, import, response, directory",
    ),
}
Texts = Iterator[tuple[str, int, str]]
QUOTED = re.compile(
    r"``.*?``|`[^`]*`|\"[^\"\n]*\"|\u201c[^\u201d]*\u201d|[A-Z]\((?:[^()]|\([^()]*\))*\)|https?://\S+|(?m:^ +\w+:(?= ))",
    re.DOTALL,
)


def tracked(*patterns: str) -> Iterator[Path]:
    """Yield the files of the checkout that match a pattern."""
    for pattern in patterns:
        for path in sorted(ROOT.glob(pattern)):
            parts = path.relative_to(ROOT).parts
            if path.is_file() and not any(part.startswith(".") and part != ".github" for part in parts):
                yield path


def name(path: Path) -> str:
    """Return a path as the output shows it."""
    return str(path.relative_to(ROOT))


def pages() -> Texts:
    """Yield the paragraphs of English pages, without code."""
    for path in tracked("*.md", "docs/**/*.md", "roles/*/README.md", "changelogs/fragments/*.yml"):
        if path.name.endswith(".id.md") or path.name in ("CHANGELOG.md", "CODE_OF_CONDUCT.md"):
            continue
        text = re.sub(
            r"(?ms)^(`{3,}).*?^\1|<!--.*?-->", lambda match: "\n" * match[0].count("\n"), path.read_text("utf-8")
        )
        for match in re.finditer(r"(?:[^\n]+\n?)+", text):
            yield name(path), text.count("\n", 0, match.start()) + 1, match[0]


def python_files() -> Iterator[tuple[Path, str]]:
    """Yield the Python files and their contents."""
    for path in tracked("noxfile.py", "*/**/*.py"):
        yield path, path.read_text("utf-8")


def docstrings() -> Texts:
    """Yield docstrings."""
    for path, source in python_files():
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                text = ast.get_docstring(node)
                if text:
                    yield name(path), node.body[0].lineno, text


def comments() -> Texts:
    """Yield comments of Python, YAML and make; consecutive lines are one comment."""
    for path, source in python_files():
        block: list[tuple[int, str]] = []
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.COMMENT:
                if block and token.start[0] != block[-1][0] + 1:
                    yield name(path), block[0][0], " ".join(text for _line, text in block)
                    block = []
                block.append((token.start[0], token.string.lstrip("# ")))
        if block:
            yield name(path), block[0][0], " ".join(text for _line, text in block)
    for path in tracked("*/**/*.yml", "*.yml", "Makefile", "*.toml"):
        for match in re.finditer(r"(?m)(?:^[ \t]*#[^\n]*\n)+", text := path.read_text("utf-8")):
            yield name(path), text.count("\n", 0, match.start()) + 1, re.sub(r"(?m)^[ \t]*#\s?", "", match[0])


DOCUMENTATION = {"DOCUMENTATION", "RETURN", "EXAMPLES"}


def strings(data: object) -> Iterator[str]:
    """Yield the strings in data from YAML."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict):
        for value in data.values():
            yield from strings(value)
    elif isinstance(data, list):
        for value in data:
            yield from strings(value)


def documentation() -> Texts:
    """Yield the strings of DOCUMENTATION, RETURN, EXAMPLES, and of the specifications of roles."""
    for path, source in python_files():
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Assign) and DOCUMENTATION & {ast.unparse(target) for target in node.targets}:
                constants = (part.value for part in ast.walk(node.value) if isinstance(part, ast.Constant))
                for text in strings(list(map(yaml.safe_load, map(str, constants)))):
                    yield name(path), node.lineno, text
    for path in tracked("roles/*/meta/argument_specs.yml"):
        for text in strings(yaml.safe_load(path.read_text("utf-8"))):
            yield name(path), 1, text


def code_strings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the strings of code with their lines; an expression in a string is an X."""
    skipped: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            skipped.add(node.value)
        if isinstance(node, ast.Assign) and DOCUMENTATION & {ast.unparse(target) for target in node.targets}:
            skipped.add(node.value)
        if isinstance(node, ast.JoinedStr):
            skipped.update(node.values)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in skipped:
            yield node.lineno, node.value
        elif isinstance(node, ast.JoinedStr):
            parts = (str(part.value) if isinstance(part, ast.Constant) else "X" for part in node.values)
            yield node.lineno, "".join(parts)


TASK_TEXT = re.compile(r"(?m)^ *(?:- )?(?:name|fail_msg|msg|prompt): (?:[>|]-?\n)?(.+(?:\n {8,}.+)*)")


def messages() -> Texts:
    """Yield the sentences of the code, and the names and messages of tasks."""
    for path in tracked("plugins/**/*.py", "extensions/**/*.py"):
        for line, text in code_strings(ast.parse(path.read_text("utf-8"))):
            if text.count(" ") >= 2 and path.parent.name != "doc_fragments":
                yield name(path), line, text
    for path in tracked("playbooks/**/*.yml", "roles/*/tasks/*.yml", "roles/*/vars/*.yml", "examples/**/*.yml"):
        text = path.read_text("utf-8")
        for match in TASK_TEXT.finditer(text):
            yield name(path), text.count("\n", 0, match.start()) + 1, match[1]


GROUPS: dict[str, Callable[[], Texts]] = {
    "pages": pages,
    "docstrings": docstrings,
    "comments": comments,
    "documentation": documentation,
    "messages": messages,
}


def matches(text: str) -> Iterator[tuple[str, str]]:
    """Yield each rule that a text breaks, with the words."""
    prose = QUOTED.sub("X", text)
    for rule, (pattern, _limit, _instead) in RULES.items():
        for match in re.finditer(pattern, prose, re.IGNORECASE):
            around = prose[max(0, match.start() - 40) : match.end() + 40]
            yield rule, " ".join(around.split())


def main() -> int:
    """Print the counts, and the requested places; return the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--list", choices=[*GROUPS, "all"], help="print the places of a group")
    parser.add_argument("--under", default="", help="only files whose path begins with this")
    options = parser.parse_args()
    over: list[str] = []
    checked = 0
    for group, texts in GROUPS.items():
        words, broken = 0, Counter[str]()
        for path, line, text in texts():
            if not path.startswith(options.under):
                continue
            words += len(text.split())
            for rule, around in matches(text):
                broken[rule] += 1
                if options.list in (group, "all"):
                    print(f"{path}:{line}: {rule}: {around} -> {RULES[rule][2]}")
        checked += words
        rates = {rule: 1000 * count / max(words, 1) for rule, count in broken.items()}
        print(f"{group}: {words} words; " + ", ".join(f"{rule} {rates[rule]:.1f}" for rule in RULES if rule in rates))
        over += [
            f"{group}: {rule} {rate:.1f} per 1,000 words, over {RULES[rule][1]}; write {RULES[rule][2]}"
            for rule, rate in rates.items()
            if round(rate, 1) > RULES[rule][1]
        ]
    if not checked:
        over.append(f"no file has a path that begins with {options.under}")
    print("\n".join(over) or "the prose follows the rules")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
