# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The attributes of the modules."""

from __future__ import annotations


class ModuleDocFragment:
    """Attributes that all modules have in common, and one fragment for each that differs."""

    DOCUMENTATION = r"""
attributes:
  action_group:
    description:
      - Use C(group/fonnte.whatsapp.fonnte) in C(module_defaults) to set defaults for all modules except M(fonnte.whatsapp.fonnte_link_changes)
        and M(fonnte.whatsapp.fonnte_sheet).
    support: full
    membership:
      - fonnte.whatsapp.fonnte
  check_mode:
    description: Can run in C(check_mode) and predict the changes without applying them.
    support: full
  platform:
    description: Where the module can run, and where it sends its requests from.
    platforms: posix
    support: full
"""

    WRITES = r"""
attributes:
  diff_mode:
    description: Returns the changes, or the predicted ones in C(check_mode), in diff mode.
    support: full
  idempotent:
    description: A second run with the same arguments, outside check mode, changes nothing.
    support: partial
    details:
      - Most settings are compared with the record of this control node.
        Without a record, or with O(handle_write_only=always_update), a declared setting is applied again and counts as changed.
        With O(handle_write_only=stamped), no record is needed.
"""

    READS = r"""
attributes:
  diff_mode:
    description: Returns the changes, or the predicted ones in C(check_mode), in diff mode.
    support: N/A
    details:
      - This module does not change anything.
  idempotent:
    description: A second run with the same arguments, outside check mode, changes nothing.
    support: N/A
    details:
      - This module does not change anything.
"""

    REPORTS = r"""
attributes:
  check_mode:
    description: Can run in C(check_mode) and predict the changes without applying them.
    support: full
    details:
      - Neither the service nor the record is ever changed. The report is also written in check mode, and does not count as a change.
  diff_mode:
    description: Returns the changes, or the predicted ones in C(check_mode), in diff mode.
    support: N/A
    details:
      - This module does not change anything.
  idempotent:
    description: A second run with the same arguments, outside check mode, changes nothing.
    support: N/A
    details:
      - This module does not change anything.
"""

    SENDS = r"""
attributes:
  diff_mode:
    description: Returns the changes, or the predicted ones in C(check_mode), in diff mode.
    support: full
    details:
      - Shows the message that is sent.
  idempotent:
    description: A second run with the same arguments, outside check mode, changes nothing.
    support: none
    details:
      - Each run sends the message.
"""

    LOOKS_AFTER = r"""
attributes:
  diff_mode:
    description: Returns the changes, or the predicted ones in C(check_mode), in diff mode.
    support: full
    details:
      - Shows the names of files, the numbers that they belong to, and a digest of each encrypted string.
  idempotent:
    description: A second run with the same arguments, outside check mode, changes nothing.
    support: full
"""
