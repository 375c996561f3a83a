# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter fleet_check: what can be said of a declaration, and of a change of it, without a token."""

from __future__ import annotations

from ansible_collections.fonnte.whatsapp.plugins.module_utils._fleet.declaration_diff import check_declaration

DOCUMENTATION = r"""
name: fleet_check
short_description: Check the declaration of a fleet without a token
version_added: 1.0.0
author:
  - The fonnte.whatsapp contributors (!UNKNOWN)
description:
  - Checks the text of files for the role P(fonnte.whatsapp.fleet#role), and returns the problems, and the changes since earlier files.
  - It sends no request, renders no template and decrypts nothing. Values that cannot be read are compared as written.
  - A URL is shown only by its host, and a token is not shown.
options:
  _input:
    description: The text of each file by its path. V(null) for a file that cannot be read because it is encrypted.
    type: dict
    required: true
  earlier:
    description: The text of each file before the change, by its path. If not set, nothing is compared.
    type: dict
  stamped:
    description: Whether the names of devices must leave space for a stamp, as with O(fonnte.whatsapp.fonnte_fleet#module:handle_write_only=stamped).
    type: bool
    default: true
  max_create:
    description: The safety limit of the later run, to report whether it would stop the run.
    type: int
  max_clear:
    description: The same for cleared webhooks.
    type: int
  max_disconnect:
    description: The same for disconnected devices.
    type: int
seealso:
  - plugin: fonnte.whatsapp.fleet
    plugin_type: role
"""

EXAMPLES = r"""
- name: Print the effect of a change
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
  description: The result of the check.
  type: dict
  contains:
    problems:
      description: A sentence for each problem.
      type: list
      elements: str
    notes:
      description: A sentence for each note, such as a safety limit that would stop the run.
      type: list
      elements: str
    text:
      description: All except the problems, as a list of lines.
      type: list
      elements: str
      sample:
        - 2 devices, 0 clients, 1 account, 1 file. Nothing is wrong with them.
        - 'New (1): 081200001002 "Toko Dua" (shops.yml). Each is created unless the account has it, and is then linked to a phone.'
    markdown:
      description: The complete result for a comment on a pull request.
      type: str
"""


class FilterModule:
    """Makes the filter known to Ansible."""

    def filters(self) -> dict[str, object]:
        """Return the filters of this file by name."""
        return {"fleet_check": check_declaration}
