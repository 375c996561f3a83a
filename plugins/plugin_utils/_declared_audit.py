# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Run fonnte_audit on several accounts: a report for each, in a directory below the destination."""

from __future__ import annotations

import contextlib
import os
import typing as t

from ansible_collections.fonnte.whatsapp.plugins.module_utils._audit.exports import FILE_MODE
from ansible_collections.fonnte.whatsapp.plugins.module_utils._audit.metrics import OPTION as PROM
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.atomic_files import write_in
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.destinations import (
    ForeignLinkError,
    close_descriptor,
    open_directory,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.input_files import read_start
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.audit import AUDIT, NAMES, run_audit
from ansible_collections.fonnte.whatsapp.plugins.plugin_utils._declared import (
    DeclaredAction,
    Result,
    add_up,
    warnings_of,
)

# The list of the places of the reports of the last run, in the directory of the reports.
INDEX = ".audit-reports"


class AuditAction(DeclaredAction):
    """The action of fonnte_audit."""

    spec = AUDIT
    command = staticmethod(run_audit)

    def _run_accounts(self, variables: dict[str, t.Any], why: str, accounts: list[Result], files: int) -> Result:
        several = len(accounts) > 1
        results = self._run_all(lambda account: self._account(variables, why, account, several, files), accounts, why)
        failures = [str(one["msg"]) for one in results if one.get("failed")]
        result = results[0] if len(results) == 1 else _joined(accounts, results)
        result["failures"] = failures
        # An account that cannot be read keeps its last report. If none can, nothing is known about the directory.
        if not why and not self._selects and any(one.get("files") for one in results):
            places = [str(account["name"]) for account in accounts] if several else [os.curdir]
            remove_older_reports(str(self._task.args.get("dest") or ""), places)
        if failures:
            result.update(failed=True, msg=" ".join(failures))
        return result

    def _account(self, variables: dict[str, t.Any], why: str, account: Result, several: bool, files: int) -> Result:
        arguments = self._arguments_of(account)
        dest = arguments.get("dest")
        if dest and several:
            arguments["dest"] = os.path.join(str(dest), account["name"])
        if arguments.get(PROM) and several:
            # A collector reads one directory.
            start, end = os.path.splitext(str(arguments[PROM]))
            arguments[PROM] = f"{start}-{account['name']}{end}"
        # With several files, a device without a client belongs to its file.
        owners = account["sources"] if files > 1 else {}
        arguments["owners"] = {**owners, **account["owners"], **(self._validated.get("owners") or {})}
        return self._run_module(variables, why, arguments, bool(self._task.check_mode))


def remove_older_reports(dest: str, places: t.Collection[str]) -> None:
    """Remove the reports of the last run into a directory that have no account any more.

    A list in the directory names the places of the last reports. Nothing else is removed, and no link is followed.

    Args:
        dest: The directory of the task.
        places: The directories below it of the accounts of this run.
    """
    if not dest:
        return
    current = sorted(places)
    # A group may share the directory, so its entries are opened in it, and no entry of another user is trusted.
    with contextlib.suppress(OSError, ForeignLinkError):
        directory = open_directory(dest)
        try:
            before = _read_places(directory)
            for place in set(before) - set(current):
                _remove_report(directory, place)
            if before != current:
                write_in(directory, INDEX, "".join(f"{place}\n" for place in current).encode(), FILE_MODE)
        finally:
            close_descriptor(directory)


def _read_places(directory: int) -> list[str]:
    """Return the places in the list of the last run; none if it is missing, or belongs to another user."""
    try:
        if os.stat(INDEX, dir_fd=directory, follow_symlinks=False).st_uid not in (0, os.geteuid()):
            return []
        return read_start(INDEX, 64 * 1024, directory).decode().splitlines()
    except (OSError, ValueError):
        return []


def _remove_report(directory: int, place: str) -> None:
    if place in ("", os.pardir) or os.sep in place:
        return
    try:
        folder = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
    except OSError:
        return
    try:
        if os.fstat(folder).st_uid not in (0, os.geteuid()):
            return
        for spec in NAMES.values():
            with contextlib.suppress(FileNotFoundError):
                os.unlink(str(spec["default"]), dir_fd=folder)
    finally:
        close_descriptor(folder)
    if place != os.curdir:
        with contextlib.suppress(OSError):
            os.rmdir(place, dir_fd=directory)


def _joined(accounts: t.Sequence[Result], results: t.Sequence[Result]) -> Result:
    """Merge the results of several accounts. The paths of the reports are grouped by account."""
    return {
        "changed": False,
        "findings": [finding for one in results for finding in one.get("findings", ())],
        "summary": add_up([one["summary"] for one in results if "summary" in one]),
        "receivers": _joined_receivers(results),
        "text": "\n".join(one["text"] for one in results if "text" in one),
        "files": {account["name"]: one.get("files", {}) for account, one in zip(accounts, results)},
        **warnings_of(results),
    }


def _joined_receivers(results: t.Sequence[Result]) -> list[Result] | None:
    """Return the checked receivers of all accounts; None if they were not checked."""
    checked = [one["receivers"] for one in results if one.get("receivers") is not None]
    return [receiver for receivers in checked for receiver in receivers] if checked else None
