#!/usr/bin/python
# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fonnte_record
short_description: Back up, restore, forget or migrate the record of what was last applied to WhatsApp devices
version_added: 1.0.0
description:
  - Fonnte never shows the webhooks and most other settings of a device. So this collection keeps a sealed record of what it last applied.
    This module backs it up, restores it, and forgets devices. What is in it is told by M(fonnte.whatsapp.fonnte_record_info).
  - Nothing is changed at the service. The account's devices are listed once, since only a device's token opens its record.
  - No value of the record is shown, at any verbosity.
author:
  - The fonnte.whatsapp contributors (!UNKNOWN)
extends_documentation_fragment:
  - fonnte.whatsapp.api
  - fonnte.whatsapp.attributes
  - fonnte.whatsapp.attributes.looks_after
options:
  operation:
    description:
      - With V(backup) the sealed files are written into one file. They are not opened for it, so no more can be read in it than in the record.
      - With V(restore) files that the record does not have are written back from a backup.
      - With V(forget) the record of some devices is removed. Nothing is known of them afterwards.
      - With V(migrate) the creation entries of an account whose token was replaced are encrypted under O(account_token),
        and the old files are removed. Without it, nothing finds them any more. Records of devices do not depend on the account's token.
    type: str
    choices: [backup, restore, forget, migrate]
    required: true
  devices:
    description:
      - Only these numbers, in any spelling. Quote them.
      - V(forget) needs it, or O(orphans=true). A number can be forgotten whose device is gone.
      - A V(backup) or a V(restore) of named devices leaves out the files of all others.
    type: list
    elements: raw
  path:
    description:
      - The file of the backup, for V(backup) and V(restore). It is text in JSON, with a line for each file of the record, always in the same order.
      - A file that is there and is no backup is never replaced. A new file can be read by its owner only.
      - A new backup cannot be inside an installed collection, and its path must not lead through a symbolic link of another user.
    type: path
  orphans:
    description:
      - For V(forget). Also removes what the record has of numbers that the account does not list any more.
      - A free device that Fonnte leaves out of the list looks the same as none. Give its O(device_token), and its record is kept.
      - Files of which nobody can tell whose they are stay. They may be of another account or of another O(api_endpoint).
        See RV(fonnte.whatsapp.fonnte_record_info#module:unclaimed).
    type: bool
    default: false
  overwrite:
    description:
      - For V(restore). Whether a file that is there and differs is replaced by the one of the backup.
      - A file that no token of this run opens, as one of another account, is not replaced. Restore it with the token of its account.
    type: bool
    default: false
  old_account_token:
    description:
      - For V(migrate). The token that the account had before. It need not be valid any more, and is never sent.
      - To restore a backup from the time of the old token, use V(restore) first, then V(migrate).
    type: str
  record_max_age:
    description:
      - Accepted so that C(module_defaults) can hold it for all modules. It has no effect here.
      - A whole number and one of V(s), V(m), V(h), V(d) or V(w), such as V(30d).
  device_token:
    description:
      - The token of one device. Without O(account_token) only this device's record is looked after.
        With it, it is needed only for a device that Fonnte leaves out of the list.
      - If not set, the value of the environment variable E(FONNTE_DEVICE_TOKEN) is used.
notes:
  - A restored record does not know what happened after it was made.
    To be sure of a device, play it once with O(fonnte.whatsapp.fonnte_device#module:handle_write_only=always_update),
    or let old records expire with O(fonnte.whatsapp.fonnte_device#module:record_max_age).
  - The locks of the record are never removed. Other runs may hold them.
seealso:
  - module: fonnte.whatsapp.fonnte_device
  - module: fonnte.whatsapp.fonnte_device_info
  - module: fonnte.whatsapp.fonnte_record_info
"""

EXAMPLES = r"""
# The account's token is in the environment variable FONNTE_ACCOUNT_TOKEN.

- name: A device whose record is worth keeping
  fonnte.whatsapp.fonnte_device:
    device: "081200001001"
    name: Toko Satu
    webhook: https://hooks.example.com/toko-satu

- name: Back it up
  fonnte.whatsapp.fonnte_record:
    operation: backup
    path: ~/fonnte-record.json

- name: On a new machine, bring back what is missing
  fonnte.whatsapp.fonnte_record:
    operation: restore
    path: ~/fonnte-record.json

- name: Forget a device that was changed by hand, so that all is sent again
  fonnte.whatsapp.fonnte_record:
    operation: forget
    devices:
      - "081200001001"

- name: Forget what belongs to no device any more
  fonnte.whatsapp.fonnte_record:
    operation: forget
    orphans: true

- name: After a new account token was created in the dashboard
  fonnte.whatsapp.fonnte_record:
    operation: migrate
    old_account_token: "{{ lookup('ansible.builtin.env', 'FONNTE_OLD_ACCOUNT_TOKEN') }}"
"""

RETURN = r"""
changed_files:
  description: The names of the files that were written or removed, in the record or in the backup. In check mode, that would be.
  returned: success
  type: list
  elements: str
  sample: [device-3f6c1de9b0a84f5c9d2e7a6b1c0f4e8d]
changed_devices:
  description: The numbers that they belong to, as far as that can be told.
  returned: success
  type: list
  elements: str
  sample: ["081200001001"]
missing:
  description: Those of O(devices) of which nothing is known.
  returned: success
  type: list
  elements: str
  sample: ["6281200001009"]
path:
  description: The file of the backup.
  returned: O(operation=backup) or O(operation=restore)
  type: str
  sample: /home/me/fonnte-record.json
files:
  description: How many files of the record the backup holds.
  returned: O(operation=backup) or O(operation=restore)
  type: int
  sample: 24
kept:
  description:
    - The names of files that were left. They differ from the backup and O(overwrite=false),
      or another run wrote them in the meantime. With O(operation=migrate), a run with the new token wrote an entry for the same number.
  returned: O(operation=restore), O(operation=forget) or O(operation=migrate)
  type: list
  elements: str
  sample: []
"""

from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.ansible_adapter import run_module
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.record import RECORD, run_record


def main() -> None:
    """Run the module."""
    run_module(RECORD, run_record)


if __name__ == "__main__":
    main()
