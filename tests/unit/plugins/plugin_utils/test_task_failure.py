# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The error of a failed task, in the forms of all ansible-cores."""

from __future__ import annotations

import typing as t
from types import SimpleNamespace

import pytest

from ansible_collections.fonnte.whatsapp.plugins.plugin_utils._task_failure import read_failure


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ({"failed": True, "msg": "it failed"}, "it failed"),
        # A failed include of ansible-core 2.16.
        ({"failed": True, "reason": "Could not find nothing.yml"}, "Could not find nothing.yml"),
        ({"failed": True}, "the task returned no message"),
        ({"results": [{"msg": "well"}, {"failed": True, "msg": "it failed"}]}, "it failed"),
    ],
)
def test_error_of_a_failed_task_is_found(data: dict[str, t.Any], error: str) -> None:
    host, task = SimpleNamespace(get_name=lambda: "localhost"), SimpleNamespace(no_log=False, action="include_tasks")
    result = SimpleNamespace(host=host, task=task, result=data, task_name="Include", _task_fields={})
    assert read_failure(result).error == error
