#!/usr/bin/python
# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fonnte_fleet
short_description: Manage many WhatsApp devices of the Fonnte gateway in one task
version_added: 1.0.0
description:
  - Reconciles all devices of a list with their declarations, like the module P(fonnte.whatsapp.fonnte_device#module) does for one device.
    No device is ever deleted.
  - The module lists the account's devices once, plans for all devices, and sends only the requests that the plans need, several at a time.
    A run that takes longer than 30 seconds lists the devices again, once for all remaining devices.
  - Devices to disconnect come last, in groups of up to 100.
    A group is locked before the devices are listed again, so that no other device is disconnected instead.
    A device that was renumbered in the dashboard meanwhile fails.
  - Errors in the list are found before any write, and are reported with the positions of the entries.
    A number that is declared twice, in any spelling, is an error.
  - Safety limits stop a run with more changes than expected, also in check mode. See O(max_create), O(max_clear), O(max_disconnect) and O(free_device_limit).
  - The task fails if any device does not match its declaration at the end. The result still contains each device.
author:
  - The fonnte.whatsapp contributors (!UNKNOWN)
extends_documentation_fragment:
  - fonnte.whatsapp.api
  - fonnte.whatsapp.attributes
  - fonnte.whatsapp.attributes.writes
  - fonnte.whatsapp.evidence
  - fonnte.whatsapp.members
options:
  device_token:
    description:
      - Accepted so that C(module_defaults) can set it for all modules. It has no effect here. Each entry of O(devices) has its own option.
    type: str
  tokens:
    description:
      - Where to export the tokens of the declared devices. It requires O(files), O(hosts) or O(clients), and applies on the control node.
    type: dict
    suboptions:
      dest:
        description:
          - A directory with a file for each client, encrypted with ansible-vault. A file is written only when a token in it changes.
        type: path
      password:
        description: The password to encrypt the files.
        type: str
      command:
        description:
          - A command with its arguments. It gets each token on its standard input, with E(FONNTE_DEVICE) and E(FONNTE_CLIENT) in the environment.
        type: list
        elements: str
      of:
        description: The devices whose tokens the command gets. V(new) means the devices that this run has created.
        type: str
        choices: [new, all]
        default: new
  unlisted:
    description:
      - How to treat devices of the account that are not in O(devices).
      - V(report) returns their numbers in RV(unlisted). V(error) fails before any write.
    type: str
    choices: [ignore, report, error]
    default: ignore
  concurrency:
    description:
      - The number of simultaneous requests.
      - Up to half as many more devices can be in progress, because a device also waits for its record to be written.
    type: int
    default: 4
  on_error:
    description:
      - If a device fails, V(continue) still processes the other devices. V(stop) starts no further device.
    type: str
    choices: [continue, stop]
    default: continue
  canary:
    description:
      - Process this number of devices that need changes first, one after another. Process the rest only if all of them succeed.
    type: int
    default: 0
  max_create:
    description:
      - Fail before any write if more devices than this would be created. If not set, there is no limit.
    type: int
  max_clear:
    description:
      - Fail before any write if webhooks of more devices than this would be cleared.
      - A single empty variable could clear the webhooks of all clients. A webhook that is known to be empty does not count.
    type: int
    default: 3
  max_disconnect:
    description:
      - Fail before any write if more devices than this would be disconnected.
    type: int
    default: 3
  free_device_limit:
    description:
      - Fail before any write if the account would then have more free devices than this. Fonnte allows ten.
      - If not set, Fonnte decides. After its first refusal, no more devices are created, and all other changes are still applied.
    type: int
  only:
    description:
      - Select devices of the declaration in O(files), O(hosts) or O(clients) by client, by file (without C(.yml)), or by number.
        A list, or a string with commas.
      - The whole declaration is read and checked. Devices that are not selected are not changed, and O(unlisted) has no effect.
    type: raw
  result:
    description:
      - The devices to return in RV(devices), and the changes in the diff.
      - V(all) returns each device. V(changed) omits unchanged devices. V(summary) returns none.
      - RV(summary) always contains the numbers of changed, failed and unlinked devices.
      - Use V(changed) for many devices. Some programs that show results, such as AWX, discard a result of more than 700,000 bytes.
    type: str
    choices: [all, changed, summary]
    default: all
seealso:
  - module: fonnte.whatsapp.fonnte_device
  - module: fonnte.whatsapp.fonnte_device_info
  - module: fonnte.whatsapp.fonnte_audit
"""

EXAMPLES = r"""
# The account's token is in the environment variable FONNTE_ACCOUNT_TOKEN.

- name: Manage all devices of our clients
  fonnte.whatsapp.fonnte_fleet:
    defaults:
      autoread: true
      personal: true
    devices:
      - device: "081200003001"
        name: Toko Satu
        webhook: https://hooks.example.com/toko-satu
      - device: "081200003002"
        name: Toko Dua
        webhook: https://hooks.example.com/toko-dua
      - device: "081200003003"
        name: Warung Tiga
        personal: null # not managed for this one
    handle_unknown: ignore
  register: fleet

- name: Print the number of devices that are not linked to a phone
  ansible.builtin.debug:
    msg: "{{ fleet.summary.to_link }} of {{ fleet.devices | length }} devices are not linked"

- name: Update two devices first, and the others only if both succeed
  fonnte.whatsapp.fonnte_fleet:
    devices:
      - device: "081200003001"
        quick: true
      - device: "081200003002"
        quick: true
      - device: "081200003003"
        quick: true
    canary: 2
    concurrency: 8
    unlisted: report

- name: Declare clients, with settings that their devices inherit
  fonnte.whatsapp.fonnte_fleet:
    packages:
      cashier:
        autoread: true
        personal: true
    clients:
      - name: Toko Empat
        package: cashier
        devices:
          - device: "081200003004"
            name: Toko Empat
    handle_unknown: ignore
"""

RETURN = r"""
devices:
  description:
    - The devices that O(result) selects, in the order of the list.
    - Each has the keys that the module P(fonnte.whatsapp.fonnte_device#module) returns, without the diff, and the following keys.
  returned: always, as far as known
  type: list
  elements: dict
  contains:
    number:
      description: The declared number, digits only.
      type: str
      sample: "081200003001"
    status:
      description:
        - The outcome, or in check mode the predicted one.
        - V(in_doubt), a request was sent and its response was lost. V(not_attempted), the device was not processed because of another device.
      type: str
      sample: changed
    msg:
      description: The reason why the device failed or was not attempted. Empty otherwise.
      type: str
    warnings:
      description: The warnings about this device.
      type: list
      elements: str
    device:
      description: The known values of the device. V(null) if it does not exist.
      type: dict
    changed:
      description: Whether the device was changed.
      type: bool
    operations:
      description: The operations.
      type: list
      elements: str
summary:
  description:
    - The numbers of devices that were RV(summary.created), RV(summary.updated), RV(summary.disconnected), RV(summary.unchanged), RV(summary.failed) or
      RV(summary.not_attempted), that are RV(summary.in_doubt), and that exist but are not linked to a phone (RV(summary.to_link)).
  returned: always, as far as known
  type: dict
  contains:
    created:
      description: Devices that were created.
      type: int
    updated:
      description: Devices that were updated, including new devices that needed an update.
      type: int
    disconnected:
      description: Devices that were disconnected.
      type: int
    unchanged:
      description: Devices that matched their declaration.
      type: int
    failed:
      description: Devices that failed.
      type: int
    not_attempted:
      description: Devices that were not attempted.
      type: int
    in_doubt:
      description: Devices with an unknown outcome.
      type: int
    to_link:
      description: Devices that exist and are not linked to a phone, but may be.
      type: int
    cleared:
      description: Devices whose declaration clears a webhook that may be set.
      type: int
    cleared_devices:
      description: The numbers of the devices that RV(summary.cleared) counts.
      type: list
      elements: str
    changed_devices:
      description: The numbers of the devices that were changed.
      type: list
      elements: str
    failed_devices:
      description: The numbers of the devices that failed, or are in doubt.
      type: list
      elements: str
    to_link_devices:
      description: The numbers of the devices that RV(summary.to_link) counts, those that were created first.
      type: list
      elements: str
text:
  description: The result in sentences.
  returned: with O(files), O(hosts) or O(clients)
  type: list
  elements: str
failures:
  description: A sentence for each account that failed, and for each problem of the declaration.
  returned: with O(files), O(hosts) or O(clients)
  type: list
  elements: str
unlisted:
  description: The numbers of the account's devices that are not declared.
  returned: always, as far as known; empty without O(unlisted=report)
  type: list
  elements: str
  sample: ["081200009009"]
"""

from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.ansible_adapter import run_module
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.fleet import FLEET, run_fleet


def main() -> None:
    """Run the module."""
    run_module(FLEET, run_fleet)


if __name__ == "__main__":
    main()
