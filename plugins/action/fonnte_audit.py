# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the module fonnte_audit in the controller's worker where that makes no difference."""

from __future__ import annotations

from ansible_collections.fonnte.whatsapp.plugins.plugin_utils._declared_audit import AuditAction


class ActionModule(AuditAction):
    """The module fonnte_audit."""


def main() -> None:
    """Run the module: ansible-lint looks here for the options of a task."""
    from ansible_collections.fonnte.whatsapp.plugins.modules import fonnte_audit

    fonnte_audit.main()
