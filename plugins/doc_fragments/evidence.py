# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is done about settings that the service never shows."""

from __future__ import annotations


class ModuleDocFragment:
    """The options that say which evidence is enough."""

    DOCUMENTATION = r"""
options:
  handle_write_only:
    description:
      - Fonnte never shows the webhooks and most other settings. This says when a declared one is sent.
      - With V(recorded) it is sent when it differs from what this controller last applied, or when that is not known.
      - With V(always_update) it is sent every time, and the task is always changed.
      - With V(error) the task fails when nothing is known about it. What is known to differ is sent.
    type: str
    choices: [recorded, always_update, error]
    default: recorded
  handle_unknown:
    description:
      - Any update may reset settings that are left out. What is known is always sent along.
        This says what to do about those that are neither declared nor recorded nor shown by Fonnte.
      - V(warn) names them in a warning, V(error) fails before anything is written, and V(ignore) says nothing.
        They are in RV(at_risk) in any case.
    type: str
    choices: [warn, error, ignore]
    default: warn
"""
