# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action of the module fonnte_number_info: runs it in Ansible's worker process if the result is the same."""

from __future__ import annotations

from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.number_info import NUMBER_INFO, run_number_info
from ansible_collections.fonnte.whatsapp.plugins.plugin_utils._in_process import InProcess


class ActionModule(InProcess):
    """The action of the module fonnte_number_info."""

    spec = NUMBER_INFO
    command = staticmethod(run_number_info)


def main() -> None:
    """Run the module. ansible-lint reads the options of a task here."""
    from ansible_collections.fonnte.whatsapp.plugins.modules import fonnte_number_info

    fonnte_number_info.main()
