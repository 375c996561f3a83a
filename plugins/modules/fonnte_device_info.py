#!/usr/bin/python
# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fonnte_device_info
short_description: List the WhatsApp devices of a Fonnte account
version_added: 1.0.0
description:
  - Lists the devices of an account of U(https://fonnte.com), with filters. Nothing is changed, and nothing is read from a cache.
  - Fonnte returns only some settings of a device. The others are V(null).
author:
  - The fonnte.whatsapp contributors (!UNKNOWN)
extends_documentation_fragment:
  - fonnte.whatsapp.api
  - fonnte.whatsapp.attributes
  - fonnte.whatsapp.attributes.reads
options:
  devices:
    description:
      - Return only these numbers, in any spelling. Numbers that the account does not list are in RV(missing). Quote them.
    type: list
    elements: raw
  connection:
    description:
      - Return only devices that are linked to a WhatsApp account, or only devices that are not.
    type: str
    choices: [any, connected, disconnected]
    default: any
  package:
    description:
      - Return only devices with this package, such as V(Free), in upper or lower case.
    type: str
  expires_within:
    description:
      - Return only devices whose package has ended, or ends within this number of days.
    type: int
  quota_below:
    description:
      - Return only devices that have fewer messages left than this.
    type: int
  profile:
    description:
      - Whether to return the number of messages that each device has sent. This needs another request for each device, and Fonnte limits these requests.
    type: bool
    default: false
  recorded:
    description:
      - Whether to return the settings of each device in this control node's record.
    type: bool
    default: false
  record_max_age:
    description:
      - Accepted so that C(module_defaults) can set it for all modules. It has no effect here.
      - A number of seconds, or a number with V(s), V(m), V(h), V(d) or V(w), such as V(30d).
  return_tokens:
    description:
      - Whether to return the devices' tokens. Set C(no_log=true) in the task, or they are printed.
    type: bool
    default: false
  device_token:
    description:
      - The token of one device. It is used only without O(account_token), and only this device is returned.
      - If not set, E(FONNTE_DEVICE_TOKEN) is used.
seealso:
  - module: fonnte.whatsapp.fonnte_device
  - module: fonnte.whatsapp.fonnte_webhook_config
  - plugin: fonnte.whatsapp.fonnte
    plugin_type: inventory
  - module: fonnte.whatsapp.fonnte_audit
  - module: fonnte.whatsapp.fonnte_device_qr
  - module: fonnte.whatsapp.fonnte_doctor
  - module: fonnte.whatsapp.fonnte_fleet
  - module: fonnte.whatsapp.fonnte_group_info
  - module: fonnte.whatsapp.fonnte_message
  - module: fonnte.whatsapp.fonnte_number_info
  - module: fonnte.whatsapp.fonnte_record
  - module: fonnte.whatsapp.fonnte_record_info
  - module: fonnte.whatsapp.fonnte_link_changes
  - module: fonnte.whatsapp.fonnte_sheet
  - name: The API of Fonnte
    description: The vendor's documentation.
    link: https://docs.fonnte.com
"""

EXAMPLES = r"""
# The account's token is in the environment variable FONNTE_ACCOUNT_TOKEN.

- name: List all devices
  fonnte.whatsapp.fonnte_device_info:
  register: all_devices

- name: List the devices that are disconnected
  fonnte.whatsapp.fonnte_device_info:
    connection: disconnected
  register: dropped

- name: List the devices whose packages end within two weeks
  fonnte.whatsapp.fonnte_device_info:
    expires_within: 14
  register: ending

- name: List two devices, with their recorded settings
  fonnte.whatsapp.fonnte_device_info:
    devices:
      - "081200001001"
      - "081200001002"
    recorded: true
  register: two

- name: Print the numbers that are missing
  ansible.builtin.debug:
    var: two.missing
"""

RETURN = r"""
devices:
  description: The devices, sorted by number. A value of V(null) is unknown.
  returned: success
  type: list
  elements: dict
  contains:
    device:
      description: The registered number.
      type: str
      sample: "081200001001"
    connected:
      description: Whether a WhatsApp account is linked.
      type: bool
    package:
      description: The package that was purchased for the device.
      type: str
      sample: Free
    quota:
      description: The number of messages left.
      type: int
      sample: 1000
    expires:
      description: The end of the package, in UTC.
      type: str
      sample: "2027-02-08T12:00:00Z"
    name:
      description: The device's name.
      type: str
      sample: Toko Satu
    autoread:
      description: Whether incoming chats are marked as read. Unknown if only a device's token is given.
      type: bool
    personal:
      description:
        - Always V(null), like each other setting that Fonnte never returns, such as the four webhooks. Each of these settings has a key.
        - See RV(devices[].recorded).
      type: bool
    messages:
      description: The number of messages that the device has sent.
      returned: O(profile=true)
      type: int
      sample: 16785
    recorded:
      description:
        - For each setting in the record, its value, the kind of evidence, and its time.
        - The kind is V(recorded), V(attested), V(unconfirmed) or V(in_doubt), as in RV(fonnte.whatsapp.fonnte_device#module:evidence).
      returned: O(recorded=true)
      type: dict
      sample:
        webhook: {value: "https://hooks.example.com/…#1a2b3c", source: recorded, at: "2026-11-22T09:30:00Z"}
    token:
      description: The device's token.
      returned: O(return_tokens=true)
      type: str
      sample: example-device-token
missing:
  description: The numbers of O(devices) that the account does not list. Fonnte can omit a free device from its device list.
  returned: success
  type: list
  elements: str
  sample: ["6281200001009"]
listed_as:
  description:
    - For each number of O(devices), as given, the listed devices that it can refer to.
    - An exact spelling takes precedence over another one. A number that matches more than one device does not identify a device.
  returned: if O(devices) is set
  type: dict
  version_added: 1.0.0
  sample:
    "+62 812 0000 1001": ["081200001001"]
    "6281200001009": []
account:
  description: Counts for the account. V(null) if only a device's token is given.
  returned: success
  type: dict
  contains:
    devices:
      description: The number of listed devices.
      type: int
      sample: 12
    connected:
      description: The number of linked devices.
      type: int
      sample: 11
    messages:
      description: The number of messages sent.
      type: int
      sample: 16785
"""

from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.ansible_adapter import run_module
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.device_info import DEVICE_INFO, run_device_info


def main() -> None:
    """Run the module."""
    run_module(DEVICE_INFO, run_device_info)


if __name__ == "__main__":
    main()
