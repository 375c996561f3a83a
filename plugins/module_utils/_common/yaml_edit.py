# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""YAML that people write in: it is changed as text, so that their comments and their order stay.

A parser tells where a value stands, and only that place is changed. Whoever changes a text reads it once more
and compares, since YAML can be written in more ways than are handled here.
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
# The last form defines other delimiters, and so needs no brace.
_TEMPLATE = re.compile(r"\{\{|\{%|\{#|\A#jinja2:")
# What is a template, or could become one when a playbook cuts it or joins it with another: never written as one.
_PIECE = re.compile(r"\{[{%#]|\A\s*\{|\{\s*\Z|#(?=\s*(?:ji|j?\Z))|inja2")
_TRUE = ("yes", "true", "on")
_FALSE = ("no", "false", "off")

# What PyYAML ends with at a value that has not the form of its tag: it takes the form for granted.
_OF_ANOTHER_FORM = (ValueError, ArithmeticError, AttributeError, LookupError, TypeError)


# PyYAML's time for an integer grows with the square of its length, and Python refuses to print a long one.
MAX_NUMBER_LENGTH = 100
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")


class YamlEditError(FonnteError):
    """A file that people write in cannot be read or changed."""


@dataclass(frozen=True)
class Edit:
    """The characters from start up to end are replaced by other text."""

    start: int
    end: int
    text: str


def apply(text: str, edits: t.Iterable[Edit]) -> str:
    """Return the text with all edits made; none may overlap another."""
    for edit in sorted(edits, key=_start, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def _start(edit: Edit) -> int:
    return edit.start


def compose(text: str, path: str) -> yaml.Node | None:
    """Return what a text says, with the place of each value; None where it says nothing.

    Raises:
        YamlEditError: It is not YAML. The text itself is not repeated, since it may hold secrets.
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
        # PyYAML looks at the numbers in a text, such as the code of a character, only when Python refuses them.
        pass
    raise YamlEditError(
        f"{path} is no YAML{place}", "correct it: look at quotes, colons and the spaces at the start of lines"
    )


def _too_deep(path: str) -> YamlEditError:
    return YamlEditError(
        f"{path} is nested too deeply to be read", "take out the brackets, braces or dashes that are too many"
    )


def load(text: str, path: str, unread: t.Callable[[str], object]) -> object:
    """Return what a text says, as Ansible would read it.

    Args:
        text: The YAML.
        path: What an error calls it.
        unread: What stands for a value that is not here: a template, or text encrypted with ansible-vault.

    Raises:
        YamlEditError: It is not YAML that Ansible reads, or says one thing twice.
        MissingLibraryError: PyYAML is not installed.
    """
    root = compose(text, path)
    if root is None:
        return None
    twice = next(_find_duplicate_keys(root, set()), None)
    if twice is not None:
        raise YamlEditError(
            f"{path} says {twice.value} twice in one place, the second time in line {twice.start_mark.line + 1}",
            "take one out, since only one of them counts",
        )

    class Constructor(yaml.constructor.SafeConstructor):
        """Fills in nothing and decrypts nothing."""

        yaml_constructors = {
            **yaml.constructor.SafeConstructor.yaml_constructors,
            "tag:yaml.org,2002:str": lambda self, node: _text_or(unread, self.construct_scalar(node)),
            "!vault": lambda self, node: unread(self.construct_scalar(node)),
            "!unsafe": lambda self, node: self.construct_scalar(node),
        }

        def construct_object(self, node: yaml.Node, deep: bool = False) -> object:
            """Return what a node says; ConstructorError where it is not what its tag says."""
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
        f"{path} has a value that Ansible cannot read{place}", "see what kind of value it is, or quote it"
    )


def _text_or(unread: t.Callable[[str], object], text: str) -> object:
    return unread(text) if _TEMPLATE.search(text) else text


def _find_duplicate_keys(node: yaml.Node, seen: set[int]) -> t.Iterator[yaml.Node]:
    """Yield each key that its mapping had before. A node that is used again by an alias is looked at once."""
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
    """Return a text in which every line, the last one too, ends."""
    return text if not text or text.endswith("\n") else text + "\n"


def render(value: str | bool) -> str:
    """Return a value as it is written. A text is always in quotes, and never becomes a template of Ansible."""
    if isinstance(value, bool):
        return "true" if value else "false"
    quoted: str = yaml.safe_dump(value, default_style='"', allow_unicode=True, width=math.inf)
    return ("!unsafe " if _PIECE.search(value) else "") + quoted.rstrip("\n")


def mappings(node: yaml.Node | None) -> list[yaml.MappingNode]:
    """Return the mappings in a list."""
    return [part for part in parts(node) if isinstance(part, yaml.MappingNode)]


def pairs(node: yaml.Node | None) -> dict[str, yaml.Node]:
    """Return the values of a mapping by their keys; nothing where it is no mapping."""
    if not isinstance(node, yaml.MappingNode):
        return {}
    return {key.value: value for key, value in node.value if isinstance(key, yaml.ScalarNode)}


def keys(node: yaml.Node | None) -> list[str]:
    """Return the keys of a mapping in their order, each as often as it is there."""
    if not isinstance(node, yaml.MappingNode):
        return []
    return [key.value for key, _value in node.value if isinstance(key, yaml.ScalarNode)]


def parts(node: yaml.Node | None) -> list[yaml.Node]:
    """Return the values of a list; nothing where it is no list."""
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def is_list(node: yaml.Node | None) -> bool:
    """Tell whether a node is a list."""
    return isinstance(node, yaml.SequenceNode)


def to_data(node: yaml.Node | None) -> str | None:
    """Return the text of a single value as it is written, whatever YAML would make of it; None where it is none."""
    return str(node.value) if isinstance(node, yaml.ScalarNode) else None


def is_empty(node: yaml.Node | None) -> bool:
    """Tell whether there is no value, as behind a key with nothing after its colon."""
    return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"


def is_unresolved(node: yaml.Node) -> bool:
    """Tell whether the value itself is not here: it is encrypted, or Ansible fills it in."""
    text = to_data(node)
    if text is None or node.tag == "!vault":
        return True
    return node.tag != "!unsafe" and bool(_TEMPLATE.search(text))


def equals(node: yaml.Node, value: str | bool) -> bool:
    """Tell whether a node holds just this value."""
    text = to_data(node)
    if isinstance(value, bool):
        return text is not None and text.lower() in (_TRUE if value else _FALSE)
    return text == value


def set_keys(text: str, mapping: yaml.MappingNode, values: t.Mapping[str, str | bool]) -> list[Edit]:
    """Return the edits that set keys of a mapping that has some; new ones come after the last that is there."""
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
    """Return the edits that add mappings to a list. A value that is None stays empty."""
    there = parts(sequence)
    if not there:
        # Nothing, or a pair of brackets.
        start, after = sequence.start_mark.index, _line_end(text, sequence.end_mark.index)
        colon = len(text[:start].rstrip(" "))
        return [Edit(colon, sequence.end_mark.index, ""), Edit(after, after, _lines(entries, 2))]
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
    """Return where the last value in a node ends: the end of a block is the beginning of what follows it."""
    while isinstance(node, yaml.CollectionNode) and node.value and not node.flow_style:
        last = node.value[-1]
        node = last[1] if isinstance(node, yaml.MappingNode) else last
    return int(node.end_mark.index)


def _line_end(text: str, index: int) -> int:
    """Return the start of the next line, or index itself where a line starts there."""
    if index and text[index - 1] == "\n":
        return index
    return text.index("\n", index) + 1
