#!/usr/bin/python
# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fonnte_link_changes
short_description: Find WhatsApp devices of the Fonnte gateway that were disconnected or linked since the last run
version_added: 1.0.0
description:
  - Compares a list of devices with the links that the last run stored in a file. The playbook C(fonnte.whatsapp.dropped_off) uses it to report each
    change once.
  - The module reads and writes only this file and its lock, and sends no request.
  - A device that was linked in no run cannot drop off. A device that is not in O(devices) keeps its stored state.
author:
  - The fonnte.whatsapp contributors (!UNKNOWN)
requirements:
  - Python 3.7 or newer where the module runs
attributes:
  check_mode:
    description: Can run in C(check_mode) and predict the changes without applying them.
    support: full
  diff_mode:
    description: Returns the changes, or the predicted ones in C(check_mode), in diff mode.
    support: full
  idempotent:
    description: A second run with the same arguments, outside check mode, changes nothing.
    support: partial
    details:
      - With O(operation=start) and O(operation=cancel), each run counts a message.
  platform:
    description: The systems where the module can run. It reads and writes a file there.
    platforms: posix
    support: full
options:
  devices:
    description:
      - The devices, as RV(fonnte.whatsapp.fonnte_device_info#module:devices) returns them. Only the number, the name and the link of each device are used.
    type: list
    elements: dict
    required: true
  path:
    description:
      - The file with the stored links. It is created if it does not exist, with its directory, and only its owner can read it.
      - It is replaced completely or not at all. A damaged file, or one with other content, is an error.
      - A hidden lock file next to it, which is never removed, excludes other tasks while one of them reads and writes the file.
      - From a comparison that returns changes until V(finish) or V(cancel), or until C(ansible-playbook) ends, a task of another run fails. For a run on
        another machine or in another container, this ends after four minutes. Runs on a system without C(/proc) do not find each other.
      - It must not be inside an installed collection, and its path must not contain a symbolic link of another user.
    type: path
    required: true
  operation:
    description:
      - V(compare) returns the changes, and stores devices that are linked for the first time. A change is returned in each run until it was reported.
      - V(start) stores that a message about the changes may be sent. Use it before the message.
      - V(finish) stores that the changes were reported.
      - V(cancel) stores that nothing was sent after V(start).
      - After V(start) alone, such as when the run was interrupted or the response was lost, the next run returns the changes once more,
        with RV(dropped[].repeated).
        A change is returned for at most two messages.
    type: str
    choices: [compare, start, finish, cancel]
    default: compare
seealso:
  - module: fonnte.whatsapp.fonnte_device_info
  - module: fonnte.whatsapp.fonnte_message
"""

EXAMPLES = r"""
# The account's token is in the environment variable FONNTE_ACCOUNT_TOKEN.

- name: List the devices
  fonnte.whatsapp.fonnte_device_info:
  register: account

- name: Compare them with the last run
  fonnte.whatsapp.fonnte_link_changes:
    devices: "{{ account.devices }}"
    path: ~/.ansible/fonnte-links.json
  register: links

- name: Report the devices that dropped off
  ansible.builtin.debug:
    msg: "{{ links.dropped | map(attribute='device') | list }}"

- name: Store that they were reported
  fonnte.whatsapp.fonnte_link_changes:
    devices: "{{ account.devices }}"
    path: ~/.ansible/fonnte-links.json
    operation: finish
"""

RETURN = r"""
dropped:
  description: The devices that were linked, and are disconnected now, in the order of O(devices).
  returned: success
  type: list
  elements: dict
  contains: &changes
    device:
      description: The number.
      type: str
      sample: "081200004001"
    name:
      description: The name.
      type: str
      sample: Toko Satu
    repeated:
      description: Whether an earlier message about the device may have been sent.
      type: bool
recovered:
  description: The devices that were reported as disconnected, and are linked again.
  returned: success
  type: list
  elements: dict
  contains: *changes
never_linked:
  description: The disconnected devices that were linked in no run.
  returned: success
  type: list
  elements: dict
  contains: *changes
first:
  description: Whether there was no file. Then no device is in RV(dropped) or RV(recovered).
  returned: success
  type: bool
path:
  description: The absolute path of the file.
  returned: success
  type: str
  sample: /home/me/.ansible/fonnte-links.json
"""

from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.ansible_adapter import run_module
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.link_changes import (
    LINK_CHANGES,
    run_link_changes,
)


def main() -> None:
    """Run the module."""
    run_module(LINK_CHANGES, run_link_changes)


if __name__ == "__main__":
    main()
