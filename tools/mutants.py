# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The mutants of a file: the same code with one small thing changed. Needs tools/requirements/mutation.txt.

The changes are mutmut's. Its own runner leaves out what is decorated and what is outside of functions, and so all
dataclasses and tables. Hence it is not used, and three kinds of change are added: a call is left out, a condition is
turned round, an element of a list is dropped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterator, List, Set, Tuple

import libcst
from libcst.metadata import MetadataWrapper
from mutmut.mutation.mutators import mutation_operators

# Their arguments are types, which mypy checks. Of a cast the second is a value, so what is in it is changed.
ABOUT_TYPES = ("isinstance", "cast", "TypeVar")
SEQUENCES = (libcst.Tuple, libcst.List, libcst.Set, libcst.Dict)


@dataclass(frozen=True)
class Mutant:
    """One change of a file.

    Attributes:
        where: The function or class in which it is, with dots; empty for the module.
        line: The number of the first line that differs.
        before: The lines that differ, as they are, without the indentation.
        after: The same lines as they are in the mutant.
        code: The whole text of the mutant.
    """

    where: str
    line: int
    before: str
    after: str
    code: str


def mutants_of(code: str) -> Iterator[Mutant]:
    """Yield every mutant of a text that compiles, each once."""
    # The wrapper makes every node an object of its own, so that one can be replaced alone.
    module = MetadataWrapper(libcst.parse_module(code)).module
    seen: Set[str] = {code}
    for statement in module.body:
        # Only what is around one statement is written anew: it is many times quicker than the whole file.
        start, end = _around(code, module, statement)
        for node, where in _nodes(statement, ""):
            for changed in _changes(node):
                text = start + module.code_for_node(statement.deep_replace(node, changed)) + end
                if text not in seen and _compiles(text):
                    seen.add(text)
                    yield _mutant(where, code, text)


def _around(code: str, module: Any, statement: Any) -> Tuple[str, str]:
    """Return the text before a statement of the module, and the text after it."""
    place = module.body.index(statement)
    rest = "".join(module.code_for_node(later) for later in module.body[place:])
    footer = "".join(module.code_for_node(line) for line in module.footer)
    end = "".join(module.code_for_node(later) for later in module.body[place + 1 :]) + footer
    return code[: len(code) - len(rest + footer)], end


def _nodes(node: Any, where: str) -> Iterator[Tuple[Any, str]]:
    """Yield all nodes but those of types and decorators, each with the name of what it is in."""
    if isinstance(node, (libcst.Annotation, libcst.Decorator)) or _is_call_of(node, ("TypeVar",)):
        return
    yield node, where
    if isinstance(node, (libcst.FunctionDef, libcst.ClassDef)):
        where = "%s.%s" % (where, node.name.value) if where else node.name.value
    for child in node.children:
        yield from _nodes(child, where)


def _changes(node: Any) -> Iterator[Any]:
    if _is_prose(node) or _is_call_of(node, ABOUT_TYPES):
        return
    for kind, operator in mutation_operators:
        if isinstance(node, kind):
            for changed in operator(node):
                if not _loses_only_prose(node, changed):
                    yield changed
    yield from _without_call(node)
    yield from _turned_round(node)
    yield from _without_element(node)


def _without_call(node: Any) -> Iterator[Any]:
    if isinstance(node, libcst.Expr) and isinstance(node.value, libcst.Call):
        yield libcst.Pass()


def _turned_round(node: Any) -> Iterator[Any]:
    """Yield the opposite of a condition that is one name, call or attribute: mutmut changes the others."""
    if isinstance(node, (libcst.If, libcst.IfExp, libcst.CompIf)):
        if isinstance(node.test, (libcst.Name, libcst.Call, libcst.Attribute)):
            yield node.with_changes(test=libcst.UnaryOperation(libcst.Not(), node.test))


def _without_element(node: Any) -> Iterator[Any]:
    if isinstance(node, SEQUENCES) and len(node.elements) > 1:
        for index in range(len(node.elements)):
            yield node.with_changes(elements=[*node.elements[:index], *node.elements[index + 1 :]])


def _loses_only_prose(node: Any, changed: Any) -> bool:
    """Tell whether all that is gone is a sentence for people: the value of a name, or an argument."""
    if isinstance(node, (libcst.Assign, libcst.AnnAssign)):
        return _is_prose(node.value)
    if isinstance(node, libcst.Call) and isinstance(changed, libcst.Call) and len(node.args) == len(changed.args):
        gone = [old for old, new in zip(node.args, changed.args) if old is not new]
        return bool(gone) and all(_is_prose(argument.value) for argument in gone)
    return False


def _is_prose(node: Any) -> bool:
    """Tell whether it is a text for people: with a space, and no pattern."""
    if isinstance(node, libcst.ConcatenatedString):
        return _is_prose(node.left) or _is_prose(node.right)
    if isinstance(node, libcst.SimpleString):
        return " " in node.value and "r" not in node.prefix
    if isinstance(node, libcst.FormattedString):
        return any(isinstance(part, libcst.FormattedStringText) and " " in part.value for part in node.parts)
    return False


def _is_call_of(node: Any, names: Tuple[str, ...]) -> bool:
    if not isinstance(node, libcst.Call):
        return False
    called = node.func.attr if isinstance(node.func, libcst.Attribute) else node.func
    return isinstance(called, libcst.Name) and called.value in names


def _compiles(text: str) -> bool:
    try:
        compile(text, "mutant", "exec")
    except SyntaxError:
        return False
    return True


def _mutant(where: str, code: str, text: str) -> Mutant:
    old, new = code.splitlines(), text.splitlines()
    first = _same(old, new)
    last = _same(old[first:][::-1], new[first:][::-1])
    return Mutant(where, first + 1, _bare(old[first : len(old) - last]), _bare(new[first : len(new) - last]), text)


def _same(one: List[str], other: List[str]) -> int:
    """Return how many lines two texts have in common from the start."""
    count = 0
    for left, right in zip(one, other):
        if left != right:
            break
        count += 1
    return count


def _bare(lines: List[str]) -> str:
    return "\n".join(line.strip() for line in lines)
