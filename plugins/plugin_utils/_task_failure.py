# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Read a failed task from the object that Ansible passes to callbacks, which differs between versions of Ansible."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.fonnte.whatsapp.plugins.plugin_utils._controller import untag

Result = t.Mapping[str, t.Any]


@dataclass(frozen=True)
class TaskFailure:
    """A failed task, with all its secrets.

    Attributes:
        host: The name of the host.
        task: The name of the task.
        error: The error; empty if the task has ``no_log``.
        arguments: The options and the environment of the task.
    """

    host: str
    task: str
    error: str = field(repr=False)
    arguments: t.Mapping[str, t.Any] = field(repr=False)


def read_failure(result: t.Any) -> TaskFailure:
    """Return the failure that an event of a callback describes."""
    host, task, data = (_attribute(result, name) for name in ("host", "task", "result"))
    fields = getattr(result, "_task_fields", None) or {}
    hidden = _is_hidden(task, fields, data)
    name = _written_name(task) if hidden else str(result.task_name)
    arguments = {} if hidden else untag({key: fields.get(key) for key in ("args", "environment")})
    error = "" if hidden else _error(data)
    return TaskFailure(str(host.get_name()), name, error, arguments)


def _attribute(result: t.Any, name: str) -> t.Any:
    """Return an attribute, whose name begins with an underscore before ansible-core 2.19."""
    return getattr(result, name) if hasattr(result, name) else getattr(result, f"_{name}")


def _written_name(task: t.Any) -> str:
    """Return the name of a task as its file has it. A template in it may contain the secret that no_log hides."""
    written = getattr(task, "_ds", None)
    name = written.get("name") if isinstance(written, t.Mapping) else None
    return str(untag(name) if isinstance(name, str) else task.action)


def _is_hidden(task: t.Any, fields: Result, data: Result) -> bool:
    """Return whether no_log hides the result, or may hide it: it may be a template that was not evaluated."""
    declared = fields.get("no_log", getattr(task, "no_log", False))
    return bool(
        declared or getattr(task, "no_log", False) is True or _is_censored(data) or any(map(_is_censored, _items(data)))
    )


def _is_censored(data: Result) -> bool:
    return "censored" in data or bool(data.get("_ansible_no_log"))


def _items(data: Result) -> list[Result]:
    """Return the results of the items of a loop."""
    found = data.get("results")
    return [item for item in found if isinstance(item, t.Mapping)] if isinstance(found, (list, tuple)) else []


def _error(data: Result) -> str:
    """Return the error of a task, or of the first failed item of its loop."""
    failed = [item for item in _items(data) if _has_failed(item)]
    reported = (failed or [data])[0]
    # ansible-core 2.16 has the error of an include in ``reason``.
    message = str(untag(reported.get("msg") or reported.get("reason")) or "")
    return message or "the task returned no message"


def _has_failed(item: Result) -> bool:
    """Return whether the item of a loop has failed. Since ansible-core 2.19, it has no key ``failed`` in a callback."""
    if "failed_when_result" in item:
        return bool(item["failed_when_result"])
    return bool(item.get("failed") or item.get("unreachable") or "exception" in item)
