# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Replacement of characters in external strings, so that Ansible never evaluates one as a template (invariant 7).

ansible-rulebook writes events into extra vars, and Ansible trusts extra vars as templates. A rulebook may first join,
slice, trim or lowercase the strings, and it evaluates a string that is a Python literal. So all characters that
could begin a template, alone or in combination, are replaced:

- ``{``, as in ``{{``, ``{%`` and ``{#``;
- ``#``, as in a first line ``#jinja2:variable_start_string:'<<'``, which defines other delimiters;
- ``\\`` and quotation marks: without them a string cannot be a literal such as ``'\\x7b'`` or ``'#' 'jinja2:'``;
- a key that begins with ``__ansible``, such as ``__ansible_vault``, which Ansible's parser decodes.

Each is replaced by its full-width or typographic form.
"""

from __future__ import annotations

import re
import typing as t

MAX_PATHS = 50
MAX_PATH_LENGTH = 200
# Stands for all further paths.
MORE = "…"

_HEADER_WORD = re.compile("(?i)(inja)2")
_RESERVED_KEY = "__ansible"
_RESERVED_BEGIN = "\uff3f\uff3f"

_REPLACED = str.maketrans({"{": "\uff5b", "#": "\uff03", "\\": "\uff3c", "'": "\u2019", '"': "\u201d", "`": "\u2018"})


def make_inert(value: t.Any) -> tuple[t.Any, list[str]]:
    """Return a copy of plain data without templates, and the paths of the replaced strings.

    Args:
        value: Dictionaries with string keys, lists and scalars, in any depth that Python can recurse into.

    Returns:
        The data, and at most ``MAX_PATHS`` paths such as ``other.list[0]``, then ``MORE``. A path contains the keys
        of the returned data.
    """
    paths: list[str] = []
    return _inert(value, "", paths), paths


def make_inert_string(text: str) -> str:
    """Return a string that is not a template, and that cannot form one together with other strings."""
    # A rulebook may add the "#" itself.
    return _HEADER_WORD.sub("\\1\uff12", text.translate(_REPLACED))


def _inert(value: t.Any, path: str, paths: list[str]) -> t.Any:
    if isinstance(value, dict):
        return _inert_dictionary(value, path, paths)
    if isinstance(value, (list, tuple)):
        return [_inert(part, "%s[%d]" % (path, index), paths) for index, part in enumerate(value)]
    if not isinstance(value, str):
        return value
    text = make_inert_string(value)
    if text != value:
        _note(path, paths)
    return text


def _inert_dictionary(value: dict[t.Any, t.Any], path: str, paths: list[str]) -> dict[t.Any, t.Any]:
    result: dict[t.Any, t.Any] = {}
    numbers: dict[t.Any, int] = {}
    for key, part in value.items():
        name = _free_name(_inert_key(key), key, (value, result), numbers)
        inner = "%s.%s" % (path, name) if path else str(name)
        if name != key:
            _note(inner, paths)
        result[name] = _inert(part, inner[: MAX_PATH_LENGTH + 1], paths)
    return result


def _inert_key(key: t.Any) -> t.Any:
    if not isinstance(key, str):
        return key
    name = make_inert_string(key)
    # Ansible's parser decodes such keys, and fails if their value has another form than it expects.
    return _RESERVED_BEGIN + name[2:] if name.startswith(_RESERVED_KEY) else name


def _free_name(
    name: t.Any, key: t.Any, used: tuple[dict[t.Any, t.Any], dict[t.Any, t.Any]], numbers: dict[t.Any, int]
) -> t.Any:
    """Return a changed key with a suffix if it is already used, so that no value is lost.

    For each name, each number is tried once, so the time is linear in the number of keys.
    """
    free = name
    while free != key and any(free in keys for keys in used):
        numbers[name] = numbers.get(name, 0) + 1
        free = "%s_%s" % (name, numbers[name] if numbers[name] > 1 else "")
    return free


def _note(path: str, paths: list[str]) -> None:
    path = path if len(path) <= MAX_PATH_LENGTH else path[:MAX_PATH_LENGTH] + MORE
    if len(paths) < MAX_PATHS and path not in paths:
        paths.append(path)
    elif path not in paths and paths[-1] != MORE:
        paths.append(MORE)
