# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A fleet as it is declared: a list of devices, and what all of them start from."""

from __future__ import annotations


class ModuleDocFragment:
    """The devices of a fleet, and their defaults."""

    DOCUMENTATION = r"""
options:
  files:
    description:
      - Files that declare devices, or directories whose C(*.yml) do. A path, a list of paths, or a string with commas.
      - A file has some of
        O(fonnte.whatsapp.fleet#role:main:fleet_clients), O(fonnte.whatsapp.fleet#role:main:fleet_devices),
        O(fonnte.whatsapp.fleet#role:main:fleet_packages) and
        O(fonnte.whatsapp.fleet#role:main:fleet_defaults).
        Templates are filled in, and values that ansible-vault has encrypted are decrypted.
      - Files, hosts and clients are read on the control node. Each account that they name is one run.
    type: raw
  hosts:
    description:
      - Hosts or groups of the inventory, with O(fonnte.whatsapp.fleet#role:main:fleet_clients) in the variables of the hosts. A list, or a string with commas.
      - With C(--limit), only those of them that it matches.
    type: raw
  clients:
    description:
      - Clients with their devices, as O(fonnte.whatsapp.fleet#role:main:fleet_clients).
    type: list
    elements: raw
  packages:
    description:
      - Named sets of settings for O(clients), as O(fonnte.whatsapp.fleet#role:main:fleet_packages).
    type: dict
  devices:
    description:
      - The devices. A setting that is left out here and in O(defaults) is not managed.
      - Needed where O(files), O(hosts) and O(clients) are left out.
    type: list
    elements: dict
    suboptions:
      device:
        description: The number of the device, in any spelling. Quote it.
        type: raw
        aliases: [number]
      device_token:
        description: The device's token, where the account does not list it.
        type: str
      name:
        description: The device's name, 2 to 30 characters, or to 23 with stamps. It is needed to create a device, and kept when left out.
        type: str
      state:
        description: V(present), or V(disconnected) for a device that is linked to no WhatsApp account. Left out, it is V(present).
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
        description: The number that attachments are forwarded to. Quote it.
        type: raw
      country_code:
        description: The country code that stands for a leading 0 of the target.
        type: str
      webhook:
        description: The URL for incoming chats. An empty text clears it.
        type: str
      webhook_connect:
        description: The URL for connect events. An empty text clears it.
        type: str
      webhook_status:
        description: The URL for message status. An empty text clears it.
        type: str
      webhook_chaining:
        description: The URL for replies to chained messages. An empty text clears it.
        type: str
      handle_write_only:
        description: What counts as evidence for this device. Left out, the option of the task counts.
        type: str
        choices: [recorded, stamped, always_update, error, attest]
      handle_undeclared:
        description: What is done about settings that are recorded and not declared. Left out, the option of the task counts.
        type: str
        choices: [carry, forget]
      handle_unknown:
        description: What is done about settings that an update may reset. Left out, the option of the task counts.
        type: str
        choices: [warn, error, ignore]
  defaults:
    description:
      - What every entry of O(devices) starts from. The entry wins. A V(null) in the entry means that the setting is not managed.
    type: dict
    suboptions:
      name:
        description: The device's name, 2 to 30 characters, or to 23 with stamps. It is needed to create a device, and kept when left out.
        type: str
      state:
        description: V(present), or V(disconnected) for a device that is linked to no WhatsApp account. Left out, it is V(present).
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
        description: The number that attachments are forwarded to. Quote it.
        type: raw
      country_code:
        description: The country code that stands for a leading 0 of the target.
        type: str
      webhook:
        description: The URL for incoming chats. An empty text clears it.
        type: str
      webhook_connect:
        description: The URL for connect events. An empty text clears it.
        type: str
      webhook_status:
        description: The URL for message status. An empty text clears it.
        type: str
      webhook_chaining:
        description: The URL for replies to chained messages. An empty text clears it.
        type: str
      handle_write_only:
        description: What counts as evidence for this device. Left out, the option of the task counts.
        type: str
        choices: [recorded, stamped, always_update, error, attest]
      handle_undeclared:
        description: What is done about settings that are recorded and not declared. Left out, the option of the task counts.
        type: str
        choices: [carry, forget]
      handle_unknown:
        description: What is done about settings that an update may reset. Left out, the option of the task counts.
        type: str
        choices: [warn, error, ignore]
"""
