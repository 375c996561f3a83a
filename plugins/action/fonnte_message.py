# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action of the module fonnte_message: runs it in Ansible's worker process if the result is the same."""

from __future__ import annotations

from ansible_collections.fonnte.whatsapp.plugins.module_utils._messages.options import MESSAGE
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.message import run_message
from ansible_collections.fonnte.whatsapp.plugins.plugin_utils._in_process import InProcess


class ActionModule(InProcess):
    """The action of the module fonnte_message."""

    spec = MESSAGE
    command = staticmethod(run_message)


def main() -> None:
    """Run the module. ansible-lint reads the options of a task here."""
    from ansible_collections.fonnte.whatsapp.plugins.modules import fonnte_message

    fonnte_message.main()
