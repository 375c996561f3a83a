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
      - The URL that Fonnte calls for incoming chats, only while autoread is on.
      - An empty string clears a webhook. Results contain only the host and a digest.
    type: str
  webhook_connect:
    description:
      - The URL that Fonnte calls when the device is linked or disconnected. Use V(https://), because it gets the device's token.
    type: str
  webhook_status:
    description:
      - The URL that Fonnte calls when a message's status changes.
    type: str
  webhook_chaining:
    description:
      - The URL that Fonnte calls for responses to chained messages.
    type: str
"""
