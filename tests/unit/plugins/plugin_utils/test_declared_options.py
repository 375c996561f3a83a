# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a task with several accounts are valid before the first account is read, and shared state is safe."""

from __future__ import annotations

import typing as t
from types import SimpleNamespace

import pytest

from ansible_collections.fonnte.whatsapp.plugins.plugin_utils import _in_process
from ansible_collections.fonnte.whatsapp.plugins.plugin_utils._declared_audit import AuditAction
from ansible_collections.fonnte.whatsapp.plugins.plugin_utils._declared_fleet import FleetAction

ACCOUNTS = [
    {"name": name, "devices": [], "account_token": f"token of {name}", "owners": {}, "clients": [], "sources": {}}
    for name in ("bunga", "warung")
]


class Stub:
    """An action whose accounts are not read from files, and whose module is not run."""

    def __init__(self, **args: object) -> None:
        super().__init__(SimpleNamespace(args={"files": "clients", **args}), None, None, None, None, None)
        self._task.action, self._task.async_val, self._task.check_mode = "fonnte.whatsapp.fonnte_fleet", 0, False
        self._task.until, self._task.retries = None, 0
        self.runs: list[t.Mapping[str, t.Any]] = []

    def _read(self, _variables: object) -> tuple[list[t.Any], list[str], int]:
        return list(ACCOUNTS), [], 1

    def _run_here(self, _variables: object, arguments: t.Mapping[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
        self.runs.append(arguments)
        summary = dict.fromkeys(("created", "updated", "disconnected", "unchanged", "cleared"), 0)
        return {"changed": True, "summary": summary, "devices": []}


class Fleet(Stub, FleetAction):
    pass


class Audit(Stub, AuditAction):
    pass


@pytest.mark.parametrize(
    ("kind", "args", "words"),
    [
        # The user wants a limit: null must not be none.
        (Fleet, {"max_clear": None}, "max_clear"),
        (Fleet, {"max_clear": ""}, "max_clear"),
        (Fleet, {"max_create": "three"}, "max_create"),
        (Fleet, {"canary": "all"}, "canary"),
        (Fleet, {"on_error": "wait"}, "on_error"),
        (Fleet, {"tokens": "/srv/tokens"}, "tokens is not a dictionary"),
        (Audit, {"owners": ["Toko"]}, "owners"),
    ],
)
def test_invalid_option_fails_before_the_first_account(kind: type[Stub], args: dict[str, object], words: str) -> None:
    action = kind(**args)
    result = action._perform({}, "")
    assert result["failed"] and words in result["msg"] and "Nothing was done." in result["msg"]
    assert action.runs == []


def test_valid_options_are_used() -> None:
    action = Fleet(max_clear="5", canary="0", max_create=None, on_error="stop")
    assert not action._perform({}, "").get("failed")
    assert [run["account_token"] for run in action.runs if "max_create" in run][2:] == [
        "token of bunga",
        "token of warung",
    ]


def test_cache_of_the_process_is_cleared_once_for_all_accounts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The accounts share the session of the database: one that ends must not close it for the others."""
    cleared: list[int] = []
    monkeypatch.setattr(_in_process.CACHE, "clear", lambda: cleared.append(1))
    action = Fleet()
    action._task.retries = 3
    monkeypatch.setattr(type(action), "_fallback_reason", lambda self, variables: "")
    monkeypatch.setattr(type(action), "_module_environment", lambda self: _in_process.contextlib.nullcontext())
    monkeypatch.setattr(_in_process.ActionBase, "run", lambda self, tmp, task_vars: {})
    assert action._run({})["changed"] and len(action.runs) == 4 and cleared == [1]
