# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the module fonnte_device_qr in the process of the control node where the result is the same."""

from __future__ import annotations

import contextlib
import typing as t

from ansible.errors import AnsiblePromptInterrupt, AnsiblePromptNoninteractive
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.utils.display import Display

from ansible_collections.fonnte.whatsapp.plugins.module_utils._common.redaction import printable
from ansible_collections.fonnte.whatsapp.plugins.module_utils._linking.link import CODE
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.device_qr import DEVICE_QR, run_device_qr
from ansible_collections.fonnte.whatsapp.plugins.plugin_utils._in_process import InProcess
from ansible_collections.fonnte.whatsapp.plugins.plugin_utils._terminal import Terminal

# A variable of a task: whether a QR code is drawn in the terminal.
DRAW_SWITCH = "fonnte_draw"
# Variables of a task of the playbook link: a question before the request; empty for none.
PROMPT = "fonnte_prompt"

Result = t.Dict[str, t.Any]

display = Display()


class ActionModule(InProcess):
    """The action of the module fonnte_device_qr."""

    spec = DEVICE_QR
    command = staticmethod(run_device_qr)
    # All items of a loop run in one process: after an interrupt, no other device is linked.
    interrupted: t.ClassVar[bool] = False
    # Ansible's main process loads this class, and its workers have no terminal.
    terminal: t.ClassVar[Terminal] = Terminal.of_this_process()
    _draws = True
    _prompt = ""
    _reason = ""

    def run(self, tmp: object = None, task_vars: dict[str, t.Any] | None = None) -> Result:
        """Run the task. Its variables are evaluated first: a module runs in the directory of the playbook."""
        variables = task_vars or {}
        self._draws = boolean(self._templar.template(variables.get(DRAW_SWITCH, True)), strict=False)
        # With jinja2_native, an empty string is None.
        self._prompt = str(self._templar.template(variables.get(PROMPT, "")) or "").strip()
        return super().run(tmp, task_vars)

    def _perform(self, variables: dict[str, t.Any], why: str) -> Result:
        if self._prompt and not self._task.check_mode:
            self._ask(self._prompt)
        if ActionModule.interrupted:
            return {"failed": True, "msg": "The playbook was interrupted at the question; no code was requested."}
        if why and PROMPT in variables and self._task.args.get("method") == CODE and not self._task.check_mode:
            return self._run_in_two_steps(variables)
        return super()._perform(variables, why)

    def _draw(self, image: bytes) -> None:
        """Draw a QR code in the terminal. If that is not possible, show the reason once; the file has the image."""
        if not self._draws or self._task.no_log or not self.terminal.is_usable:
            return
        drawing, reason = self.terminal.draw(image)
        if drawing:
            with contextlib.suppress(OSError, ValueError):
                # Only on the screen, because everyone who sees the code can link a phone.
                display.display(drawing, stderr=True, screen_only=True)
        elif reason != self._reason:
            self._show(reason)
        self._reason = reason

    def _ask(self, prompt: str) -> None:
        """Wait until the user presses Enter. Without a terminal there is no question."""
        try:
            # A name in it can contain terminal sequences.
            display.prompt_until("\n".join(map(printable, prompt.splitlines())) + ":")
        except AnsiblePromptNoninteractive:
            display.v("There is no terminal for the question.")
        except AnsiblePromptInterrupt:
            ActionModule.interrupted = True

    def _run_in_two_steps(self, variables: dict[str, t.Any]) -> Result:
        """Return the result of an ordinary module, which can show a pairing code only when it ends, before the wait."""
        arguments = dict(self._task.args)
        first: Result = self._execute_module(module_args={**arguments, "wait": False}, task_vars=variables)
        if first.get("failed") or first.get("connected"):
            return first
        self._show(f"device {first['device']}: type {first['code']} into WhatsApp on the phone {arguments['whatsapp']}")
        unused = ("method", "whatsapp", "dest")
        rest = {name: value for name, value in arguments.items() if name not in unused}
        second: Result = self._execute_module(module_args={**rest, "fetch": False}, task_vars=variables)
        return {**second, "code": first["code"], "method": CODE}


def main() -> None:
    """Run the module. ansible-lint reads the options of a task here."""
    from ansible_collections.fonnte.whatsapp.plugins.modules import fonnte_device_qr

    fonnte_device_qr.main()
