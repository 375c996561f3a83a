# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Destinations that a user names: never inside an installed collection, which the next installation deletes."""

from __future__ import annotations

import os

from .errors import OptionError

# ansible-galaxy writes it into each collection that it installs.
_INSTALLED_MARK = "MANIFEST.json"


def check_destination(option: str, path: str) -> None:
    """Refuse a path inside an installed collection.

    Raises:
        OptionError: The next installation of that collection would delete the file.
    """
    parts = os.path.realpath(os.path.expanduser(path)).split(os.sep)
    for place in range(len(parts) - 2):
        root = os.sep.join(parts[: place + 3])
        if parts[place] == "ansible_collections" and os.path.exists(os.path.join(root, _INSTALLED_MARK)):
            raise OptionError(
                option,
                f"{path} is inside the installed collection {parts[place + 1]}.{parts[place + 2]}, and the next "
                "installation deletes it",
                "name a directory of your own, such as ~/fonnte",
            )
