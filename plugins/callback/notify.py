# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The callback notify: sends a WhatsApp message when a playbook fails."""

from __future__ import annotations

DOCUMENTATION = r"""
name: notify
type: notification
short_description: Send a WhatsApp message when a playbook fails
version_added: 1.1.0
author:
  - The fonnte.whatsapp contributors (!UNKNOWN)
description:
  - Sends one message after each playbook file that fails, or after each one. It contains the name of the file, the hosts, the task and the error.
  - A file has failed if Ansible's recap counts a failed or unreachable host in it. Rescued and ignored failures do not count.
    There is still one message with several plays, with C(serial), with retries, and if the callback is enabled by two names.
  - A run that ends without a recap sends nothing, for example after a syntax error or Ctrl-C. Check the exit code of Ansible for these.
  - The callback never changes the result or the exit code of a run. If the message cannot be sent, Ansible prints a warning.
  - A message is sent at most once. After a lost response, the warning states that it is not known whether it was sent.
extends_documentation_fragment:
  - fonnte.whatsapp.account
requirements:
  - enable in configuration
options:
  notify_device:
    description:
      - The number of the device that sends, in any spelling. It requires O(account_token).
      - If it is not set, the device of the token in E(FONNTE_DEVICE_TOKEN) sends.
    type: str
    env:
      - name: FONNTE_NOTIFY_DEVICE
    ini:
      - section: callback_fonnte_notify
        key: device
  notify_target:
    description:
      - The receivers, separated by commas. A receiver is a number, the ID of a group such as V(120363042012345678@g.us), or V(group:NAME) if the name has
        no comma.
      - "Required: without it, a warning reports that no alerts are sent."
    type: list
    elements: str
    env:
      - name: FONNTE_NOTIFY_TARGET
    ini:
      - section: callback_fonnte_notify
        key: target
  notify_when:
    description:
      - V(failed) sends a message for each file that fails, V(always) for each file.
    type: str
    choices: [failed, always]
    default: failed
    env:
      - name: FONNTE_NOTIFY_WHEN
    ini:
      - section: callback_fonnte_notify
        key: when
  notify_detail:
    description:
      - V(error) includes the first error. V(names) includes only the names of file, hosts and task.
      - Tokens of this collection, values of environment variables and of options of the task with names such as C(password), and strings that resemble
        a secret are masked. No rule recognizes every secret. If errors may contain others, use V(names).
      - Of a task with C(no_log), only the name is included.
    type: str
    choices: [error, names]
    default: error
    env:
      - name: FONNTE_NOTIFY_DETAIL
    ini:
      - section: callback_fonnte_notify
        key: detail
  notify_timeout:
    description:
      - The longest time that sending may delay the run, in seconds, with all requests and retries.
    type: float
    default: 10.0
    env:
      - name: FONNTE_NOTIFY_TIMEOUT
    ini:
      - section: callback_fonnte_notify
        key: timeout
  notify_check_mode:
    description:
      - Whether a run with C(--check) sends messages, too.
    type: bool
    default: false
    env:
      - name: FONNTE_NOTIFY_CHECK_MODE
    ini:
      - section: callback_fonnte_notify
        key: check_mode
notes:
  - Enable it with C(callbacks_enabled = fonnte.whatsapp.notify) in the section C(defaults) of C(ansible.cfg).
  - Tokens are read only from the environment, because C(ansible.cfg) is often stored in a repository.
  - Variables of a play or an inventory have no effect, because most versions of Ansible do not pass them to callbacks.
seealso:
  - module: fonnte.whatsapp.fonnte_message
"""

import os
import typing as t

from ansible import context
from ansible.plugins.callback import CallbackBase

from ansible_collections.fonnte.whatsapp.plugins.module_utils._alerts.notifier import NOTIFY, Notifier
from ansible_collections.fonnte.whatsapp.plugins.module_utils._alerts.outcome import (
    Failure,
    FailureCollector,
    HostCounts,
)
from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.errors import FonnteError
from ansible_collections.fonnte.whatsapp.plugins.module_utils._inventory.account import ACCOUNT
from ansible_collections.fonnte.whatsapp.plugins.plugin_utils._controller import (
    check_token,
    empty_variables_unset,
    sentence,
    untag,
)
from ansible_collections.fonnte.whatsapp.plugins.plugin_utils._playbook_claim import CLAIMS
from ansible_collections.fonnte.whatsapp.plugins.plugin_utils._task_failure import read_failure

# The name that Ansible gives the playbook of an ad-hoc command.
AD_HOC = "__adhoc_playbook__"


class CallbackModule(CallbackBase):
    """Sends a message when a playbook fails."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "fonnte.whatsapp.notify"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *args: t.Any, **kwargs: t.Any) -> None:
        super().__init__(*args, **kwargs)
        self._collector = FailureCollector()
        self._notifier: Notifier | None = None
        self._checked = False
        self._active = False

    def set_options(self, task_keys: t.Any = None, var_options: t.Any = None, direct: t.Any = None) -> None:
        """Read the options. An empty environment variable counts as unset."""
        with empty_variables_unset():
            super().set_options(task_keys=task_keys, var_options=var_options, direct=direct)

    def v2_playbook_on_start(self, playbook: t.Any) -> None:
        """Check the options when the first file begins, so that an error is not found after the first failure."""
        self._active = False
        if not CLAIMS.claim(playbook):
            # Another instance, which Ansible has loaded by another name, reports this file.
            return
        if not self._checked:
            self._checked = True
            self._guarded(self._configure, "it cannot be used")
        name = str(playbook._file_name)
        self._active = self._notifier is not None and name != AD_HOC
        self._collector.begin(os.path.basename(name))

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        """Collect a failure that is not ignored."""
        if self._active and not ignore_errors:
            self._guarded(lambda: self._add(result, False), "a failure is not reported")

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        """Collect an unreachable host. The recap decides whether it is ignored."""
        if self._active:
            self._guarded(lambda: self._add(result, True), "a failure is not reported")

    def v2_playbook_on_stats(self, stats: t.Any) -> None:
        """Send the message about a file when Ansible prints its recap."""
        if self._active:
            self._active = False
            self._guarded(lambda: self._finish(stats), "no alert is sent")

    def _configure(self) -> None:
        params = {option: untag(self.get_option(option)) for option in (*ACCOUNT, *NOTIFY)}
        check_token(params)
        self._notifier = Notifier(params, os.environ)

    def _add(self, result: t.Any, unreachable: bool) -> None:
        notifier = t.cast(Notifier, self._notifier)
        read = read_failure(result)
        task = notifier.mask(read.task, read.arguments)
        error = notifier.mask(read.error, read.arguments)
        self._collector.add(Failure(read.host, task, error, unreachable))

    def _finish(self, stats: t.Any) -> None:
        notifier = t.cast(Notifier, self._notifier)
        recap = {
            str(host): HostCounts(stats.failures.get(host, 0), stats.dark.get(host, 0), stats.changed.get(host, 0))
            for host in stats.processed
        }
        outcome = self._collector.end(recap, bool(context.CLIARGS.get("check")))
        if notifier.is_wanted(outcome):
            warning = notifier.send(outcome)
            if warning:
                self._warn(warning)

    def _guarded(self, work: t.Callable[[], None], effect: str) -> None:
        """Run a part of the callback. No error in it may end the run, although Ansible can be configured so."""
        try:
            work()
        except FonnteError as fault:
            self._warn(f"No alerts are sent. {sentence(fault)}")
        except Exception as fault:
            # Its text may contain a secret.
            self._warn(f"An error in the callback ({fault.__class__.__name__}): {effect}. Please report it.")

    def _warn(self, text: str) -> None:
        self._display.warning(f"{self.CALLBACK_NAME}: {text}")
