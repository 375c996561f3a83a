# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Run a module on the sources of a declaration: files, hosts of the inventory, clients, and variables of a role.

The sources are read and checked on the control node. Then the module runs once for each account.
"""

from __future__ import annotations

import abc
import os
import re
import threading
import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.utils.vars import load_extra_vars

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import OptionError
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.redaction import printable
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.spellings import SecretFinder
from ansible_collections.fonnte.whatsapp.plugins.module_utils._fleet.accounts import (
    MAX_ACCOUNTS_AT_A_TIME,
    run_concurrently,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._fleet.declaration import (
    CLIENTS,
    DEFAULTS,
    DEVICES,
    PACKAGES,
    read_fleet,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._fleet.declared_accounts import accounts_of
from ansible_collections.fonnte.whatsapp.plugins.module_utils._fleet.device_warnings import join_warnings
from ansible_collections.fonnte.whatsapp.plugins.module_utils._fleet.selection import ONLY, select_devices
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.ansible_adapter import bind
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.fleet import SOURCES
from ansible_collections.fonnte.whatsapp.plugins.module_utils._options.common import resolve_aliases
from ansible_collections.fonnte.whatsapp.plugins.module_utils._options.variable_names import (
    misspelling_warnings,
    unknown_name_errors,
)
from ansible_collections.fonnte.whatsapp.plugins.plugin_utils._controller import untag
from ansible_collections.fonnte.whatsapp.plugins.plugin_utils._declaration_sources import (
    SourceError,
    SourceReader,
    find_files,
    split_names,
)
from ansible_collections.fonnte.whatsapp.plugins.plugin_utils._in_process import InProcess

# Variables of a task in a role or playbook of this collection: the prefix of its option names in messages, and the
# directory that relative paths start from. With a prefix, the variables of the play are a source, too.
PREFIX, BASE = "fonnte_prefix", "fonnte_base"
# The prefix of the option names for files and hosts, if a playbook has separate names for these.
SOURCES_PREFIX = "fonnte_sources_prefix"
# Whether files or hosts must be named: a playbook has no other source.
NEEDS_SOURCES = "fonnte_needs_sources"
TASK = "the task"
ROLE_PREFIX = "fleet_"
# The options of the task that are sources themselves, with their names in files.
_OWN = {"devices": DEVICES, "clients": CLIENTS, "packages": PACKAGES, "defaults": DEFAULTS}
OF_EACH_ACCOUNT = ("devices", "defaults", "tokens", ONLY, *SOURCES)

Result = t.Dict[str, t.Any]


class DeclaredAction(InProcess):
    """Base class of actions that run a module once, or once for each account that the sources declare."""

    _prefix = ""
    _sources_prefix = ""
    _base = os.curdir

    def __init__(self, *args: t.Any, **kwargs: t.Any) -> None:
        super().__init__(*args, **kwargs)
        self._finders: list[SecretFinder] = []
        # The options that concern no single account, in the types of the module.
        self._validated: Result = {}
        self._interrupted = threading.Event()

    def _is_interrupted(self) -> bool:
        return self._interrupted.is_set()

    def _new_finder(self) -> SecretFinder:
        finder = super()._new_finder()
        self._finders.append(finder)
        return finder

    def run(self, tmp: object = None, task_vars: dict[str, t.Any] | None = None) -> Result:
        """Run the task. The base directory is evaluated first: a module runs in the directory of the playbook."""
        variables = task_vars or {}
        self._prefix = str(self._templar.template(variables.get(PREFIX, "")))
        self._sources_prefix = str(self._templar.template(variables.get(SOURCES_PREFIX, ""))) or self._prefix
        self._base = str(self._templar.template(variables.get(BASE, os.curdir)))
        return super().run(tmp, task_vars)

    def _perform(self, variables: dict[str, t.Any], why: str) -> Result:
        try:
            if self._prefix:
                self._check_variables(variables)
            if not set(self._task.args) & set(SOURCES):
                return super()._perform(variables, why)
            self._check_task(variables)
            self._validated = self._validate()
            accounts, problems, files = self._read(variables)
            if problems:
                return failed_before(problems)
            # The tokens of one account are also secrets in the results of the others.
            self._new_finder().add(filter(None, (account["account_token"] for account in accounts)))
            result = self._run_accounts(variables, why, accounts, files)
            known = SecretFinder(secret for finder in self._finders for secret in finder.known())
            masked: Result = known.mask_data(result)
            return self._in_terms_of_role(masked, variables)
        except SourceError as exc:
            return failed_before([str(exc)])

    def _in_terms_of_role(self, result: Result, variables: dict[str, t.Any]) -> Result:
        """Return the result with the names of the role's variables in its messages."""
        if not self._prefix:
            return result
        options: t.Sequence[str] = variables.get(self._prefix + "options", ())
        for key in ("msg", "failures", "warnings", "text"):
            given = result.get(key)
            if isinstance(given, str):
                result[key] = in_terms_of_role(given, self._prefix, options)
            elif isinstance(given, list):
                result[key] = [in_terms_of_role(text, self._prefix, options) for text in given]
        return result

    def _validate(self) -> Result:
        """Return the options that concern no single account, as the module would receive them.

        Raises:
            SourceError: One is invalid, such as a safety limit that is null: it must not count as no limit.
        """
        given = resolve_aliases(self.spec, untag(self._task.args))
        shared = {name: given[name] for name in given if name in self.spec and name not in OF_EACH_ACCOUNT}
        checked = ArgumentSpecValidator(bind({name: self.spec[name] for name in shared})).validate(shared)
        if checked.error_messages:
            raise SourceError(f"{self._refusal(checked)}; correct the option. Nothing was done.")
        validated: Result = checked.validated_parameters
        return validated

    def _check_task(self, variables: dict[str, t.Any]) -> None:
        """Check that sources can be read for this task; SourceError if not."""
        if self._task.async_val:
            raise SourceError(
                "A declaration is read on the control node, so the task cannot be async. Nothing was done."
            )

    def _check_variables(self, variables: dict[str, t.Any]) -> None:
        """Check the names of the variables of a role or playbook; SourceError if one may be misspelled.

        Ansible accepts any name of a variable: a safety limit whose name is misspelled would have no effect.
        """
        problems: list[str] = []
        if "_raw_params" in variables:
            # "-e name=A, B": Ansible drops the second part.
            known: t.Sequence[str] = variables.get(self._sources_prefix + "options", ())
            likely = [name for name in known if name.rpartition("_")[2] in ("files", "hosts", "dest", "report")]
            problems.append(
                f"Ansible dropped a part of a value that was given with -e, such as {' or '.join(likely)}: a space ends it. "
                "Write a list with commas and no spaces, and a value with a space in quotes. Nothing was done."
            )
        extra = load_extra_vars(self._loader)
        for prefix in dict.fromkeys((self._prefix, self._sources_prefix)):
            options: t.Sequence[str] = variables.get(prefix + "options", ())
            own = [name for name in variables if name.startswith(prefix) and name not in extra]
            problems += misspelling_warnings(own, options) + unknown_name_errors(extra, options)
            problems += [
                f"There is no variable {name}; {prefix}{name} may be meant, so rename or remove it."
                for name in extra
                if prefix + name in options
            ]
        needed = boolean(self._templar.template(variables.get(NEEDS_SOURCES, False)), strict=False)
        if needed and not problems and not self._names_sources():
            problems.append(
                "There is nothing to read. Name the files that declare the devices, as in "
                f"-e {self._sources_prefix}files=~/fonnte/devices.yml, or the hosts that have them in their variables, as "
                f"in -e {self._sources_prefix}hosts=clients."
            )
        if problems:
            raise SourceError(" ".join(printable(problem) for problem in problems))

    def _names_sources(self) -> bool:
        return any(self._task.args.get(name, []) != [] for name in ("files", "hosts"))

    def _read(self, variables: dict[str, t.Any]) -> tuple[list[Result], list[str], int]:
        """Return the declared accounts, the problems of the declaration, and the number of files."""
        given = {name: untag(self._task.args.get(name, [])) for name in ("files", "hosts")}
        if not self._prefix:
            # In a role, null is the value of an empty variable, and must be an error.
            given = {name: [] if value is None else value for name, value in given.items()}
        files = find_files(given["files"], f"{self._sources_prefix}files", self._base) if given["files"] != [] else []
        reader = SourceReader(self._loader, variables, self._sources_prefix)
        sources = reader.read(files, given["hosts"], own=bool(self._prefix))
        own = {name: untag(self._task.args[option]) for option, name in _OWN.items() if self._task.args.get(option)}
        sources.update({TASK: own} if own and not self._prefix else {})
        stamped = self._task.args.get("handle_write_only") == "stamped"
        fleet = read_fleet(sources, stamped).in_account(self._run_token())
        if self._selects:
            names = split_names(untag(self._task.args[ONLY]), f"{self._prefix and ROLE_PREFIX}{ONLY}")
            try:
                fleet = select_devices(fleet, names)
            except OptionError as exc:
                # The selection is a variable of the role fleet for all playbooks.
                exc.operation = f"{self._prefix and ROLE_PREFIX}{ONLY}"
                raise SourceError(str(exc)) from None
        accounts = [account.as_data() for account in accounts_of(fleet)]
        return accounts, [printable(text) for text in fleet.problems], len(files)

    @property
    def _selects(self) -> bool:
        """Whether the task selects some of the declared devices."""
        return self._task.args.get(ONLY) not in (None, "", [])

    def _run_token(self) -> str:
        """Return the token of the account of the run; empty if there is none."""
        return str(untag(self._task.args.get("account_token")) or os.environ.get("FONNTE_ACCOUNT_TOKEN", ""))

    @abc.abstractmethod
    def _run_accounts(self, variables: dict[str, t.Any], why: str, accounts: list[Result], files: int) -> Result:
        """Run the module on all accounts, and return one result."""

    def _arguments_of(self, account: Result) -> Result:
        """Return the arguments of the module for one account."""
        arguments = {name: value for name, value in self._task.args.items() if name not in OF_EACH_ACCOUNT}
        arguments["devices"] = account["devices"]
        if self._selects:
            # The other devices may be declared, too.
            arguments["unlisted"] = "ignore"
        if account["account_token"]:
            arguments["account_token"] = account["account_token"]
        return arguments

    def _run_all(self, run: t.Callable[[Result], Result], accounts: list[Result], why: str) -> list[Result]:
        """Return the result of each account; several at a time, unless they are ordinary modules."""
        if why or len(accounts) < 2:
            return list(map(run, accounts))
        return run_concurrently(run, accounts, at_a_time=MAX_ACCOUNTS_AT_A_TIME, interrupt=self._interrupted.set)

    def _run_module(self, variables: dict[str, t.Any], why: str, arguments: Result, check_mode: bool) -> Result:
        """Run the module of this action, here or as an ordinary module, and return its result."""
        if not why:
            return self._run_here(variables, arguments, check_mode)
        return self._execute(self._task.action, variables, arguments, check_mode)

    def _execute(self, name: str, variables: dict[str, t.Any], arguments: Result, check_mode: bool) -> Result:
        """Run an ordinary module, and return its result."""
        before = self._task.check_mode
        self._task.check_mode = check_mode
        try:
            executed: Result = self._execute_module(name, arguments, task_vars=variables)
            return executed
        finally:
            self._task.check_mode = before


def in_terms_of_role(text: str, prefix: str, options: t.Iterable[str]) -> str:
    """Return a message of a module with the variables of a role: ``max_clear: 9`` becomes ``-e fleet_max_clear=9``.

    Args:
        text: The message.
        prefix: The start of the names of the role's variables.
        options: The names of these variables. Only those of several words are replaced: others are ordinary words.
    """
    names = [name[len(prefix) :] for name in options]
    pattern = "|".join(sorted((name for name in names if "_" in name), key=len, reverse=True))
    if not pattern:
        return text
    text = re.sub(rf"\bOption ({pattern})(?=:)", rf"Option {prefix}\1", text)
    text = re.sub(rf"(?<![\w.=-])({pattern}): ([\w-]+)", rf"-e {prefix}\1=\2", text)
    return re.sub(rf"(?<![\w.=-])({pattern})(?![\w=:])", rf"{prefix}\1", text)


def failed_before(problems: t.Sequence[str]) -> Result:
    """Return the result of a task that has failed before its first request."""
    return {"failed": True, "changed": False, "msg": " ".join(problems), "failures": list(problems)}


def warnings_of(results: t.Iterable[Result]) -> Result:
    """Return the warnings of several results, each once, as a part of a result."""
    warnings = join_warnings(text for one in results for text in one.get("warnings", ()))
    return {"warnings": warnings} if warnings else {}


def add_up(summaries: t.Iterable[Result]) -> Result:
    """Return the sum of summaries: numbers are added, lists are joined, and None is ignored."""
    total: Result = {}
    for one in summaries:
        for key, value in one.items():
            if isinstance(value, dict):
                total[key] = add_up([total.get(key, {}), value])
            elif total.get(key) is None:
                total[key] = value
            elif value is not None:
                total[key] = total[key] + value
    return total
