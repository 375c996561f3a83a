# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""The adapter between AnsibleModule and the engine: only this file converts errors into fail_json."""

from __future__ import annotations

import copy
import os
import typing as t

from ansible.module_utils import basic
from ansible.module_utils.basic import missing_required_lib
from ansible.module_utils.errors import AnsibleFallbackNotFound

try:
    from ansible.module_utils.secrets import register_secrets
except ImportError:
    # It exists since ansible-core 2.22.
    register_secrets = None

from .._common.errors import FonnteError, MissingLibraryError, OptionError
from .._options.common import Params, Spec, non_secret_urls, resolve_aliases, secrets
from .task import ModuleInput, ModuleResult, run_command


def env_text(name: str) -> str:
    """Return an environment variable as a fallback of an option. An empty one counts as unset."""
    value = os.environ.get(name)
    if not value:
        raise AnsibleFallbackNotFound
    return value


def bind(spec: Spec) -> dict[str, dict[str, t.Any]]:
    """Return an argument spec in the format of AnsibleModule."""
    bound: dict[str, dict[str, t.Any]] = {}
    for option, description in spec.items():
        bound[option] = {key: value for key, value in description.items() if key not in ("env", "also")}
        if "env" in description:
            bound[option]["fallback"] = (env_text, [description["env"]])
    return bound


# No token, code or URL is shorter. Masking a blank, or a dash that stands for "none", would garble all messages.
MIN_SECRET_LENGTH = 4
# The word that AnsibleModule writes into the system log instead of a value.
_NOT_LOGGED = "NOT_LOGGING_PARAMETER"


def hidden_values(found: t.Iterable[str], params: Params) -> set[str]:
    """Return the strings that Ansible must mask: those of the argument spec, and further secrets of the task."""
    values = (set(found) | secrets(params, os.environ)) - non_secret_urls(params)
    return {value for value in values if len(value.strip()) >= MIN_SECRET_LENGTH}


def mask_secrets(values: t.Iterable[str]) -> bool:
    """Register strings that Ansible must mask in its output, but not in data for later tasks.

    Returns:
        Whether this Ansible supports it. Before ansible-core 2.22, a result must be masked before it is returned.
    """
    if register_secrets is None:
        return False
    register_secrets(values)
    return True


def prints_secrets(no_log: bool) -> bool:
    """Return whether secrets in a result are printed: with no_log, and by an Ansible that masks them, they are not."""
    return not no_log and register_secrets is None


def failure(fault: FonnteError) -> dict[str, t.Any]:
    """Return the result of a run that ended with an error."""
    if isinstance(fault, MissingLibraryError):
        return {"msg": missing_required_lib(fault.library), "exception": fault.trace}
    return {"msg": str(fault), **fault.partial_result}


def refuse_database(params: Params, reason: str) -> None:
    """Refuse a record in a database if the task does not run in-process on the control node.

    Only control nodes use the database: its URL is not sent to targets, and each item of a loop would open a session.
    """
    if params.get("record_url"):
        raise OptionError(
            "record_url",
            f"the record is in a database, and the task does not run in Ansible's own process ({reason})",
            "run it on the control node, with ansible_playbook_python as ansible_python_interpreter, and without async, "
            "become and fonnte_in_process: false",
        )


def _has_entries(value: t.Any) -> bool:
    """Return whether an option has dictionaries, such as devices."""
    return isinstance(value, dict) or (isinstance(value, list) and any(isinstance(entry, dict) for entry in value))


def _module_class() -> type[t.Any]:
    """Return a subclass of AnsibleModule that keeps the raw parameters.

    The base class is read from ``basic`` at each call, because ansible-lint replaces AnsibleModule there by its own
    class, which only checks options.
    """

    # ansible has no type annotations, so for mypy AnsibleModule is Any, which must not be subclassed.
    class Module(basic.AnsibleModule):  # type: ignore[misc]
        given: dict[str, t.Any]
        params: dict[str, t.Any]

        def __init__(self, spec: Spec) -> None:
            self._spec = spec
            super().__init__(argument_spec=bind(spec), supports_check_mode=True)

        def _load_params(self) -> None:
            super()._load_params()
            self.params = resolve_aliases(self._spec, self.params)
            # After the conversion, null cannot be distinguished from an omitted option.
            self.given = copy.deepcopy(self.params)

        def _log_invocation(self) -> None:
            """Log the options without lists of devices, which may be long and contain tokens, in the system log."""
            given = self.params
            self.params = {name: _NOT_LOGGED if _has_entries(value) else value for name, value in given.items()}
            try:
                super()._log_invocation()
            finally:
                self.params = given

        def add_path_info(self, kwargs: dict[str, t.Any]) -> dict[str, t.Any]:
            """Add no owner and mode of the file in ``dest``, as in an in-process run."""
            return kwargs

    return Module


def run_module(spec: Spec, command: t.Callable[[ModuleInput], ModuleResult]) -> None:
    """Run a module and exit."""
    module = _module_class()(spec)
    module.no_log_values = hidden_values(module.no_log_values, module.params)
    mask_secrets(module.no_log_values)
    task = ModuleInput(
        module.params,
        os.environ,
        check_mode=module.check_mode,
        prints_secrets=prints_secrets(module.no_log),
        raw_params=module.given,
    )
    # Reported after the except block, in which fail_json of older versions of ansible-core prints a traceback.
    fault: FonnteError | None = None
    report = ModuleResult({})
    try:
        refuse_database(module.params, "it runs as an ordinary module")
        report = run_command(command, task)
    except FonnteError as error:
        fault = error
    mask_secrets(report.secrets)
    for warning in fault.warnings if fault else report.warnings:
        module.warn(warning)
    if fault:
        module.fail_json(**failure(fault))
    module.exit_json(**report.result)
