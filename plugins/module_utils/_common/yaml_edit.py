# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Edits of YAML files that people maintain: only the edited values change; comments and order are preserved.

The parser provides the position of a value, and only the text at that position is replaced. YAML has more notations
than this file handles, so a caller must parse the new text and compare the result.
"""

from __future__ import annotations

import math
import re
import traceback
import typing as t
from dataclasses import dataclass

from .errors import FonnteError, MissingLibraryError

try:
    import yaml
except ImportError:
    YAML_MISSING = traceback.format_exc()
else:
    YAML_MISSING = ""

VAULT_HEADER = "$ANSIBLE_VAULT;"
# A header "#jinja2:" can define other delimiters, so it needs no brace.
_TEMPLATE = re.compile(r"\{\{|\{%|\{#|\A#jinja2:")
# Strings that are a template, or could become one when a playbook cuts or joins them. They are written as "!unsafe".
_PIECE = re.compile(r"\{[{%#]|\A\s*\{|\{\s*\Z|#(?=\s*(?:ji|j?\Z))|inja2")
_TRUE = ("yes", "true", "on")
_FALSE = ("no", "false", "off")

# The exceptions that PyYAML raises for a value that does not match its tag: it does not check the value first.
_OF_ANOTHER_FORM = (ValueError, ArithmeticError, AttributeError, LookupError, TypeError)


# PyYAML parses an integer in quadratic time, and Python refuses to print a long one.
MAX_NUMBER_LENGTH = 100
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")


class YamlEditError(FonnteError):
    """A YAML file cannot be read or changed."""


@dataclass(frozen=True)
class Edit:
    """A replacement of the characters from start up to end."""

    start: int
    end: int
    text: str


def apply(text: str, edits: t.Iterable[Edit]) -> str:
    """Return the text after all edits, which must not overlap."""
    for edit in sorted(edits, key=_start, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def _start(edit: Edit) -> int:
    return edit.start


def compose(text: str, path: str) -> yaml.Node | None:
    """Parse YAML into nodes, which have the position of each value; None for an empty document.

    Args:
        text: The YAML.
        path: The name of the file for messages.

    Raises:
        YamlEditError: The text is not valid YAML. The message does not contain it, since it may have secrets.
        MissingLibraryError: PyYAML is not installed.
    """
    if YAML_MISSING:
        raise MissingLibraryError("PyYAML", YAML_MISSING)
    if text.startswith(VAULT_HEADER):
        raise YamlEditError(
            f"{path} is encrypted with ansible-vault", "decrypt it (ansible-vault decrypt), run again, and encrypt it"
        )
    place = ""
    try:
        root: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
        return root
    except yaml.MarkedYAMLError as fault:
        place = f" in line {fault.problem_mark.line + 1}" if fault.problem_mark else ""
    except RecursionError:
        raise _too_deep(path) from None
    except (yaml.YAMLError, ValueError, OverflowError):
        # PyYAML does not check the range of numbers, such as the code of a character; Python refuses them.
        pass
    raise YamlEditError(
        f"{path} is not valid YAML{place}", "correct it: check quotes, colons and the spaces at the start of lines"
    )


def _too_deep(path: str) -> YamlEditError:
    return YamlEditError(f"{path} is nested too deeply to be read", "remove the extra brackets, braces or dashes")


def load(text: str, path: str, unread: t.Callable[[str], object]) -> object:
    """Parse YAML into data as Ansible does.

    Args:
        text: The YAML.
        path: The name of the file for messages.
        unread: Returns the replacement for a value that is not available: a template, or text encrypted with
            ansible-vault.

    Raises:
        YamlEditError: The text is not valid for Ansible, or has a duplicate key.
        MissingLibraryError: PyYAML is not installed.
    """
    root = compose(text, path)
    if root is None:
        return None
    twice = next(_find_duplicate_keys(root, set()), None)
    if twice is not None:
        raise YamlEditError(
            f"{path} has the key {twice.value} twice in one dictionary, the second time in line "
            f"{twice.start_mark.line + 1}",
            "remove one, since only one of them takes effect",
        )

    class Constructor(yaml.constructor.SafeConstructor):
        """A constructor that renders no templates and decrypts nothing."""

        yaml_constructors = {
            **yaml.constructor.SafeConstructor.yaml_constructors,
            "tag:yaml.org,2002:str": lambda self, node: _text_or(unread, self.construct_scalar(node)),
            "!vault": lambda self, node: unread(self.construct_scalar(node)),
            "!unsafe": lambda self, node: self.construct_scalar(node),
        }

        def construct_object(self, node: yaml.Node, deep: bool = False) -> object:
            """Return the value of a node; raise ConstructorError if it does not match its tag."""
            if node.tag in _NUMBERS and len(node.value) > MAX_NUMBER_LENGTH:
                raise yaml.constructor.ConstructorError(None, None, "too long for a number", node.start_mark)
            try:
                return super().construct_object(node, deep)
            except _OF_ANOTHER_FORM:
                raise yaml.constructor.ConstructorError(None, None, "of another form", node.start_mark) from None

    try:
        return Constructor().construct_document(root)
    except RecursionError:
        raise _too_deep(path) from None
    except yaml.MarkedYAMLError as fault:
        place = f" in line {fault.problem_mark.line + 1}" if fault.problem_mark else ""
    raise YamlEditError(
        f"{path} has a value that Ansible cannot read{place}", "check the type of the value, or quote it"
    )


def _text_or(unread: t.Callable[[str], object], text: str) -> object:
    return unread(text) if _TEMPLATE.search(text) else text


def _find_duplicate_keys(node: yaml.Node, seen: set[int]) -> t.Iterator[yaml.Node]:
    """Yield each duplicate key of a mapping. A node that aliases refer to is visited once."""
    if id(node) in seen or isinstance(node, yaml.ScalarNode):
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _find_duplicate_keys(item, seen)
        return
    keys: set[str] = set()
    for key, value in node.value:
        if isinstance(key, yaml.ScalarNode):
            if key.value in keys and key.tag != "tag:yaml.org,2002:merge":
                yield key
            keys.add(key.value)
        yield from _find_duplicate_keys(value, seen)


def ending_with_newline(text: str) -> str:
    """Return a text with a line end after the last line, unless it is empty."""
    return text if not text or text.endswith("\n") else text + "\n"


def render(value: str | bool) -> str:
    """Return a value as YAML. A string is always quoted, and "!unsafe" if it could become a template of Ansible."""
    if isinstance(value, bool):
        return "true" if value else "false"
    quoted: str = yaml.safe_dump(value, default_style='"', allow_unicode=True, width=math.inf)
    return ("!unsafe " if _PIECE.search(value) else "") + quoted.rstrip("\n")


def mappings(node: yaml.Node | None) -> list[yaml.MappingNode]:
    """Return the items of a sequence that are mappings."""
    return [part for part in parts(node) if isinstance(part, yaml.MappingNode)]


def pairs(node: yaml.Node | None) -> dict[str, yaml.Node]:
    """Return the values of a mapping by their keys; an empty dictionary for any other node."""
    if not isinstance(node, yaml.MappingNode):
        return {}
    return {key.value: value for key, value in node.value if isinstance(key, yaml.ScalarNode)}


def keys(node: yaml.Node | None) -> list[str]:
    """Return the keys of a mapping in their order, with duplicates; an empty list for any other node."""
    if not isinstance(node, yaml.MappingNode):
        return []
    return [key.value for key, _value in node.value if isinstance(key, yaml.ScalarNode)]


def parts(node: yaml.Node | None) -> list[yaml.Node]:
    """Return the items of a sequence; an empty list for any other node."""
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def is_list(node: yaml.Node | None) -> bool:
    """Return whether a node is a sequence."""
    return isinstance(node, yaml.SequenceNode)


def to_data(node: yaml.Node | None) -> str | None:
    """Return a scalar as the string that the file contains, without conversion; None for any other node."""
    return str(node.value) if isinstance(node, yaml.ScalarNode) else None


def is_empty(node: yaml.Node | None) -> bool:
    """Return whether a node has no value, as after a key with nothing behind its colon."""
    return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"


def is_unresolved(node: yaml.Node) -> bool:
    """Return whether the value of a node is not available: it is encrypted, or Ansible renders it."""
    text = to_data(node)
    if text is None or node.tag == "!vault":
        return True
    return node.tag != "!unsafe" and bool(_TEMPLATE.search(text))


def equals(node: yaml.Node, value: str | bool) -> bool:
    """Return whether a node has exactly this value."""
    text = to_data(node)
    if isinstance(value, bool):
        return text is not None and text.lower() in (_TRUE if value else _FALSE)
    return text == value


def set_keys(text: str, mapping: yaml.MappingNode, values: t.Mapping[str, str | bool]) -> list[Edit]:
    """Return the edits that set keys of a non-empty mapping. New keys are added after its last one."""
    there = pairs(mapping)
    edits = [_exchange(text, there[key], value) for key, value in values.items() if key in there]
    new = {key: render(value) for key, value in values.items() if key not in there}
    if not new:
        return edits
    at = _end(mapping.value[-1][1])
    if mapping.flow_style:
        added = Edit(at, at, "".join(f", {key}: {value}" for key, value in new.items()))
    else:
        indent = " " * mapping.start_mark.column
        at = _line_end(text, at)
        added = Edit(at, at, "".join(f"{indent}{key}: {value}\n" for key, value in new.items()))
    return [*edits, added]


def _exchange(text: str, node: yaml.Node, value: str | bool) -> Edit:
    start, end = node.start_mark.index, node.end_mark.index
    before = " " if text[start - 1] == ":" else ""
    after = "\n" if end > start and text[end - 1] == "\n" else ""
    return Edit(start, end, before + render(value) + after)


def append(text: str, sequence: yaml.Node, entries: t.Iterable[t.Mapping[str, str | bool | None]]) -> list[Edit]:
    """Return the edits that add mappings to a sequence. A value of None is left empty."""
    there = parts(sequence)
    if not there:
        # The sequence is missing, or is an empty pair of brackets.
        start, after = sequence.start_mark.index, _line_end(text, sequence.end_mark.index)
        colon = len(text[:start].rstrip(" "))
        line = text[text.rfind("\n", 0, start) + 1 : start]
        column = len(line) - len(line.lstrip(" -")) + 2
        return [Edit(colon, sequence.end_mark.index, ""), Edit(after, after, _lines(entries, column))]
    if isinstance(sequence, yaml.CollectionNode) and sequence.flow_style:
        at = _end(there[-1])
        return [Edit(at, at, "".join(f", {_braced(entry)}" for entry in entries))]
    at = _line_end(text, _end(sequence))
    return [Edit(at, at, _lines(entries, sequence.start_mark.column))]


def _braced(entry: t.Mapping[str, str | bool | None]) -> str:
    return "{" + ", ".join(f"{key}: {_or_nothing(value)}" for key, value in entry.items()) + "}"


def _or_nothing(value: str | bool | None) -> str:
    return "" if value is None else render(value)


def _lines(entries: t.Iterable[t.Mapping[str, str | bool | None]], column: int) -> str:
    lines = []
    for entry in entries:
        for index, (key, value) in enumerate(entry.items()):
            start = " " * column + ("  " if index else "- ")
            lines.append(f"{start}{key}: {_or_nothing(value)}".rstrip() + "\n")
    return "".join(lines)


def _end(node: yaml.Node) -> int:
    """Return the end of the last value in a node: the parser's end of a block is the start of the next token."""
    while isinstance(node, yaml.CollectionNode) and node.value and not node.flow_style:
        last = node.value[-1]
        node = last[1] if isinstance(node, yaml.MappingNode) else last
    return int(node.end_mark.index)


def _line_end(text: str, index: int) -> int:
    """Return the start of the next line, or the index itself if it is at the start of a line."""
    if index and text[index - 1] == "\n":
        return index
    return text.index("\n", index) + 1
