#!/usr/bin/python
# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fonnte_record_info
short_description: Look at the record of what was last applied to WhatsApp devices
version_added: 1.0.0
description:
  - Fonnte never shows the webhooks and most other settings of a device. So this collection keeps a sealed record of what it last applied.
    This module tells of which devices there is one, how old it is, what is in doubt, and whether the record will be there for the next run.
  - Nothing is changed, neither in the record nor at the service. The account's devices are listed once, since only a device's token opens its record.
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
      - Only these numbers, in any spelling. Those of which nothing is known come back in RV(missing). Quote them.
      - A number can be asked for whose device is gone.
    type: list
    elements: raw
  record_max_age:
    description:
      - Accepted so that C(module_defaults) can hold it for all modules. It has no effect here.
      - A whole number and one of V(s), V(m), V(h), V(d) or V(w), such as V(30d).
  device_token:
    description:
      - The token of one device. Without O(account_token) only this device's record is told of.
        With it, it is needed only for a device that Fonnte leaves out of the list.
      - If not set, the value of the environment variable E(FONNTE_DEVICE_TOKEN) is used.
seealso:
  - module: fonnte.whatsapp.fonnte_record
  - module: fonnte.whatsapp.fonnte_device
  - module: fonnte.whatsapp.fonnte_device_info
"""

EXAMPLES = r"""
# The account's token is in the environment variable FONNTE_ACCOUNT_TOKEN.

- name: Look at the record
  fonnte.whatsapp.fonnte_record_info:
  register: record

- name: Say which devices have something in doubt
  ansible.builtin.debug:
    msg: "{{ record.devices | selectattr('doubts') | map(attribute='number') | list }}"

- name: Say of which devices nothing is recorded
  ansible.builtin.debug:
    msg: "{{ record.devices | rejectattr('recorded') | map(attribute='number') | list }}"

- name: Look at the record of two devices
  fonnte.whatsapp.fonnte_record_info:
    devices:
      - "081200001001"
      - "081200001002"
  register: two

- name: Say of which of them nothing is known
  ansible.builtin.debug:
    var: two.missing
"""

RETURN = r"""
devices:
  description: What is recorded of each device that the account lists, sorted by number. Without a value.
  returned: success
  type: list
  elements: dict
  contains:
    number:
      description: The registered number.
      type: str
      sample: "081200001001"
    recorded:
      description: Whether there is a record.
      type: bool
    opens:
      description: Whether it can be read. V(false) where it is damaged, V(null) where there is none.
      type: bool
    settings:
      description:
        - For each setting in the record, how far it can be believed (RV(ignore:standing)) and since when (RV(ignore:at)).
          V(recorded) was applied. V(unconfirmed) was cleared, but nobody knows whether it is empty. V(in_doubt) was sent without an answer.
          V(attested) was not sent. The user in RV(ignore:by) vouched for it.
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
      description: The settings that were sent without an answer, or in a creation that was not finished.
      type: list
      elements: str
      sample: [webhook]
    otp_requested_at:
      description: When a code for the device's deletion was last asked for.
      type: str
      sample: "2026-11-22T09:30:00Z"
    note:
      description: What the note on the number says. V(creating), V(present), V(deleted), or V(null) for no note.
      type: str
      sample: present
numbers:
  description: Numbers of this account that have a note and no device that Fonnte lists, sorted.
  returned: success
  type: list
  elements: dict
  contains:
    number:
      description: The number, as it was last spelled.
      type: str
      sample: "081200001009"
    state:
      description: What the note says. V(creating) for a creation without an end, V(present) for a device that was there, V(deleted).
      type: str
      sample: deleted
    at:
      description: Since when, in UTC.
      type: str
      sample: "2026-11-22T09:30:00Z"
    opens:
      description: Whether the note can be read. A damaged one is found only where O(devices) names its number.
      type: bool
    recorded:
      description: Whether the record of the device that is gone is still there.
      type: bool
    moved_to:
      description: The number that the device has now, where it was given another one in the dashboard.
      type: str
      sample: "081200001010"
missing:
  description: Those of O(devices) of which nothing is known.
  returned: success
  type: list
  elements: str
  sample: ["6281200001009"]
orphans:
  description:
    - The files of this account that belong to no device that it lists. V(null) without O(account_token).
    - With O(fonnte.whatsapp.fonnte_record#module:orphans=true) these are forgotten.
  returned: success
  type: dict
  contains:
    count:
      description: How many.
      type: int
      sample: 2
    files:
      description: Their names. A name is a digest, and tells nothing.
      type: list
      elements: str
      sample: [device-3f6c1de9b0a84f5c9d2e7a6b1c0f4e8d]
unclaimed:
  description:
    - Files of which nobody can tell from here whose they are. They are of another account, of another O(api_endpoint),
      of a device that was made anew in the dashboard, or damaged. V(null) without O(account_token).
  returned: success
  type: dict
  contains:
    count:
      description: How many.
      type: int
      sample: 0
    files:
      description: Their names.
      type: list
      elements: str
      sample: []
damaged:
  description: The names of files that did not open and were set aside.
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
  description: Its permissions. V(null) where it is not there yet, and for a database.
  returned: success
  type: str
  sample: "0700"
writable:
  description: Whether a run could write it.
  returned: success
  type: bool
lasting:
  description:
    - Whether it looks as if it will be there for the next run. V(null) where this is unknown, as in a container.
    - A warning names storage on which locks do not reach other machines.
  returned: success
  type: bool
lasting_because:
  description: Why, in a sentence.
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
