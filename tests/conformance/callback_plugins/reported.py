# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the result of each task to a file, as a line of JSON."""

from __future__ import annotations

import json
import os
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: reported
type: notification
short_description: Writes each result of a task as a line of JSON
description:
  - For the conformance tests. The file is named by the environment variable E(FONNTE_TESTS_REPORTED).
"""


class CallbackModule(CallbackBase):
    """A callback that receives results as users see them, after Ansible has masked secrets."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "reported"
    CALLBACK_NEEDS_ENABLED = True

    def _write(self, result: Any, failed: bool) -> None:
        # Newer cores deprecate the private attributes; older cores have only these.
        reported = result.result if hasattr(result, "result") else result._result
        task = result.task if hasattr(result, "task") else result._task
        line = {"task": task.get_name().strip(), "failed": failed, "reported": reported}
        with open(os.environ["FONNTE_TESTS_REPORTED"], "a", encoding="utf-8") as stream:
            stream.write(json.dumps(line, default=str) + "\n")

    def v2_runner_on_ok(self, result: Any) -> None:
        """Write the result of a task that succeeded."""
        self._write(result, False)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """Write the result of a task that failed."""
        self._write(result, True)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """Write the result of a task whose host was unreachable."""
        self._write(result, True)
