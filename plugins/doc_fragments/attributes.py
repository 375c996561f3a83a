# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules claim of themselves."""

from __future__ import annotations


class ModuleDocFragment:
    """Attributes that all modules have in common, and one fragment for each that differs."""

    DOCUMENTATION = r"""
attributes:
  action_group:
    description:
      - Use C(group/fonnte.whatsapp.fonnte) in C(module_defaults) to set defaults for all modules of the collection
        but M(fonnte.whatsapp.fonnte_sheet), which makes no call.
    support: full
    membership:
      - fonnte.whatsapp.fonnte
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
    support: full
  platform:
    description: The systems where the module can run. It talks to the service from there.
    platforms: posix
    support: full
"""

    WRITES = r"""
attributes:
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
    support: full
  idempotent:
    description: When run twice in a row outside check mode, with the same arguments, the second invocation indicates no change.
    support: partial
    details:
      - Fonnte never shows the webhooks and most other settings, so the module compares them with a record of what it last applied from this machine.
      - Without that record, or with O(handle_write_only=always_update), a declared setting is applied again and counts as changed.
        With O(handle_write_only=stamped) no record is needed.
"""

    READS = r"""
attributes:
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
    support: N/A
    details:
      - This module does not change anything.
  idempotent:
    description: When run twice in a row outside check mode, with the same arguments, the second invocation indicates no change.
    support: N/A
    details:
      - This module does not change anything.
"""

    REPORTS = r"""
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
    support: full
    details:
      - Nothing is ever changed. The report is written in check mode too, since it is what the task is for. It does not count as a change.
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
    support: N/A
    details:
      - This module does not change anything.
  idempotent:
    description: When run twice in a row outside check mode, with the same arguments, the second invocation indicates no change.
    support: N/A
    details:
      - This module does not change anything.
"""

    SENDS = r"""
attributes:
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
    support: full
    details:
      - Shows what is sent.
  idempotent:
    description: When run twice in a row outside check mode, with the same arguments, the second invocation indicates no change.
    support: none
    details:
      - Each run sends.
"""

    LOOKS_AFTER = r"""
attributes:
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
    support: full
    details:
      - Shows the names of files with the numbers that they belong to, and a digest of each sealed text.
  idempotent:
    description: When run twice in a row outside check mode, with the same arguments, the second invocation indicates no change.
    support: full
"""
