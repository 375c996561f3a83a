#!/usr/bin/python
# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fonnte_record_info
short_description: List the recorded settings of WhatsApp devices
version_added: 1.0.0
description:
  - Fonnte never returns the webhooks and most other settings of a device, so this collection stores the values that it last applied in an encrypted record.
    This module lists the devices in the record, the age of their entries and the settings in doubt, and checks whether the record will exist in the next run.
  - Neither the record nor the service is changed. The account's devices are listed once, because the record of a device can be decrypted only with its token.
  - No value of the record is shown, at any verbosity.
author:
  - The fonnte.whatsapp contributors (!UNKNOWN)
extends_documentation_fragment:
  - fonnte.whatsapp.api
  - fonnte.whatsapp.attributes
  - fonnte.whatsapp.attributes.reads
options:
  devices:
    description:
      - Return only these numbers, in any spelling. Numbers that are not in the record are in RV(missing). Quote them.
      - A number may belong to a device that no longer exists.
    type: list
    elements: raw
  record_max_age:
    description:
      - Accepted so that C(module_defaults) can set it for all modules. It has no effect here.
      - A number of seconds, or a number with V(s), V(m), V(h), V(d) or V(w), such as V(30d).
  device_token:
    description:
      - The token of one device. Without O(account_token), only this device is returned.
        With it, the token is needed only for a device that Fonnte omits from its device list.
      - If not set, E(FONNTE_DEVICE_TOKEN) is used.
seealso:
  - module: fonnte.whatsapp.fonnte_record
  - module: fonnte.whatsapp.fonnte_device
  - module: fonnte.whatsapp.fonnte_device_info
"""

EXAMPLES = r"""
# The account's token is in the environment variable FONNTE_ACCOUNT_TOKEN.

- name: Read the record
  fonnte.whatsapp.fonnte_record_info:
  register: record

- name: Print the devices with settings in doubt
  ansible.builtin.debug:
    msg: "{{ record.devices | selectattr('doubts') | map(attribute='number') | list }}"

- name: Print the devices without a record
  ansible.builtin.debug:
    msg: "{{ record.devices | rejectattr('recorded') | map(attribute='number') | list }}"

- name: Read the record of two devices
  fonnte.whatsapp.fonnte_record_info:
    devices:
      - "081200001001"
      - "081200001002"
  register: two

- name: Print the numbers that are not in the record
  ansible.builtin.debug:
    var: two.missing
"""

RETURN = r"""
devices:
  description: The record of each device that the account lists, sorted by number, without values.
  returned: success
  type: list
  elements: dict
  contains:
    number:
      description: The registered number.
      type: str
      sample: "081200001001"
    recorded:
      description: Whether the device has a record.
      type: bool
    opens:
      description: Whether it can be decrypted. V(false) if it is damaged, V(null) if there is none.
      type: bool
    settings:
      description:
        - For each setting in the record, the kind of evidence (RV(ignore:standing)) and its time (RV(ignore:at)). V(recorded), the value was applied.
          V(unconfirmed), it was cleared, but Fonnte may have ignored that. V(in_doubt), it was sent without a response.
          V(attested), it was not sent, and the user in RV(ignore:by) attested it.
      type: dict
      sample:
        webhook: {standing: recorded, at: "2026-11-22T09:30:00Z"}
    oldest:
      description: The time of the oldest entry, in UTC.
      type: str
      sample: "2026-11-22T09:30:00Z"
    oldest_days:
      description: Its age, in whole days.
      type: int
      sample: 12
    newest:
      description: The time of the newest entry, in UTC.
      type: str
      sample: "2026-11-22T09:30:00Z"
    newest_days:
      description: Its age, in whole days.
      type: int
      sample: 12
    doubts:
      description: The settings that were sent without a response, or in an unfinished creation.
      type: list
      elements: str
      sample: [webhook]
    otp_requested_at:
      description: The time of the last request for a code to delete the device.
      type: str
      sample: "2026-11-22T09:30:00Z"
    note:
      description: The state in the creation entry of the number. V(creating), V(present), V(deleted), or V(null) if there is no entry.
      type: str
      sample: present
numbers:
  description: Numbers of this account that have a creation entry, but no device that Fonnte lists, sorted.
  returned: success
  type: list
  elements: dict
  contains:
    number:
      description: The number, as last spelled.
      type: str
      sample: "081200001009"
    state:
      description: The state. V(creating), a creation did not finish. V(present), a device existed. V(deleted), the device was deleted.
      type: str
      sample: deleted
    at:
      description: The time of the state, in UTC.
      type: str
      sample: "2026-11-22T09:30:00Z"
    opens:
      description: Whether the entry can be decrypted. A damaged entry is found only if O(devices) contains its number.
      type: bool
    recorded:
      description: Whether the record of the missing device still exists.
      type: bool
    moved_to:
      description: The device's current number, if its number was changed in the dashboard.
      type: str
      sample: "081200001010"
missing:
  description: The numbers of O(devices) that are not in the record.
  returned: success
  type: list
  elements: str
  sample: ["6281200001009"]
orphans:
  description:
    - The files of this account that belong to no device in its device list. V(null) without O(account_token).
    - O(fonnte.whatsapp.fonnte_record#module:orphans=true) forgets them.
  returned: success
  type: dict
  contains:
    count:
      description: The number of files.
      type: int
      sample: 2
    files:
      description: Their names. A name is a digest, and reveals nothing.
      type: list
      elements: str
      sample: [device-3f6c1de9b0a84f5c9d2e7a6b1c0f4e8d]
unclaimed:
  description:
    - Files whose owner cannot be determined.
      They belong to another account, to another O(api_endpoint), to a device that was recreated in the dashboard, or they are damaged.
      V(null) without O(account_token).
  returned: success
  type: dict
  contains:
    count:
      description: The number of files.
      type: int
      sample: 0
    files:
      description: Their names.
      type: list
      elements: str
      sample: []
damaged:
  description: The names of files that could not be decrypted and were renamed.
  returned: success
  type: list
  elements: str
  sample: [device-3f6c1de9b0a84f5c9d2e7a6b1c0f4e8d.damaged-1795339800]
folder:
  description: The directory of the record, or its database without user name and password.
  returned: success
  type: str
  sample: /home/me/.ansible/fonnte
mode:
  description: Its permissions. V(null) if it does not exist yet, and for a database.
  returned: success
  type: str
  sample: "0700"
writable:
  description: Whether a run can write it.
  returned: success
  type: bool
lasting:
  description:
    - Whether it is likely to exist in the next run. V(null) if this is unknown, for example in a container.
    - A warning names storage whose locks do not reach other machines.
  returned: success
  type: bool
lasting_because:
  description: The reason for RV(lasting), as a sentence.
  returned: success
  type: str
  sample: It is on a persistent file system (ext4), and not below a directory for temporary files.
"""

from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.ansible_adapter import run_module
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.record_info import RECORD_INFO, run_record_info


def main() -> None:
    """Run the module."""
    run_module(RECORD_INFO, run_record_info)


if __name__ == "__main__":
    main()
