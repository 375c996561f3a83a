# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""One instance of a callback for each playbook file.

Ansible loads a file of a callback twice if it has two names: the one of the collection, and a short one from a directory
of ``callback_plugins``. Each name has its own module and class, but both import this module once.
"""

from __future__ import annotations

import typing as t


class PlaybookClaims:
    """Reserves each playbook file for the first instance that claims it."""

    def __init__(self) -> None:
        # Ansible runs one file after another, and passes the same object to all instances.
        self._claimed: t.Any = None

    def claim(self, playbook: object) -> bool:
        """Return whether no other instance has claimed this object for a playbook file."""
        if self._claimed is playbook:
            return False
        self._claimed = playbook
        return True


CLAIMS = PlaybookClaims()
