# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that declare a fleet: a list of devices, and the defaults of all devices."""

from __future__ import annotations


class ModuleDocFragment:
    """The devices of a fleet, and their defaults."""

    DOCUMENTATION = r"""
options:
  files:
    description:
      - Files that declare devices, or directories of C(*.yml) files. A path, a list of paths, or a comma-separated string.
      - A file contains some of
        O(fonnte.whatsapp.fleet#role:main:fleet_clients), O(fonnte.whatsapp.fleet#role:main:fleet_devices),
        O(fonnte.whatsapp.fleet#role:main:fleet_packages) and
        O(fonnte.whatsapp.fleet#role:main:fleet_defaults).
        Templates are rendered, and values that are encrypted with ansible-vault are decrypted.
      - Files, hosts and clients are read on the control node. The devices of each account that they name are processed separately.
    type: raw
  hosts:
    description:
      - Hosts or groups of the inventory, with O(fonnte.whatsapp.fleet#role:main:fleet_clients) in the variables of the hosts.
        A list, or a comma-separated string.
      - With C(--limit), only the matching hosts are used.
    type: raw
  clients:
    description:
      - Clients with their devices, in the format of O(fonnte.whatsapp.fleet#role:main:fleet_clients).
    type: list
    elements: raw
  packages:
    description:
      - Named sets of settings for O(clients), in the format of O(fonnte.whatsapp.fleet#role:main:fleet_packages).
    type: dict
  devices:
    description:
      - The devices. A setting that is omitted here and in O(defaults) is not managed.
      - Required if O(files), O(hosts) and O(clients) are not set.
    type: list
    elements: dict
    suboptions:
      device:
        description: The number of the device, in any spelling. Quote it.
        type: raw
        aliases: [number]
      device_token:
        description: The device's token, if the account does not list the device.
        type: str
      <<: &settings
        name:
          description: The device's name, 2 to 30 characters, or 2 to 23 with stamps. Required to create a device.
          type: str
        state:
          description: V(present), or V(disconnected) for a device that is not linked to a WhatsApp account. The default is V(present).
          type: str
          choices: [present, disconnected]
        autoread:
          description: Whether incoming chats are marked as read. Fonnte calls the webhook only while this is on.
          type: bool
        personal:
          description: Whether personal chats are marked as read.
          type: bool
        group:
          description: Whether group chats are marked as read.
          type: bool
        quick:
          description: Whether own chats are marked as read.
          type: bool
        resend:
          description: Whether incoming attachments are forwarded to the target.
          type: bool
        target:
          description: The number that receives forwarded attachments. Quote it.
          type: raw
        country_code:
          description: The country code that replaces a leading 0 of the target.
          type: str
        webhook:
          description: The URL for incoming chats. An empty string clears it.
          type: str
        webhook_connect:
          description: The URL for connect events. An empty string clears it.
          type: str
        webhook_status:
          description: The URL for message status. An empty string clears it.
          type: str
        webhook_chaining:
          description: The URL for responses to chained messages. An empty string clears it.
          type: str
        handle_write_only:
          description: How to treat the write-only settings of this device. If not set, the option of the task applies.
          type: str
          choices: [recorded, stamped, always_update, error, attest]
        handle_undeclared:
          description: How to treat settings that are recorded and not declared. If not set, the option of the task applies.
          type: str
          choices: [carry, forget]
        handle_unknown:
          description: How to treat settings that an update may reset. If not set, the option of the task applies.
          type: str
          choices: [warn, error, ignore]
  defaults:
    description:
      - Settings that every entry of O(devices) inherits. The entry takes precedence. A V(null) in the entry means that the setting is not managed.
    type: dict
    suboptions: *settings
"""
