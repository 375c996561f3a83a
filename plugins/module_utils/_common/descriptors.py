# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to this collection: it may change in any release.

"""Closing of file descriptors."""

from __future__ import annotations

import contextlib
import os


def close_descriptor(descriptor: int) -> None:
    """Close a descriptor of a directory, of a lock, or of a file whose content is durable.

    A network file system can report an error here. The descriptor is closed all the same, so the error must not
    replace the result of work that is done.
    """
    with contextlib.suppress(OSError):
        os.close(descriptor)
