#!/usr/bin/python
# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fonnte_device_info
short_description: Look at the WhatsApp devices of a Fonnte account
version_added: 1.0.0
description:
  - Lists the devices of an account of U(https://fonnte.com), with filters. Nothing is changed, and nothing comes from a cache.
  - Fonnte shows only some settings of a device. The others are V(null).
author:
  - The fonnte.whatsapp contributors (!UNKNOWN)
extends_documentation_fragment:
  - fonnte.whatsapp.api
  - fonnte.whatsapp.attributes
  - fonnte.whatsapp.attributes.reads
options:
  devices:
    description:
      - Only these numbers, in any spelling. Those that the account does not list come back in RV(missing). Quote them.
    type: list
    elements: raw
  connection:
    description:
      - Only devices that are linked to a WhatsApp account, or only those that are not.
    type: str
    choices: [any, connected, disconnected]
    default: any
  package:
    description:
      - Only devices with this package, such as V(Free). Case does not matter.
    type: str
  expires_within:
    description:
      - Only devices whose package has ended or will end within this many days.
    type: int
  quota_below:
    description:
      - Only devices that have fewer messages left than this.
    type: int
  profile:
    description:
      - Whether to tell how many messages each device has sent. That takes one more call for each, which Fonnte limits.
    type: bool
    default: false
  recorded:
    description:
      - Whether to tell what this controller's record knows of each device.
    type: bool
    default: false
  record_max_age:
    description:
      - Accepted so that C(module_defaults) can hold it for all modules. It has no effect here.
      - A whole number and one of V(s), V(m), V(h), V(d) or V(w), such as V(30d).
  return_tokens:
    description:
      - Whether the result holds the devices' tokens. Say C(no_log=true) in the task, or they are printed.
    type: bool
    default: false
  device_token:
    description:
      - The token of one device. It is used only where there is no O(account_token), and then only this device is told of.
      - If not set, the value of the environment variable E(FONNTE_DEVICE_TOKEN) is used.
seealso:
  - module: fonnte.whatsapp.fonnte_device
  - module: fonnte.whatsapp.fonnte_webhook_config
  - plugin: fonnte.whatsapp.fonnte
    plugin_type: inventory
  - module: fonnte.whatsapp.fonnte_audit
  - module: fonnte.whatsapp.fonnte_device_qr
  - module: fonnte.whatsapp.fonnte_doctor
  - module: fonnte.whatsapp.fonnte_fleet
  - module: fonnte.whatsapp.fonnte_message
  - module: fonnte.whatsapp.fonnte_record
  - module: fonnte.whatsapp.fonnte_record_info
  - module: fonnte.whatsapp.fonnte_sheet
  - name: The API of Fonnte
    description: The vendor's documentation.
    link: https://docs.fonnte.com
"""

EXAMPLES = r"""
# The account's token is in the environment variable FONNTE_ACCOUNT_TOKEN.

- name: All devices
  fonnte.whatsapp.fonnte_device_info:
  register: all_devices

- name: Devices that dropped off
  fonnte.whatsapp.fonnte_device_info:
    connection: disconnected
  register: dropped

- name: Packages that end within two weeks
  fonnte.whatsapp.fonnte_device_info:
    expires_within: 14
  register: ending

- name: Two devices, with what this controller remembers of them
  fonnte.whatsapp.fonnte_device_info:
    devices:
      - "081200001001"
      - "081200001002"
    recorded: true
  register: two

- name: Say which of them are missing
  ansible.builtin.debug:
    var: two.missing
"""

RETURN = r"""
devices:
  description: The devices, sorted by number. A key that is V(null) is not known.
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
      description: The package that was bought for the device.
      type: str
      sample: Free
    quota:
      description: How many messages are left.
      type: int
      sample: 1000
    expires:
      description: When the package ends, in UTC.
      type: str
      sample: "2027-02-08T12:00:00Z"
    name:
      description: The device's name.
      type: str
      sample: Toko Satu
    autoread:
      description: Whether incoming chats are marked as read. Not known where only a device's token is given.
      type: bool
    personal:
      description:
        - Always V(null). So is each other setting that Fonnte never shows, among them the four webhooks. All of them have a key.
        - See RV(devices[].recorded).
      type: bool
    messages:
      description: How many messages the device has sent.
      returned: O(profile=true)
      type: int
      sample: 16785
    recorded:
      description:
        - For each setting in the record, its value, how far it can be believed and since when.
        - It is V(recorded), V(attested), V(unconfirmed) or V(in_doubt).
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
  description: Those of O(devices) that the account does not list. A free device that Fonnte leaves out of the list looks the same as none.
  returned: success
  type: list
  elements: str
  sample: ["6281200001009"]
listed_as:
  description:
    - For each number of O(devices), as it is given, the numbers of the listed devices that it can mean.
    - An exact spelling wins over another one. With more than one number, it names no single device.
  returned: if O(devices) is set
  type: dict
  version_added: 1.1.0
  sample:
    "+62 812 0000 1001": ["081200001001"]
    "6281200001009": []
account:
  description: Figures of the account. V(null) where only a device's token is given.
  returned: success
  type: dict
  contains:
    devices:
      description: How many devices the account lists.
      type: int
      sample: 12
    connected:
      description: How many of them are linked.
      type: int
      sample: 11
    messages:
      description: How many messages were sent.
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
