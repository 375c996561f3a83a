# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Run fonnte_audit on several accounts: a report for each, in a directory below the destination."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.audit import AUDIT, run_audit
from ansible_collections.fonnte.whatsapp.plugins.plugin_utils._controller import untag
from ansible_collections.fonnte.whatsapp.plugins.plugin_utils._declared import (
    DeclaredAction,
    Result,
    add_up,
    warnings_of,
)


class AuditAction(DeclaredAction):
    """The action of fonnte_audit."""

    spec = AUDIT
    command = staticmethod(run_audit)

    def _run_accounts(self, variables: dict[str, t.Any], why: str, accounts: list[Result], files: int) -> Result:
        several = len(accounts) > 1
        results = [self._account(variables, why, account, several, files) for account in accounts]
        failures = [str(one["msg"]) for one in results if one.get("failed")]
        result = results[0] if len(results) == 1 else _joined(accounts, results)
        result["failures"] = failures
        if failures:
            result.update(failed=True, msg=" ".join(failures))
        return result

    def _account(self, variables: dict[str, t.Any], why: str, account: Result, several: bool, files: int) -> Result:
        arguments = self._arguments_of(account)
        dest = arguments.get("dest")
        if dest and several:
            arguments["dest"] = os.path.join(str(dest), account["name"])
        # With several files, a device without a client belongs to its file.
        owners = account["sources"] if files > 1 else {}
        arguments["owners"] = {**owners, **account["owners"], **untag(self._task.args.get("owners") or {})}
        return self._run_module(variables, why, arguments, bool(self._task.check_mode))


def _joined(accounts: t.Sequence[Result], results: t.Sequence[Result]) -> Result:
    """Merge the results of several accounts. The paths of the reports are grouped by account."""
    return {
        "changed": False,
        "findings": [finding for one in results for finding in one.get("findings", ())],
        "summary": add_up([one["summary"] for one in results if "summary" in one]),
        "text": "\n".join(one["text"] for one in results if "text" in one),
        "files": {account["name"]: one.get("files", {}) for account, one in zip(accounts, results)},
        **warnings_of(results),
    }
