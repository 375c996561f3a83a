# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Run modules inside Ansible's worker process, where the result is the same as that of an ordinary module.

An ordinary module is a new Python process, which takes a third of a second to start, for each item of a loop. If the
target is this machine and this Python, the same engine runs here instead: all items of a loop share one worker, and so
one connection and one cached device list. In all other cases, the ordinary module runs.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import os
import pwd
import sys
import threading
import typing as t

from ansible import constants
from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible.utils.vars import load_extra_vars

from ansible_collections.fonnte.whatsapp.plugins.module_utils._api.transport import (
    MAX_TIMEOUTS_PER_REQUEST,
    load_session_class,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.destinations import close_descriptor
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import FonnteError, MissingLibraryError
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.lineage import current_lineage
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.redaction import printable
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.spellings import SecretFinder
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.ansible_adapter import (
    bind,
    failure,
    hidden_values,
    mask_secrets,
    prints_secrets,
    refuse_database,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.task import (
    ModuleInput,
    ModuleResult,
    run_command,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._options.common import (
    RECORD_URL_VARIABLE,
    Spec,
    resolve_aliases,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._options.variable_names import unknown_name_errors
from ansible_collections.fonnte.whatsapp.plugins.module_utils._record.encryption import load_library
from ansible_collections.fonnte.whatsapp.plugins.plugin_utils._abandoned import current_watch
from ansible_collections.fonnte.whatsapp.plugins.plugin_utils._controller import CACHE, untag
from ansible_collections.fonnte.whatsapp.plugins.plugin_utils._masking import Secrets, masked
from ansible_collections.fonnte.whatsapp.plugins.plugin_utils._progress import Progress, awaited_peers

# Ansible imports an action plugin in its main process, and each task runs in a copy of that process. Libraries that are
# imported here are imported once for all tasks. A missing one is reported by the task that needs it.
load_session_class()
with contextlib.suppress(MissingLibraryError):
    load_library()

# All accounts of a task share this process.
PLANNING = threading.Lock()

SWITCH = "fonnte_in_process"
# Set by the playbooks of this collection: the names of the variables that are for the user.
OPTIONS = "fonnte_options"
PROGRESS_SWITCH = "fonnte_progress"

display = Display()


class InProcess(ActionBase):
    """Base class of the action plugins. Each subclass sets the options and the command of its module."""

    _supports_check_mode = True
    _supports_async = True
    _supports_diff = True

    spec: t.ClassVar[Spec]
    command: t.ClassVar[t.Callable[[ModuleInput], ModuleResult]]

    def run(self, tmp: object = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Run the module in this process if the result is the same, and as an ordinary module otherwise."""
        _exempt_from_collection(os.getpid())
        with current_watch().working():
            return self._run(task_vars or {})

    def _run(self, variables: dict[str, t.Any]) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(None, variables)
        if OPTIONS in variables:
            unknown = unknown_name_errors(load_extra_vars(self._loader), untag(variables[OPTIONS]))
            if unknown:
                return {**result, "failed": True, "msg": " ".join(map(printable, unknown))}
        why = self._fallback_reason(variables)
        if why:
            try:
                current_lineage().require()
                refuse_database(self._database(), why)
            except FonnteError as exc:
                return {**result, "failed": True, **failure(exc)}
            display.v(
                f"{self._task.action} is run as an ordinary module: {why}", host=variables.get("inventory_hostname")
            )
        with contextlib.nullcontext() if why else self._module_environment():
            if self._task.until or (self._task.retries or 0) > 1:
                # All retries share this process, and each of them must read the current state.
                CACHE.clear()
            try:
                result.update(self._perform(variables, why))
            except BaseException:
                # The task has timed out, or the user pressed Ctrl-C: a cached connection may be in the middle of a
                # request. The accounts of a task share the cache, so none of them clears it.
                CACHE.clear()
                raise
        return result

    def _perform(self, variables: dict[str, t.Any], why: str) -> dict[str, t.Any]:
        """Return the result of the task; why is the reason to run ordinary modules, empty if there is none."""
        if why:
            executed: dict[str, t.Any] = self._execute_module(task_vars=variables, wrap_async=self._task.async_val)
            return executed
        return self._run_here(variables, self._task.args, bool(self._task.check_mode))

    # Reasons to run the ordinary module

    def _fallback_reason(self, variables: dict[str, t.Any]) -> str:
        """Return why the ordinary module must run; empty if there is no reason."""
        if not boolean(self._templar.template(variables.get(SWITCH, True)), strict=False):
            return f"{SWITCH} is false"
        if self._connection.transport not in ("local", "ansible.builtin.local"):
            return f"the connection is {self._connection.transport}"
        if self._task.async_val:
            return "the task is async"
        become = self._connection.become
        if become is not None and not _is_this_user(become.get_option("become_user")):
            return "the task becomes another user"
        interpreter = self._interpreter(variables)
        if interpreter and not _is_this_python(interpreter):
            return f"ansible_python_interpreter is {interpreter}"
        return ""

    def _interpreter(self, variables: dict[str, t.Any]) -> str:
        """Return the Python interpreter that is configured; empty if none is, or if Ansible detects it."""
        name = "ansible_python_interpreter"
        host = self._task.delegate_to
        own = variables.get("ansible_delegated_vars", {}).get(host, {}) if host else variables
        asked = str(self._templar.template(own.get(name, "")) or "")
        return "" if asked.startswith("auto") else asked

    def _database(self) -> dict[str, t.Any]:
        """Return the option record_url, as the task or its environment sets it."""
        asked: dict[str, t.Any] = {}
        self._compute_environment_string(asked)
        variables = {**os.environ, **asked}
        return {"record_url": self._task.args.get("record_url") or variables.get(RECORD_URL_VARIABLE)}

    # The environment of a module

    @contextlib.contextmanager
    def _module_environment(self) -> t.Iterator[None]:
        """Provide the environment and the working directory of a module while it runs.

        Anything that can fail must fail before the module runs: a later error would replace its result.
        """
        asked: dict[str, t.Any] = {}
        self._compute_environment_string(asked)
        before = {name: os.environ.get(name) for name in map(str, asked)}
        with _working_directory(self._loader.get_basedir()):
            try:
                os.environ.update({str(name): str(value) for name, value in asked.items()})
                yield
            finally:
                for name, value in before.items():
                    if value is None:
                        os.environ.pop(name, None)
                    else:
                        os.environ[name] = value

    # The module

    def _run_here(
        self, variables: dict[str, t.Any], arguments: t.Mapping[str, t.Any], check_mode: bool
    ) -> dict[str, t.Any]:
        """Run the module with these arguments in this process, and return its result."""
        given = resolve_aliases(self.spec, untag(arguments))
        checked = ArgumentSpecValidator(bind(self.spec)).validate(given)
        hidden = hidden_values(checked._no_log_values, checked.validated_parameters)
        shows_invocation = _shows_invocation(variables)
        warnings = [
            f"Both option {both['option']} and its alias {both['alias']} are set." for both in checked._warnings
        ]
        if checked.error_messages:
            result: dict[str, t.Any] = {"failed": True, "msg": self._refusal(checked)}
        else:
            with self._progress(variables, checked.validated_parameters) as progress:
                result = self._call(checked.validated_parameters, given, warnings, progress.update, check_mode)
        if warnings:
            result["warnings"] = warnings
        if shows_invocation:
            result["invocation"] = {"module_args": checked.validated_parameters}
        return result if mask_secrets(hidden) else _masked(result, hidden)

    def _refusal(self, checked: t.Any) -> str:
        # The same message as AnsibleModule's, which depends on the type of the first error and contains the texts of
        # all.
        text = str(checked.errors.msg)
        unknown = bool(checked.unsupported_parameters) and text.startswith(next(iter(checked.error_messages)))
        if unknown and type(checked.errors[0]).__name__ == "UnsupportedError":
            return f"Unsupported parameters for ({self._task.action}) module: {text}"
        return text

    def _new_finder(self) -> SecretFinder:
        """Return a finder for the secrets of one run."""
        return SecretFinder()

    @contextlib.contextmanager
    def _progress(self, variables: dict[str, t.Any], params: dict[str, t.Any]) -> t.Iterator[Progress]:
        """Report progress while the module runs. A task that waits for a person is not reported as silent."""
        wanted = boolean(self._templar.template(variables.get(PROGRESS_SWITCH, True)), strict=False)
        show = self._show if wanted else self._keep_quiet
        awaited = awaited_peers(params["api_endpoint"], params.get("record_url"))
        progress = Progress(show, awaited, params["api_timeout"] * MAX_TIMEOUTS_PER_REQUEST)
        if wanted and not params.get("wait"):
            progress.watch()
        try:
            yield progress
        finally:
            progress.end()

    def _show(self, text: str) -> None:
        _display(f"{self._task.action}: {text}")

    def _keep_quiet(self, text: str) -> None:
        """Show nothing: the task has no_log, or the user disabled progress."""

    def _is_interrupted(self) -> bool:
        """Return whether the task was interrupted while its module runs in another thread."""
        return False

    def _found_work(self, found: bool) -> None:
        """Take whether a preview found something to do. Only a fleet in several accounts uses it."""

    def _draw(self, image: bytes) -> None:
        """Draw the image of a QR code. Only the module that fetches one draws it."""

    def _call(
        self,
        params: dict[str, t.Any],
        given: dict[str, t.Any],
        warnings: list[str],
        progress: t.Callable[[int, int, int], None],
        check_mode: bool,
    ) -> dict[str, t.Any]:
        task = ModuleInput(
            params,
            os.environ,
            check_mode=check_mode,
            prints_secrets=prints_secrets(bool(self._task.no_log)),
            cache=CACHE,
            secrets=self._new_finder(),
            raw_params=given,
            progress=progress,
            notify=self._keep_quiet if self._task.no_log else self._show,
            draw=self._draw,
            planning=PLANNING,
            interrupted=self._is_interrupted,
            found_work=self._found_work,
        )
        try:
            report = run_command(type(self).command, task)
        except FonnteError as fault:
            warnings += fault.warnings
            return {"failed": True, **failure(fault)}
        warnings += report.warnings
        mask_secrets(report.secrets)
        return report.result


@functools.lru_cache(maxsize=1)
def _exempt_from_collection(pid: int) -> None:
    """Exempt the objects that this process has now from garbage collection, once per process.

    A worker inherits all objects of Ansible and needs them to its end. To search them for garbage again and again takes
    one twentieth of the time of a large fleet, or more.
    """
    gc.freeze()


@contextlib.contextmanager
def _working_directory(path: str) -> t.Iterator[None]:
    """Change to a directory, and change back if the user can still enter the previous one.

    A module on this machine runs in the directory of the playbook. Ansible has no path that is relative to a directory
    that was removed or cannot be entered, so nothing is lost if changing back fails.

    Raises:
        AnsibleActionFail: The directory cannot be entered.
    """
    try:
        # A descriptor needs neither a path to the directory nor the permission to list it.
        start: int | None = os.open(os.curdir, getattr(os, "O_PATH", os.O_RDONLY) | os.O_CLOEXEC)
    except OSError:
        start = None
    try:
        try:
            os.chdir(path)
        except OSError as exc:
            raise AnsibleActionFail(
                f"Running in the directory {path}: it cannot be entered ({exc.strerror}); "
                "run Ansible in a directory that its user can enter."
            ) from None
        yield
    finally:
        if start is not None:
            with contextlib.suppress(OSError):
                os.fchdir(start)
            close_descriptor(start)


def _is_this_user(name: str) -> bool:
    """Return whether a name is that of the user of this process. False for a number, unless it is a user's name."""
    try:
        return pwd.getpwnam(name).pw_uid == os.geteuid()
    except (KeyError, TypeError):
        return False


def _display(text: str) -> None:
    """Show a line on standard error, since standard output may be JSON. A closed terminal must not end the work."""
    with contextlib.suppress(OSError, ValueError):
        display.display(text, stderr=True)


def _masked(result: dict[str, t.Any], hidden: set[str]) -> dict[str, t.Any]:
    """Return a result as AnsibleModule prints it: with masked no_log values, except for top-level booleans and null."""
    kept = {key: value for key, value in result.items() if value is None or isinstance(value, bool)}
    return {**masked(result, Secrets(hidden)), **kept}


def _shows_invocation(variables: dict[str, t.Any]) -> bool:
    try:
        return bool(constants.config.get_config_value("INJECT_INVOCATION", variables=variables))
    except AnsibleError:
        # Older ansible-cores always return it.
        return True


def _is_this_python(interpreter: str) -> bool:
    """Return whether an interpreter is the one of this process.

    The directories must be equal, too, because two virtual environments may link to one program.
    """
    try:
        same = os.path.samefile(interpreter, sys.executable)
    except OSError:
        return False
    return same and os.path.dirname(os.path.abspath(interpreter)) == os.path.dirname(os.path.abspath(sys.executable))
