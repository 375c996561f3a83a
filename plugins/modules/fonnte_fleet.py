#!/usr/bin/python
# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fonnte_fleet
short_description: Declare many WhatsApp devices of the Fonnte gateway in one task
version_added: 1.0.0
description:
  - Brings all devices of a list to what is declared, each as the module P(fonnte.whatsapp.fonnte_device#module) would. Nothing is ever deleted.
  - It reads the account once, plans for all devices, and makes only the calls that the plans need, several at a time.
    A run that takes longer than 30 seconds reads the account again, once for all devices that are left.
  - Devices to be disconnected come last, a hundred at a time. These are locked together before the account is read again,
    so that no other device is disconnected in their place. A device that was renumbered in the dashboard meanwhile fails.
  - What is wrong with the list is found before anything is written, with the places of the entries. So are numbers that are named twice, in any spelling.
  - Brakes stop a run that would do more than is usual, also in check mode. See O(max_create), O(max_clear), O(max_disconnect) and O(free_device_limit).
  - The task fails if any device is not as declared in the end. The result names each device all the same.
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
      - Accepted so that C(module_defaults) can hold it for all modules. It has no effect here. An entry of O(devices) has its own.
    type: str
  tokens:
    description:
      - Where the tokens of the declared devices are exported, with O(files), O(hosts) or O(clients). On the control node.
    type: dict
    suboptions:
      dest:
        description:
          - A directory with a file for each client, encrypted by ansible-vault. It is written only when a token in it changes.
        type: path
      password:
        description: The password that the files are encrypted with.
        type: str
      command:
        description:
          - A command with its arguments. It gets each token on its standard input, with E(FONNTE_DEVICE) and E(FONNTE_CLIENT) in the environment.
        type: list
        elements: str
      of:
        description: The devices whose tokens the command gets, V(new) for those that this run has created.
        type: str
        choices: [new, all]
        default: new
  unlisted:
    description:
      - What is done about devices of the account that are not in O(devices).
      - With V(report) their numbers are in RV(unlisted). With V(error) the task fails before anything is written.
    type: str
    choices: [ignore, report, error]
    default: ignore
  concurrency:
    description:
      - How many calls are made at a time.
      - Up to half as many devices more may be under way, since a device also waits for its record to be written.
    type: int
    default: 4
  on_error:
    description:
      - With V(continue) the other devices are worked on when one fails. With V(stop) none is begun any more.
    type: str
    choices: [continue, stop]
    default: continue
  canary:
    description:
      - Work on so many of the devices that need work first, one by one, and on the rest only if all of them succeed.
    type: int
    default: 0
  max_create:
    description:
      - Fail before anything is written if more devices than this would be created. Left out, there is no limit.
    type: int
  max_clear:
    description:
      - Fail before anything is written if webhooks of more devices than this would be cleared.
      - One empty variable can clear the webhooks of all clients. A webhook that is known to be empty already does not count.
    type: int
    default: 3
  max_disconnect:
    description:
      - Fail before anything is written if more devices than this would be disconnected.
    type: int
    default: 3
  free_device_limit:
    description:
      - Fail before anything is written if the account would come to more free devices than this. Fonnte allows ten.
      - Left out, Fonnte decides. After its first refusal no more devices are created, and the rest is worked on.
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
      - V(all) returns each device. V(changed) leaves out those that were unchanged. V(summary) returns none.
      - RV(summary) names the changed, the failed and the unlinked devices in each case.
      - Use V(changed) for many devices. Some programs that show results, AWX among them, drop one of more than 700,000 bytes.
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

- name: All devices of our clients
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

- name: Tell which of them are still to be linked to a phone
  ansible.builtin.debug:
    msg: "{{ fleet.summary.to_link }} of {{ fleet.devices | length }} devices are not linked"

- name: The first two alone, the others if that went well
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

- name: Clients, and what their devices inherit
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
    - The devices that O(result) chooses, in the order of the list.
    - Each has the keys of the module P(fonnte.whatsapp.fonnte_device#module) without the diff, and these.
  returned: always, as far as known
  type: list
  elements: dict
  contains:
    number:
      description: The number as it is declared, digits only.
      type: str
      sample: "081200003001"
    status:
      description:
        - What became of it, or in check mode would.
        - V(in_doubt), a call was made and its answer was lost. V(not_attempted), something that happened to another device spoke against it.
      type: str
      sample: changed
    msg:
      description: Why it failed or was not attempted. Empty otherwise.
      type: str
    warnings:
      description: What a user should know of this device.
      type: list
      elements: str
    device:
      description: What is known of the device. V(null) if it does not exist.
      type: dict
    changed:
      description: Whether anything was done to it.
      type: bool
    operations:
      description: What was done.
      type: list
      elements: str
summary:
  description:
    - How many devices were RV(summary.created), RV(summary.updated), RV(summary.disconnected), left RV(summary.unchanged), RV(summary.failed),
      RV(summary.not_attempted), are RV(summary.in_doubt), and are RV(summary.to_link), that is, there and not linked to a phone.
  returned: always, as far as known
  type: dict
  contains:
    created:
      description: Devices that were created.
      type: int
    updated:
      description: Devices that were updated, new ones that needed an update among them.
      type: int
    disconnected:
      description: Devices that were disconnected.
      type: int
    unchanged:
      description: Devices that were as declared.
      type: int
    failed:
      description: Devices that failed.
      type: int
    not_attempted:
      description: Devices that were not attempted.
      type: int
    in_doubt:
      description: Devices of which nobody knows.
      type: int
    to_link:
      description: Devices that are there and not linked to a phone, and may be.
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
      description: The numbers of the devices that RV(summary.to_link) counts.
      type: list
      elements: str
text:
  description: The result in sentences, for people.
  returned: with O(files), O(hosts) or O(clients)
  type: list
  elements: str
failures:
  description: A sentence for each account that failed, and for each problem of the declaration.
  returned: with O(files), O(hosts) or O(clients)
  type: list
  elements: str
unlisted:
  description: The numbers of the account's devices that are not in the list.
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
