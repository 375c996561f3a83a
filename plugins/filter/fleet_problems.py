# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter fleet_problems: what keeps files from declaring one fleet."""

from __future__ import annotations

import typing as t

from ansible_collections.fonnte.whatsapp.plugins.module_utils._declarations import fleet_problems

DOCUMENTATION = r"""
name: fleet_problems
short_description: What keeps files from declaring one fleet of WhatsApp devices
version_added: 1.0.0
author:
  - The fonnte.whatsapp contributors (!UNKNOWN)
description:
  - Looks at what several files declare for the role P(fonnte.whatsapp.fleet#role), before anything is called.
  - A file has the list C(fleet_devices), may have the dictionary C(fleet_defaults), and has nothing else.
  - A device is declared once. Its spelling does not matter, V(0812-0000-1001) and V(6281200001001) are one device.
  - The values of settings are not looked at, and not repeated. The role and the module tell what is wrong with them.
options:
  _input:
    description: What each file says, by its path.
    type: dict
    required: true
seealso:
  - plugin: fonnte.whatsapp.fleet
    plugin_type: role
"""

EXAMPLES = r"""
- name: See that the files are one fleet
  ansible.builtin.assert:
    that: problems | length == 0
    fail_msg: "{{ problems | join(' ') }}"
  vars:
    problems: "{{ {'toko.yml': toko, 'warung.yml': warung} | fonnte.whatsapp.fleet_problems }}"
    toko:
      fleet_devices:
        - device: "0812-0000-1001"
    warung:
      fleet_devices:
        - device: "0812-0000-1002"
"""

RETURN = r"""
_value:
  description: A sentence for each problem.
  type: list
  elements: str
  sample:
    - One device is declared more than once, as 081200001001 in toko.yml and as 6281200001001 in warung.yml; take one out.
"""


class FilterModule:
    """Makes the filter known to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., object]]:
        """Return the filters of this file by name."""
        return {"fleet_problems": fleet_problems}
