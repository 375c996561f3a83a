# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter fleet_check: checks a declaration without a token, and describes its changes."""

from __future__ import annotations

from ansible_collections.fonnte.whatsapp.plugins.module_utils._fleet.declaration_diff import check_declaration

DOCUMENTATION = r"""
name: fleet_check
short_description: What can be said of the declaration of a fleet without a token
version_added: 1.0.0
author:
  - The fonnte.whatsapp contributors (!UNKNOWN)
description:
  - Reads the text of files for the role P(fonnte.whatsapp.fleet#role), tells what is wrong with it, and what it changes against earlier files.
  - Nothing is called, no template is filled in, and nothing is decrypted. What is not readable is compared as it is written.
  - No URL is shown but its host, and no token.
options:
  _input:
    description: The text of each file by its path. V(null) for a file that cannot be read because it is encrypted.
    type: dict
    required: true
  earlier:
    description: The files as they were before, likewise. Left out, nothing is compared.
    type: dict
  stamped:
    description: Whether the names of devices have to leave room for a stamp, as with O(fonnte.whatsapp.fonnte_fleet#module:handle_write_only=stamped).
    type: bool
    default: true
  max_create:
    description: The brake of the run to come, to tell whether it would stop.
    type: int
  max_clear:
    description: Likewise.
    type: int
  max_disconnect:
    description: Likewise.
    type: int
seealso:
  - plugin: fonnte.whatsapp.fleet
    plugin_type: role
"""

EXAMPLES = r"""
- name: Tell what a change means
  ansible.builtin.debug:
    msg: "{{ ({'shops.yml': now} | fonnte.whatsapp.fleet_check(earlier={'shops.yml': before})).text }}"
  vars:
    before: |
      fleet_devices:
        - device: "081200001001"
          name: Toko Satu
    now: |
      fleet_devices:
        - device: "081200001001"
          name: Toko Satu
        - device: "081200001002"
          name: Toko Dua
"""

RETURN = r"""
_value:
  description: What can be said.
  type: dict
  contains:
    problems:
      description: A sentence for each thing that is wrong.
      type: list
      elements: str
    notes:
      description: A sentence for each thing to know, such as a brake that would stop the run.
      type: list
      elements: str
    text:
      description: All but the problems, a line for each part.
      type: list
      elements: str
      sample:
        - 2 devices, 0 clients, 1 account, 1 file. Nothing is wrong with them.
        - 'New (1): 081200001002 "Toko Dua" (shops.yml). Each is created unless the account has it, and is then linked to a phone.'
    markdown:
      description: All of it for a comment on a pull request.
      type: str
"""


class FilterModule:
    """Registers the filter with Ansible."""

    def filters(self) -> dict[str, object]:
        """Return the filters of this file by name."""
        return {"fleet_check": check_declaration}
