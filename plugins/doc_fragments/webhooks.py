# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The four webhooks of a device."""

from __future__ import annotations


class ModuleDocFragment:
    """The URLs that Fonnte calls."""

    DOCUMENTATION = r"""
options:
  webhook:
    description:
      - The URL that Fonnte calls for incoming chats. It is called only while the device's autoread is on.
      - An empty text clears it. Left out, it is not managed. Results show only its host and a digest.
    type: str
  webhook_connect:
    description:
      - The URL that Fonnte calls when the device is linked or drops off. Use V(https://), since the device's token is sent there.
      - An empty text clears it. Left out, it is not managed. Results show only its host and a digest.
    type: str
  webhook_status:
    description:
      - The URL that Fonnte calls when the status of a sent message changes.
      - An empty text clears it. Left out, it is not managed. Results show only its host and a digest.
    type: str
  webhook_chaining:
    description:
      - The URL that Fonnte calls for replies to chained messages.
      - An empty text clears it. Left out, it is not managed. Results show only its host and a digest.
    type: str
"""
