#!/usr/bin/python
# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fonnte_record
short_description: Back up, restore, forget or migrate the recorded settings of WhatsApp devices
version_added: 1.0.0
description:
  - Fonnte never returns the webhooks and most other settings of a device, so this collection stores the values that it last applied in an encrypted record.
    This module backs it up, restores it, migrates it, and forgets devices. M(fonnte.whatsapp.fonnte_record_info) lists its contents.
  - The service is not changed. The account's devices are listed once, because the record of a device can be decrypted only with its token.
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
      - V(backup) writes the encrypted files into one file, without decrypting them. The backup reveals no more than the record.
      - V(restore) writes the files of a backup that the record does not have.
      - V(forget) removes the record of some devices. Their settings are then unknown.
      - V(migrate) is for an account whose token was replaced. It encrypts the creation entries with the new O(account_token), and removes the old files.
        Without it, these entries cannot be found any more. Records of devices do not depend on the account's token.
    type: str
    choices: [backup, restore, forget, migrate]
    required: true
  devices:
    description:
      - Process only these numbers, in any spelling. Quote them.
      - V(forget) requires it, or O(orphans=true). A number may belong to a device that no longer exists.
      - A V(backup) or a V(restore) of some devices omits the files of all others.
    type: list
    elements: raw
  path:
    description:
      - The backup file, for V(backup) and V(restore). It is JSON, with one line for each file of the record, always in the same order.
      - An existing file that is not a backup is never replaced. Only the owner can read a new file.
      - A new backup must not be inside an installed collection, and its path must not contain a symbolic link of another user.
    type: path
  orphans:
    description:
      - For V(forget). Also removes the entries of numbers that the account no longer lists.
      - Fonnte can omit a free device from its device list. Set its O(device_token), and its record is kept.
      - Files whose owner cannot be determined are kept. They may belong to another account or to another O(api_endpoint).
        See RV(fonnte.whatsapp.fonnte_record_info#module:unclaimed).
    type: bool
    default: false
  overwrite:
    description:
      - For V(restore). Whether to replace an existing, different file with the one of the backup.
      - The times of the last refresh of groups and of the last request for a one-time code stay the later ones of both, so that no request is repeated
        too soon.
      - A file that no token of this run can decrypt, such as a file of another account, is not replaced. Restore it with the token of its account.
    type: bool
    default: false
  old_account_token:
    description:
      - For V(migrate). The previous token of the account. It may be invalid, and is never sent.
      - To restore a backup from the time of the old token, use V(restore) first, then V(migrate).
    type: str
  record_max_age:
    description:
      - Accepted so that C(module_defaults) can set it for all modules. It has no effect here.
      - A number of seconds, or a number with V(s), V(m), V(h), V(d) or V(w), such as V(30d).
  device_token:
    description:
      - The token of one device. Without O(account_token), only the record of this device is processed.
        With it, the token is needed only for a device that Fonnte omits from its device list.
      - If not set, E(FONNTE_DEVICE_TOKEN) is used.
notes:
  - A restored record does not include changes after its backup.
    To apply all settings of a device again, run a task once with O(fonnte.whatsapp.fonnte_device#module:handle_write_only=always_update), or let old records
    expire with O(fonnte.whatsapp.fonnte_device#module:record_max_age).
  - The lock files of the record are never removed, because other runs may hold the locks.
seealso:
  - module: fonnte.whatsapp.fonnte_device
  - module: fonnte.whatsapp.fonnte_device_info
  - module: fonnte.whatsapp.fonnte_record_info
"""

EXAMPLES = r"""
# The account's token is in the environment variable FONNTE_ACCOUNT_TOKEN.

- name: Apply settings, which are recorded
  fonnte.whatsapp.fonnte_device:
    device: "081200001001"
    name: Toko Satu
    autoread: true
    personal: true
    webhook: https://hooks.example.com/toko-satu

- name: Back up the record
  fonnte.whatsapp.fonnte_record:
    operation: backup
    path: ~/fonnte-record.json

- name: Restore missing files on a new control node
  fonnte.whatsapp.fonnte_record:
    operation: restore
    path: ~/fonnte-record.json

- name: Forget a device that was changed manually, so that all its settings are sent again
  fonnte.whatsapp.fonnte_record:
    operation: forget
    devices:
      - "081200001001"

- name: Forget entries that belong to no device any more
  fonnte.whatsapp.fonnte_record:
    operation: forget
    orphans: true

- name: Migrate the record after a new account token was created in the dashboard
  fonnte.whatsapp.fonnte_record:
    operation: migrate
    old_account_token: "{{ lookup('ansible.builtin.env', 'FONNTE_OLD_ACCOUNT_TOKEN') }}"
"""

RETURN = r"""
changed_files:
  description: The names of the files that were written or removed, in the record or in the backup. In check mode, the predicted ones.
  returned: success
  type: list
  elements: str
  sample: [device-3f6c1de9b0a84f5c9d2e7a6b1c0f4e8d]
changed_devices:
  description: The numbers that they belong to, as far as known.
  returned: success
  type: list
  elements: str
  sample: ["081200001001"]
missing:
  description: The numbers of O(devices) that are not in the record.
  returned: success
  type: list
  elements: str
  sample: ["6281200001009"]
path:
  description: The backup file.
  returned: O(operation=backup) or O(operation=restore)
  type: str
  sample: /home/me/fonnte-record.json
files:
  description: The number of files in the backup.
  returned: O(operation=backup) or O(operation=restore)
  type: int
  sample: 24
kept:
  description:
    - The names of files that were kept, because they differ from the backup and O(overwrite=false), or another run wrote them in the meantime.
      With O(operation=migrate), because a run with the new token wrote an entry for the same number.
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
