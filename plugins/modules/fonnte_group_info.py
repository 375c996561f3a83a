#!/usr/bin/python
# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fonnte_group_info
short_description: List the WhatsApp groups of a device
version_added: 1.1.0
description:
  - Lists the WhatsApp groups of a linked phone with their IDs, from the list that Fonnte stores.
  - Fonnte stores the list only after it has fetched it from the phone. O(refresh=true) requests that.
  - Messages can name a group directly, as V(group:NAME) in O(fonnte.whatsapp.fonnte_message#module:target).
author:
  - The fonnte.whatsapp contributors (!UNKNOWN)
extends_documentation_fragment:
  - fonnte.whatsapp.api
  - fonnte.whatsapp.attributes
  - fonnte.whatsapp.attributes.reads
options:
  device:
    description:
      - The number of the device, in any spelling. Quote it.
      - If O(device_token) is also set, both must identify the same device.
    type: raw
    aliases: [number]
  device_token:
    description:
      - The token of the device. If it is the only one set, the devices are not listed.
      - If neither this nor O(device) is set, E(FONNTE_DEVICE_TOKEN) is used.
  refresh:
    description:
      - Whether Fonnte must fetch the list from the phone first, if O(refresh_after) allows it. Otherwise the stored list is returned.
      - A refresh needs a linked phone.
      - If Fonnte has not stored a list yet, the task fails without a refresh. In check mode with V(true), it warns and returns no groups.
      - Fonnte warns that frequent fetching can lead to a ban of the number. Refresh only if a new group is missing.
      - A lost response counts as a refresh. Check mode never refreshes.
    type: bool
    default: false
  refresh_after:
    description:
      - The number of seconds from one refresh to the next, 60 at least. The default is one day.
      - The time of the last refresh is in the record. Control nodes with the same record, such as O(record_url), refresh once together.
      - If the record is lost or forgotten, the time is unknown, and the next O(refresh=true) refreshes. Restoring a backup never replaces a later time.
    type: float
    default: 86400.0
  record_path:
    description:
      - The directory of the record, with the time of the last refresh.
      - If not set, E(FONNTE_RECORD_PATH) is used.
  record_max_age:
    description:
      - Accepted so that C(module_defaults) can set it for all modules. It has no effect here.
      - A number of seconds, or a number with V(s), V(m), V(h), V(d) or V(w), such as V(30d).
seealso:
  - module: fonnte.whatsapp.fonnte_device_info
  - module: fonnte.whatsapp.fonnte_message
  - module: fonnte.whatsapp.fonnte_number_info
  - name: The API of Fonnte
    description: The vendor's documentation.
    link: https://docs.fonnte.com
"""

EXAMPLES = r"""
# The account's token is in the environment variable FONNTE_ACCOUNT_TOKEN.

- name: List the groups, and fetch them from the phone if that was not done in the last week
  fonnte.whatsapp.fonnte_group_info:
    device: "081200001001"
    refresh: true
    refresh_after: 604800
  register: phone

- name: Show the ID of a group
  ansible.builtin.debug:
    msg: "{{ phone.groups | selectattr('name', 'equalto', 'Tim Gudang') | map(attribute='id') | list }}"

- name: List the groups that Fonnte stores, without a request to the phone
  fonnte.whatsapp.fonnte_group_info:
    device: "081200001001"
"""

RETURN = r"""
groups:
  description: The groups, sorted by name. In check mode with O(refresh=true), the list is empty if Fonnte has not stored one yet.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: The ID, which O(fonnte.whatsapp.fonnte_message#module:target) accepts.
      type: str
      sample: 1234567890@g.us
    name:
      description: The name, without control characters. Two groups can have the same name.
      type: str
      sample: Tim Gudang
refreshed:
  description:
    - Whether Fonnte fetched the list from the phone for this task. V(false) without O(refresh), and if the last refresh is not older than O(refresh_after).
    - In check mode, whether a run would refresh the list.
  returned: success
  type: bool
refreshed_at:
  description: The time of the last refresh in the record, in UTC. V(null) if none is recorded, or without O(refresh).
  returned: success
  type: str
  sample: "2026-11-22T09:30:00Z"
device:
  description: The registered number of the device. V(null) if only its token is known.
  returned: success
  type: str
  sample: "081200001001"
"""

from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.ansible_adapter import run_module
from ansible_collections.fonnte.whatsapp.plugins.module_utils._modules.group_info import GROUP_INFO, run_group_info


def main() -> None:
    """Run the module."""
    run_module(GROUP_INFO, run_group_info)


if __name__ == "__main__":
    main()
