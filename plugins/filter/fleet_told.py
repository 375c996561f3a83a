# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter fleet_told: what became of a fleet, for people."""

from __future__ import annotations

from ansible_collections.fonnte.whatsapp.plugins.module_utils._fleet.summary import fleet_told

DOCUMENTATION = r"""
name: fleet_told
short_description: What became of a fleet, in sentences
version_added: 1.0.0
author:
  - The fonnte.whatsapp contributors (!UNKNOWN)
description:
  - Puts the results of P(fonnte.whatsapp.fonnte_fleet#module) for several accounts into a few sentences without secrets.
options:
  _input:
    description: The accounts, as P(fonnte.whatsapp.fleet_accounts#filter) gives them.
    type: list
    elements: dict
    required: true
  results:
    description: The result for each account, in the same order. An empty dictionary for an account that was not worked on.
    type: list
    elements: dict
    required: true
  foreseen:
    description: Whether it is what a run would do.
    type: bool
    default: false
seealso:
  - plugin: fonnte.whatsapp.fleet_accounts
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Look at a fleet
  fonnte.whatsapp.fonnte_fleet:
    devices: "{{ accounts[0].devices }}"
  register: fleet
  check_mode: true
  vars: &fleet
    accounts: "{{ {'shops.yml': shops} | fonnte.whatsapp.fleet_accounts }}"
    shops:
      fleet_clients:
        - name: Toko Satu
          contacts:
            - name: Cashier
          devices:
            - device: "081200001001"
              name: Toko Satu

- name: Tell what would be done
  ansible.builtin.debug:
    msg: "{{ (accounts | fonnte.whatsapp.fleet_told([fleet], foreseen=true)).text }}"
  vars: *fleet
"""

RETURN = r"""
_value:
  description: What became of it.
  type: dict
  contains:
    text:
      description: The sentences.
      type: list
      elements: str
      sample:
        - 1 device is declared. 1 created, 0 updated, 0 disconnected, 0 unchanged.
    created:
      description: The numbers that were created, as they are declared.
      type: list
      elements: str
    to_link:
      description: The numbers that are still to be linked to a phone.
      type: list
      elements: str
    unlisted:
      description: The numbers that accounts have and nobody declared, where RV(fonnte.whatsapp.fonnte_fleet#module:unlisted) tells them.
      type: list
      elements: str
    counts:
      description:
        - The counts of RV(fonnte.whatsapp.fonnte_fleet#module:summary), of all accounts together, and C(cleared), the devices whose webhooks are cleared.
        - C(updated) does not count devices that were created.
      type: dict
    failed:
      description: Whether a device of an account is not as declared.
      type: bool
"""


class FilterModule:
    """Makes the filter known to Ansible."""

    def filters(self) -> dict[str, object]:
        """Return the filters of this file by name."""
        return {"fleet_told": fleet_told}
