# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print each result as a line of JSON on standard output."""

from __future__ import annotations

import json
from typing import Any

from ansible.parsing.ajson import AnsibleJSONEncoder
from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: lines
type: stdout
short_description: Prints each result of a task as a line of JSON
description:
  - For the conformance tests. It stands for C(ansible.posix.jsonl) where that collection is not installed.
"""


class CallbackModule(CallbackBase):
    """A callback for standard output that prints only JSON."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "lines"

    def _print(self, event: str, result: Any) -> None:
        # Newer cores deprecate the private attributes; older cores have only these.
        reported = result.result if hasattr(result, "result") else result._result
        self._display.display(json.dumps({"event": event, "result": reported}, cls=AnsibleJSONEncoder))

    def v2_runner_on_ok(self, result: Any) -> None:
        """Print the result of a task that succeeded."""
        self._print("ok", result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """Print the result of a task that failed."""
        self._print("failed", result)

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """Print the summary of each host."""
        summary = {host: stats.summarize(host) for host in sorted(stats.processed)}
        self._display.display(json.dumps({"event": "stats", "result": summary}))
