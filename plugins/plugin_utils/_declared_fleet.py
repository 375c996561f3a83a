# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Run fonnte_fleet on several accounts: safety limits over all of them, and the export of tokens."""

from __future__ import annotations

import os
import threading
import typing as t
from dataclasses import dataclass, field

from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import OptionError
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.spellings import SecretFinder
from ansible_collections.fonnte.whatsapp.plugins.module_utils._fleet.accounts import (
    HAS_WORK,
    LIMITS,
    AccountsOptions,
    reconcile_accounts,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._fleet.tokens import tokens_by_client
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.device_info import DEVICE_INFO, run_device_info
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.fleet import FLEET, run_fleet
from ansible_collections.fonnte.whatsapp.plugins.module_utils._options.common import API
from ansible_collections.fonnte.whatsapp.plugins.plugin_utils._controller import untag
from ansible_collections.fonnte.whatsapp.plugins.plugin_utils._declaration_sources import SourceError
from ansible_collections.fonnte.whatsapp.plugins.plugin_utils._declared import (
    ROLE_PREFIX,
    DeclaredAction,
    Result,
    add_up,
    failed_before,
    warnings_of,
)
from ansible_collections.fonnte.whatsapp.plugins.plugin_utils._in_process import InProcess
from ansible_collections.fonnte.whatsapp.plugins.plugin_utils._token_files import ExportError, TokenExport

# Variables of a task of the role: whether it is the offline check, the files before a change, and the report.
OFFLINE, EARLIER, REPORT = "fonnte_offline", "fonnte_earlier", "fonnte_report"


@dataclass
class _AccountRun:
    """The run of a task on all accounts."""

    variables: dict[str, t.Any] = field(repr=False)
    why: str
    check_mode: bool
    export: TokenExport
    # The messages about tokens that could not be exported.
    unexported: list[str] = field(default_factory=list)
    exported: bool = False


class FleetAction(DeclaredAction):
    """The action of fonnte_fleet."""

    spec = FLEET
    command = staticmethod(run_fleet)

    def __init__(self, *args: t.Any, **kwargs: t.Any) -> None:
        super().__init__(*args, **kwargs)
        # Each account has a thread.
        self._work = threading.local()

    def _found_work(self, found: bool) -> None:
        self._work.found = found

    def _perform(self, variables: dict[str, t.Any], why: str) -> Result:
        if OFFLINE not in variables:
            return super()._perform(variables, why)
        try:
            self._check_variables(variables)
            if not self._parse_offline(variables):
                return super()._perform(variables, why)
            # Ansible compiles each imported file in every run, and few runs check offline.
            from ansible_collections.fonnte.whatsapp.plugins.plugin_utils._declaration_check import OfflineCheck

            check = OfflineCheck(self._loader, self._sources_prefix, self._base)
            arguments = untag(self._task.args)
            earlier, report = (self._templar.template(variables[name]) for name in (EARLIER, REPORT))
            return check.run(
                arguments.get("files", []),
                untag(earlier),
                str(untag(report)),
                arguments.get("handle_write_only") == "stamped",
                {option: arguments.get(option) for option in LIMITS},
            )
        except SourceError as exc:
            return failed_before([str(exc)])
        except OptionError as exc:
            return failed_before([str(exc).replace("Option ", f"Variable {self._prefix}", 1)])

    def _parse_offline(self, variables: dict[str, t.Any]) -> bool:
        """Return whether the task is an offline check. Any other word would mean false, and the run would be a real one."""
        given = self._templar.template(variables[OFFLINE])
        try:
            return boolean(given)
        except TypeError:
            raise SourceError(
                f"{self._sources_prefix}offline is neither true nor false; write one of the two. Nothing was read."
            ) from None

    def _check_task(self, variables: dict[str, t.Any]) -> None:
        super()._check_task(variables)
        if self._prefix != ROLE_PREFIX:
            return
        if len(variables.get("ansible_play_hosts_all", [""])) != 1:
            raise SourceError(
                "This role works on all clients in one run, since its safety limits count per run: use hosts: localhost, "
                "and name the clients in fleet_hosts. Nothing was done."
            )

    def _run_accounts(self, variables: dict[str, t.Any], why: str, accounts: list[Result], files: int) -> Result:
        try:
            export = self._token_export()
            run = _AccountRun(variables, why, bool(self._task.check_mode), export)
            export.prepare(_token_files(accounts), run.check_mode)
        except ExportError as exc:
            return failed_before([str(exc)])
        options = self._options(run)

        def run_account(account: Result, preview: bool, limits: t.Mapping[str, int] | None) -> Result:
            return self._account(run, account, preview, limits)

        ended = reconcile_accounts(accounts, run_account, options)
        return self._result(run, accounts, ended)

    def _token_export(self) -> TokenExport:
        given = untag(self._task.args.get("tokens") or {})
        if not isinstance(given, dict):
            raise ExportError(
                f"{self._prefix}tokens is not a dictionary; write dest and password, or command. Nothing was done."
            )
        command = given.get("command") or []
        if not isinstance(command, list) or any(not isinstance(word, str) for word in command):
            raise ExportError(
                f"{self._prefix}tokens_command is not a list of strings; write the command and each of its arguments "
                "as an entry of a list. Nothing was done."
            )
        dest = str(given.get("dest") or "")
        return TokenExport(
            # A slash at the end would hide that the path is a link.
            os.path.abspath(os.path.expanduser(dest)) if dest else "",
            str(given.get("password") or ""),
            tuple(command),
            given.get("of") == "all",
            self._prefix,
        )

    def _options(self, run: _AccountRun) -> AccountsOptions:
        options = self._validated
        return AccountsOptions(
            {option: options.get(option, FLEET[option].get("default")) for option in LIMITS},
            self._prefix,
            stop=options.get("on_error") == "stop" or options.get("canary", 0) > 0,
            # Ordinary modules run one after another, because they share this object.
            at_a_time=1 if run.why else AccountsOptions.at_a_time,
            check_mode=run.check_mode,
            run_unchanged=run.export.is_wanted,
            interrupt=self._interrupted.set,
        )

    # An account

    @property
    def _is_summary(self) -> bool:
        return self._task.args.get("result") == "summary"

    def _account(self, run: _AccountRun, account: Result, preview: bool, limits: t.Mapping[str, int] | None) -> Result:
        """Run the module on one account, export the tokens of its devices, and return the result of the module."""
        arguments = self._arguments_of(account)
        arguments.update(limits or {})
        if self._is_summary:
            # The sentences are made from the changes.
            arguments["result"] = "changed"
        self._work.found = False
        result = self._run_module(run.variables, run.why, arguments, preview)
        result[HAS_WORK] = self._work.found
        if run.export.is_wanted and (not preview or run.check_mode) and "devices" in result:
            self._export(run, account, arguments, result)
        return result

    def _export(self, run: _AccountRun, account: Result, arguments: Result, result: Result) -> None:
        listed = self._list_tokens(run, {name: arguments[name] for name in arguments if name in API})
        if listed.get("failed"):
            run.unexported.append(str(listed["msg"]))
            return
        clients, problems = tokens_by_client(account, result, listed["devices"], run.check_mode)
        run.unexported += problems
        for client in clients:
            for step in (self._keep, self._give):
                try:
                    run.exported = step(run, client) or run.exported
                except ExportError as exc:
                    run.unexported.append(str(exc))

    def _list_tokens(self, run: _AccountRun, arguments: Result) -> Result:
        arguments = {**arguments, "return_tokens": True}
        if run.why:
            name = "fonnte.whatsapp.fonnte_device_info"
            return self._execute(name, run.variables, arguments, run.check_mode)
        lister = DeviceLister(
            self._task, self._connection, self._play_context, self._loader, self._templar, self._shared_loader_obj
        )
        listed: Result = lister._run_here(run.variables, arguments, run.check_mode)
        self._finders.append(lister.finder)
        return listed

    def _keep(self, run: _AccountRun, client: Result) -> bool:
        return bool(run.export.dest) and run.export.keep(client, run.check_mode)

    def _give(self, run: _AccountRun, client: Result) -> bool:
        return bool(run.export.command) and not run.check_mode and run.export.give(client)

    # The result

    def _result(self, run: _AccountRun, accounts: list[Result], ended: Result) -> Result:
        results, reported = ended["results"], ended["summary"]
        failures = [*ended["failures"], *run.unexported]
        returned = [] if self._is_summary else list(zip(accounts, results))
        result: Result = {
            "changed": run.exported or any(bool(one.get("changed")) for one in results),
            "devices": [
                {**device, "account": account["name"]} for account, one in returned for device in one.get("devices", ())
            ],
            "diff": [change for _account, one in returned for change in one.get("diff", ())],
            "summary": add_up(one["summary"] for one in results if "summary" in one),
            "unlisted": reported["unlisted"],
            "text": reported["text"],
            "failures": failures,
        }
        result.update(warnings_of(results))
        if self._prefix == ROLE_PREFIX:
            result["ansible_facts"] = {"fleet_summary": reported}
        if failures:
            result.update(failed=True, msg=" ".join(failures))
        return result


class DeviceLister(InProcess):
    """The action of fonnte_device_info, which reads the tokens of devices."""

    spec = DEVICE_INFO
    command = staticmethod(run_device_info)

    def __init__(self, *args: t.Any) -> None:
        super().__init__(*args)
        self.finder = SecretFinder()

    def _new_finder(self) -> SecretFinder:
        return self.finder


def _token_files(accounts: t.Iterable[Result]) -> list[str]:
    names = [name for account in accounts for name in (account["name"], *(one["file"] for one in account["clients"]))]
    return list(dict.fromkeys(names))
